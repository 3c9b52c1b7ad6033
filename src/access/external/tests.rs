//! Every answer, and what it is taken for.

mod asking;
mod fetching;

use std::net::IpAddr;

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::*;
use crate::access::service::{Reply, ScriptedService};

const HOUR: Duration = Duration::from_secs(3600);

fn config(url: &str) -> ExternalConfig {
    ExternalConfig {
        url: Some(url.to_owned()),
        timeout_ms: 60_000,
        ..ExternalConfig::default()
    }
}

fn external(config: &ExternalConfig) -> External {
    let overlays = ["logo", "copy"].map(str::to_owned).into();
    External::new(config, overlays).unwrap()
}

/// Somebody's question about an image.
struct Asked<'a> {
    identifier: &'a str,
    request: &'static str,
    address: Option<IpAddr>,
    headers: HeaderMap,
}

impl<'a> Asked<'a> {
    fn of(identifier: &'a str) -> Self {
        Self {
            identifier,
            request: "info.json",
            address: Some([192, 0, 2, 1].into()),
            headers: HeaderMap::new(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.append(name, value);
        self
    }

    async fn of_service(&self, external: &External) -> Verdict {
        let question = ExternalQuestion {
            method: "GET",
            path: "/iiif/3/a%2Fb/info.json",
            identifier: self.identifier,
            request: self.request,
            address: self.address,
            headers: &self.headers,
        };
        external.decide(&question).await
    }
}

async fn answered(reply: Reply) -> Verdict {
    let service = ScriptedService::start(reply).await;
    let external = external(&config(&service.url));
    Asked::of("x").of_service(&external).await
}

async fn answered_json(body: Value) -> Verdict {
    answered(Reply::json(body)).await
}

#[tokio::test]
async fn success_without_a_body_is_a_yes() {
    let yes = Verdict::Allow(Shown::default());
    for status in [200, 202, 204] {
        assert_eq!(answered(Reply::status(status)).await, yes, "{status}");
    }
    assert_eq!(answered_json(json!({"allow": true})).await, yes);
}

#[tokio::test]
async fn a_yes_may_have_conditions() {
    let verdict = answered_json(json!({
        "allow": true,
        "largest": 400,
        "redactions": [
            {"region": "10,20,30,40", "color": "#ff0000"},
            {"region": "pct:0,0,50,12.5"},
        ],
        "overlays": ["logo"],
    }))
    .await;
    let red = "#ff0000".parse().unwrap();
    let expected = Shown {
        largest: NonZeroU32::new(400),
        redactions: vec![
            (Region::parse("10,20,30,40").unwrap(), red),
            (Region::parse("pct:0,0,50,12.5").unwrap(), HexColor::BLACK),
        ],
        overlays: vec!["logo".to_owned()],
    };
    assert_eq!(verdict, Verdict::Allow(expected));
}

#[tokio::test]
async fn a_no_has_a_status() {
    for (status, refusal) in [
        (401, Refusal::Unauthorized),
        (403, Refusal::Forbidden),
        (404, Refusal::NotFound),
    ] {
        let expected = Verdict::Refuse(refusal);
        let by_status = Reply {
            body: "{\"allow\": true}".to_owned(),
            ..Reply::status(status)
        };
        assert_eq!(answered(by_status).await, expected);
        let body = json!({"allow": false, "status": status});
        assert_eq!(answered_json(body).await, expected);
    }
    let body = json!({"allow": false});
    let forbidden = Verdict::Refuse(Refusal::Forbidden);
    assert_eq!(answered_json(body).await, forbidden);
}

#[tokio::test]
async fn somewhere_else_is_a_web_page() {
    const LOGIN: &str = "https://id.example.org/login?a=b";
    let expected = Verdict::Redirect(LOGIN.to_owned());
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::status(status).with("location", LOGIN);
        assert_eq!(answered(reply).await, expected, "{status}");
    }
    let body = json!({"allow": false, "redirect": LOGIN});
    assert_eq!(answered_json(body).await, expected);
    for wrong in [
        "/login",
        "//evil.example.org",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/",
        "",
    ] {
        let reply = Reply::status(302).with("location", wrong);
        assert_eq!(answered(reply).await, Verdict::Unavailable, "{wrong}");
        let body = json!({"allow": false, "redirect": wrong});
        assert_eq!(answered_json(body).await, Verdict::Unavailable, "{wrong}");
    }
    assert_eq!(answered(Reply::status(302)).await, Verdict::Unavailable);
    let broken = json!({"allow": false, "redirect": "https://a.example/\r\nset-cookie: x"});
    let cleaned = Verdict::Redirect("https://a.example/set-cookie:%20x".to_owned());
    assert_eq!(answered_json(broken).await, cleaned);
}

#[tokio::test]
async fn what_is_not_understood_is_no_yes() {
    for wrong in [
        json!({}),
        json!(true),
        json!([]),
        json!({"allow": "true"}),
        json!({"allow": 1}),
        json!({"allow": null}),
        json!({"allow": true, "largst": 400}),
        json!({"allow": true, "status": 403}),
        json!({"allow": true, "redirect": "https://example.org/"}),
        json!({"allow": false, "largest": 400}),
        json!({"allow": false, "status": 403, "redirect": "https://example.org/"}),
        json!({"allow": false, "status": 200}),
        json!({"allow": false, "status": 500}),
        json!({"allow": true, "largest": 0}),
        json!({"allow": true, "largest": -1}),
        json!({"allow": true, "largest": 4.5}),
        json!({"allow": true, "overlays": ["unknown"]}),
        json!({"allow": true, "overlays": "logo"}),
        json!({"allow": true, "redactions": [{"region": "10,10"}]}),
        json!({"allow": true, "redactions": [{"region": "0,0,9,9", "color": "black"}]}),
        json!({"allow": true, "redactions": [{"region": "0,0,9,9", "colour": "#000000"}]}),
        json!({"allow": true, "redactions": vec![json!({"region": "0,0,9,9"}); 1001]}),
    ] {
        assert_eq!(
            answered_json(wrong.clone()).await,
            Verdict::Unavailable,
            "{wrong:.80}"
        );
    }
    let said_twice = Reply::json(r#"{"allow": false, "allow": true}"#);
    assert_eq!(answered(said_twice).await, Verdict::Unavailable);
}

#[tokio::test]
async fn anything_else_is_no_yes() {
    let page = Reply {
        body: "<h1>Log in</h1>".to_owned(),
        ..Reply::status(200).with("content-type", "text/html")
    };
    let untyped = Reply {
        body: r#"{"allow": true}"#.to_owned(),
        ..Reply::status(200)
    };
    let empty = Reply::json("");
    let cut = Reply::json(r#"{"allow": true"#);
    let endless = Reply::json(format!("{}{}", json!({"allow": true}), " ".repeat(LONGEST)));
    for (what, reply) in [
        ("a page", page),
        ("no kind", untyped),
        ("empty JSON", empty),
        ("cut", cut),
        ("too long", endless),
        ("not changed", Reply::status(304)),
        ("a status", Reply::status(400)),
        ("gone", Reply::status(410)),
        ("an error", Reply::status(500)),
        ("a teapot", Reply::status(418)),
    ] {
        assert_eq!(answered(reply).await, Verdict::Unavailable, "{what}");
    }
}
