//! What is shown with a request: tokens, keys and signatures.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::Method;
use azulejo::access::signed::Scope;
use azulejo::config::Config;
use azulejo::http::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use tempfile::TempDir;

use super::rules::{access, folder, from, server};
use crate::scripted_service::{Reply, ScriptedService};
use crate::server::Server;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const IMAGE: &str = "/iiif/3/a%2Fsecret%2Fx.png/full/max/0/default.png";

fn rules() -> String {
    format!(
        r#"
        [[rules]]
        identifiers = ["a/secret/{{x}}"]
        roles = ["staff"]
        signed = true
        [signing]
        secrets = ["{SECRET}"]
        longest = 3600
        [keys.program]
        secret = "key-key-key-key-key"
        roles = ["staff"]
        [keys.other]
        secret = "other-other-other"
        roles = ["other"]
        "#
    )
}

fn in_seconds(seconds: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().saturating_add_signed(seconds)
}

fn signed_for(url: &str, scope: Scope, seconds: i64) -> String {
    let config = Config {
        access: access(&rules()),
        ..Config::default()
    };
    sign(&config, url, scope, in_seconds(seconds)).unwrap()
}

fn signed(url: &str) -> String {
    signed_for(url, Scope::Request, 60)
}

#[tokio::test]
async fn a_signed_url_shows_what_it_names_and_nothing_else() {
    let folder = folder();
    let server = server(&folder, &rules());
    let url = signed(IMAGE);
    assert_eq!(server.status(IMAGE).await, 401);
    let shown = server.get(&url).await;
    shown.assert_ok();
    assert_eq!(shown.header("cache-control"), Some("private, no-cache"));
    let encoded = url.replace("default", "%64efault");
    assert_eq!(server.status(&encoded).await, 200, "the same request");
    let (path, query) = url.split_once('?').unwrap();
    let (expires, signature) = query.split_once('&').unwrap();
    for changed in [
        path.to_owned(),
        format!("{path}?{expires}"),
        format!("{path}?{signature}"),
        format!("{path}?{query}&{expires}"),
        format!("{path}?{query}&{signature}"),
        format!("{path}?{query}&scope=image"),
        format!("{path}?{}", query.to_uppercase()),
        format!("{path}?{}0&{signature}", expires),
        url.replace("full/max", "0,0,9,9/max"),
        url.replace("max", "90,"),
        url.replace("/0/", "/90/"),
        url.replace("default.png", "default.jpg"),
        url.replace("/iiif/3/", "/iiif/2/")
            .replace("/max/", "/full/"),
        url.replace("x.png", "X.png"),
        url.replace("x.png", "x"),
        url.replace("x.png", "x.png;max40"),
        url.replace("full/max/0/default.png", "info.json"),
    ] {
        let status = server.status(&changed).await;
        assert!(status == 401 || status == 302, "{changed}: {status}");
    }
}

#[tokio::test]
async fn a_signed_url_is_good_for_a_time() {
    let folder = folder();
    let server = server(&folder, &rules());
    for (seconds, status) in [(-1, 401), (0, 401), (60, 200), (3_500, 200), (3_700, 401)] {
        let url = signed_for(IMAGE, Scope::Request, seconds);
        assert_eq!(server.status(&url).await, status, "{seconds} s");
    }
}

/// What others have made is in the caches, and stays there.
#[tokio::test]
async fn who_has_no_signature_is_refused_what_others_were_shown() {
    let folder = folder();
    let server = server(&folder, &rules());
    let shown = server.get(&signed(IMAGE)).await;
    let tag = shown.header("etag").unwrap();
    for headers in [
        &[][..],
        &[("if-none-match", tag)],
        &[("if-none-match", "*")],
    ] {
        let refused = server.send(Method::GET, IMAGE, headers).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_signature_for_an_image_is_for_all_that_can_be_asked_of_it() {
    let folder = folder();
    let server = server(&folder, &rules());
    let info = "/iiif/3/a%2Fsecret%2Fx.png/info.json";
    let url = signed_for(info, Scope::Image, 60);
    let query = url.split_once('?').unwrap().1;
    for path in [
        info,
        IMAGE,
        "/iiif/3/a%2Fsecret%2Fx.png/0,0,9,9/max/90/gray.jpg",
        "/iiif/2/a%2Fsecret%2Fx.png/full/full/0/default.png",
        "/presentation/3/a%2Fsecret%2Fx.png/manifest",
    ] {
        assert_eq!(server.status(path).await, 401, "{path}");
        assert_eq!(
            server.status(&format!("{path}?{query}")).await,
            200,
            "{path}"
        );
        let narrowed = query.replace("scope=image&", "");
        assert_eq!(
            server.status(&format!("{path}?{narrowed}")).await,
            401,
            "{path}"
        );
    }
    for path in [
        "/iiif/3/a%2Fsecret%2Fx/info.json",
        "/iiif/3/a%2Fsecret%2F%2Fx.png/info.json",
        "/iiif/3/a%2Fsecret%2FX.png/info.json",
    ] {
        assert_eq!(
            server.status(&format!("{path}?{query}")).await,
            401,
            "{path}"
        );
    }
}

/// A rule that takes no signatures is not opened by one.
#[tokio::test]
async fn signatures_are_for_rules_that_take_them() {
    let folder = folder();
    let server = server(&folder, &rules().replace("signed = true", ""));
    assert_eq!(server.status(&signed(IMAGE)).await, 401);
}

#[tokio::test]
async fn the_command_signs_what_the_server_accepts() {
    let folder = folder();
    let file = tempfile::NamedTempFile::new().unwrap();
    let toml = rules()
        .replace("[[", "[[access.")
        .replace("[signing", "[access.signing");
    let toml = toml.replace("[keys", "[access.keys");
    std::fs::write(file.path(), toml).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azulejo"));
        let command = command.arg("sign").arg("--config").arg(file.path());
        command.args(arguments).output().unwrap()
    };
    let url = format!("https://images.example.org/behind{IMAGE}");
    let output = run(&[&url, "--expires", "10m"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let path = text
        .trim_end()
        .strip_prefix("https://images.example.org/behind");
    let server = server(&folder, &rules());
    assert_eq!(server.status(path.unwrap()).await, 200, "{text}");
    for (arguments, code) in [
        (&[url.as_str(), "--expires", "2h"][..], 2),
        (&["https://images.example.org/other"], 1),
        (&["/iiif/3/x"], 1),
        (&["/iiif/3/x/info.json?a=b"], 1),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

async fn status_with(server: &Server, name: &str, value: &str) -> u16 {
    let answer = server.send(Method::GET, IMAGE, &[(name, value)]).await;
    answer.status.as_u16()
}

#[tokio::test]
async fn a_key_opens_what_its_roles_do() {
    let folder = folder();
    let server = server(&folder, &rules());
    for (name, value, status) in [
        ("x-api-key", "key-key-key-key-key", 200),
        ("authorization", "Bearer key-key-key-key-key", 200),
        ("x-api-key", "other-other-other", 401),
        ("x-api-key", "key-key-key-key-ke", 401),
        ("x-api-key", "", 401),
        ("authorization", "Basic key-key-key-key-key", 401),
        ("authorization", "Bearer ", 401),
    ] {
        assert_eq!(
            status_with(&server, name, value).await,
            status,
            "{name}: {value}"
        );
    }
}

fn key() -> EncodingKey {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([7; 32]);
    EncodingKey::from_ed_der(&der)
}

fn token(roles: &[&str]) -> String {
    let claims = json!({"iss": "us", "exp": in_seconds(300), "roles": roles});
    let token = encode(&Header::new(Algorithm::EdDSA), &claims, &key()).unwrap();
    format!("Bearer {token}")
}

async fn with_issuer(reply: Reply) -> (ScriptedService, TempDir, Server) {
    let issuer = ScriptedService::start(reply).await;
    let jwt = format!(
        "[jwt]\nalgorithms = ['EdDSA']\nissuer = 'us'\ntimeout_ms = 60000\njwks = '{}'",
        issuer.url
    );
    let folder = folder();
    let server = server(&folder, &format!("{}\n{jwt}", rules()));
    (issuer, folder, server)
}

fn keys() -> Reply {
    let jwk = Jwk::from_encoding_key(&key(), Algorithm::EdDSA).unwrap();
    Reply::json(json!({"keys": [jwk]}))
}

#[tokio::test]
async fn a_token_opens_what_its_roles_do() {
    let (issuer, _folder, server) = with_issuer(keys()).await;
    let staff = token(&["maps", "staff"]);
    assert_eq!(status_with(&server, "authorization", &staff).await, 200);
    let other = token(&["maps"]);
    assert_eq!(status_with(&server, "authorization", &other).await, 401);
    let (unsigned, _) = staff.rsplit_once('.').unwrap();
    let stripped = format!("{unsigned}.");
    assert_eq!(status_with(&server, "authorization", &stripped).await, 401);
    assert_eq!(status_with(&server, "x-api-key", &staff[7..]).await, 401);
    assert_eq!(server.status("/iiif/3/open.png/info.json").await, 200);
    assert_eq!(issuer.times_asked(), 1);
}

/// Neither a yes nor a lasting no; and only for those who show what the issuer would have to say.
#[tokio::test]
async fn while_the_issuer_is_down_tokens_are_worth_an_excuse() {
    let (_issuer, _folder, server) = with_issuer(Reply::status(500)).await;
    let headers = [("authorization", &*token(&["staff"]))];
    let answer = server.send(Method::GET, IMAGE, &headers).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.status(IMAGE).await, 401, "without a token");
    let key = status_with(&server, "authorization", "Bearer key-key-key-key-key");
    assert_eq!(key.await, 200, "a key is known here");
    let open = "/iiif/3/open.png/info.json";
    let answer = server.send(Method::GET, open, &headers).await;
    assert_eq!(answer.status, 200, "nobody is asked");
}

/// Whoever is let in, or refused, whatever his token says.
#[tokio::test]
async fn nobody_is_asked_for_roles_that_would_change_nothing() {
    let (issuer, _folder, server) = with_issuer(Reply::status(500)).await;
    let headers = [("authorization", &*token(&["staff"]))];
    let index = server.send(Method::GET, "/", &headers).await;
    assert_eq!(index.status, 200, "none of its images takes a role");
    let index = server
        .send(Method::GET, "/?folder=a/secret", &headers)
        .await;
    assert_eq!(index.status, 503, "all of these do");
    let rules = |roles: &str| {
        format!(
            "[jwt]\nalgorithms = ['EdDSA']\nissuer = 'us'\njwks = '{}'\n\
            [[rules]]\nnetworks = ['192.0.2.0/24']\n{roles}",
            issuer.url
        )
    };
    let (inside, outside) = ([192, 0, 2, 7], [198, 51, 100, 7]);
    let both = rules("roles = ['staff']");
    assert_eq!(from(inside, &both, &headers).await, 200);
    assert_eq!(from(outside, &both, &headers).await, 503);
    assert_eq!(from(outside, &rules(""), &headers).await, 403);
}
