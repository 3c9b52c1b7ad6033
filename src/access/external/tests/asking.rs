//! What the service is asked.

use super::*;

async fn sent(asked: Asked<'_>) -> HeaderMap {
    let service = ScriptedService::start(Reply::status(204)).await;
    let config = ExternalConfig {
        forward_headers: ["Cookie", "authorization"].map(str::to_owned).into(),
        ..config(&service.url)
    };
    asked.of_service(&external(&config)).await;
    service.last_headers()
}

#[tokio::test]
async fn it_is_told_what_is_asked_by_whom() {
    let asked = Asked::of("a/b").with("cookie", "session=1");
    let headers = sent(asked.with("authorization", "Bearer x")).await;
    for (name, value) in [
        ("x-original-method", "GET"),
        ("x-original-uri", "/iiif/3/a%2Fb/info.json"),
        ("x-azulejo-identifier", "a/b"),
        ("x-azulejo-request", "info.json"),
        ("x-forwarded-for", "192.0.2.1"),
        ("cookie", "session=1"),
        ("authorization", "Bearer x"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
}

/// No client says in the name of this server who he is.
#[tokio::test]
async fn other_headers_of_the_client_do_not_get_through() {
    let asked = Asked::of("x")
        .with("x-forwarded-for", "127.0.0.1")
        .with("x-azulejo-identifier", "y")
        .with("x-original-uri", "/y")
        .with("x-remote-user", "admin");
    let headers = sent(asked).await;
    let of = |name| {
        let values = headers.get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("x-forwarded-for"), ["192.0.2.1"]);
    assert_eq!(of("x-azulejo-identifier"), ["x"]);
    assert_eq!(of("x-original-uri"), ["/iiif/3/a%2Fb/info.json"]);
    assert!(of("x-remote-user").is_empty());
}

#[tokio::test]
async fn values_are_visible_characters() {
    let headers = sent(Asked::of("ä %\r\nx-evil: 1")).await;
    assert_eq!(
        headers["x-azulejo-identifier"],
        "%C3%A4%20%25%0D%0Ax-evil:%201"
    );
    assert!(!headers.contains_key("x-evil"));
}

#[tokio::test]
async fn cookies_are_one_line_and_an_unknown_address_is_empty() {
    let asked = Asked {
        address: None,
        ..Asked::of("x")
    };
    let headers = sent(asked.with("cookie", "a=1").with("cookie", "b=2")).await;
    assert_eq!(headers["cookie"], "a=1; b=2");
    assert_eq!(headers.get_all("cookie").iter().count(), 1);
    assert_eq!(headers["x-forwarded-for"], "");
    let mapped = Asked {
        address: Some("::ffff:192.0.2.7".parse().unwrap()),
        ..Asked::of("x")
    };
    assert_eq!(sent(mapped).await["x-forwarded-for"], "192.0.2.7");
}
