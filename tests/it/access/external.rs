//! A service that decides, asked at the door.

use axum::http::Method;
use serde_json::json;
use tempfile::TempDir;

use super::rules::{folder, server};
use crate::scripted_service::{Reply, ScriptedService};
use crate::server::Server;

const INFO: &str = "/iiif/3/a%2Fsecret%2Fx.png/info.json";
const TILE: &str = "/iiif/3/a%2Fsecret%2Fx.png/full/max/0/default.png";
const ALL: [&str; 4] = [
    INFO,
    TILE,
    "/iiif/2/a%2Fsecret%2Fx.png/full/full/0/default.png",
    "/presentation/3/a%2Fsecret%2Fx.png/manifest",
];

async fn with_service(reply: Reply, cache_seconds: u32) -> (ScriptedService, TempDir, Server) {
    let service = ScriptedService::start(reply).await;
    let rules = format!(
        r#"
        [[rules]]
        identifiers = ["a/secret/{{x}}"]
        external = true
        [external]
        url = "{}"
        timeout_ms = 60000
        cache_seconds = {cache_seconds}
        "#,
        service.url
    );
    let folder = folder();
    let server = server(&folder, &rules);
    (service, folder, server)
}

async fn statuses(server: &Server) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in ALL {
        statuses.push(server.status(path).await);
    }
    statuses.dedup();
    statuses
}

#[tokio::test]
async fn all_that_is_asked_of_an_image_has_one_decision() {
    for status in [401, 403, 404] {
        let (service, _folder, server) = with_service(Reply::status(status), 60).await;
        assert_eq!(statuses(&server).await, [status]);
        assert_eq!(service.times_asked(), 1);
    }
    let (service, _folder, server) = with_service(Reply::status(204), 60).await;
    assert_eq!(statuses(&server).await, [200]);
    assert_eq!(service.times_asked(), 1);
    assert_eq!(server.status("/iiif/3/open.png/info.json").await, 200);
    assert_eq!(service.times_asked(), 1, "about those of its rules only");
}

/// Cold and warm: whatever is in the caches, the decision goes first.
#[tokio::test]
async fn a_right_that_was_lost_is_lost_for_what_is_in_the_caches() {
    let (service, _folder, server) = with_service(Reply::status(403), 0).await;
    assert_eq!(statuses(&server).await, [403]);
    service.answers(Reply::status(204));
    assert_eq!(statuses(&server).await, [200]);
    let tag = server.get(TILE).await.header("etag").unwrap().to_owned();
    service.answers(Reply::status(403));
    assert_eq!(statuses(&server).await, [403]);
    let headers = [("if-none-match", &*tag)];
    assert_eq!(server.send(Method::GET, TILE, &headers).await.status, 403);
    service.answers(Reply::status(500));
    assert_eq!(statuses(&server).await, [503]);
}

#[tokio::test]
async fn while_it_is_down_nobody_is_let_in() {
    let (service, _folder, server) = with_service(Reply::status(500), 60).await;
    let answer = server.get(TILE).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("retry-after").is_some());
    service.answers(Reply::status(204));
    assert_eq!(server.status(TILE).await, 200, "it is not remembered");
}

#[tokio::test]
async fn it_leads_elsewhere() {
    const LOGIN: &str = "https://id.example.org/login";
    let reply = Reply::status(302).with("location", LOGIN);
    let (_service, _folder, server) = with_service(reply, 60).await;
    for path in ALL {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 302, "{path}");
        assert_eq!(answer.header("location"), Some(LOGIN));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn it_shows_a_smaller_version() {
    let reply = Reply::json(json!({"allow": true, "largest": 40}));
    let (_service, _folder, server) = with_service(reply, 60).await;
    assert_ne!(server.status(TILE).await, 200);
    let smaller = server.json(&INFO.replace("x.png", "x.png;max40")).await;
    assert_eq!(
        smaller["width"].as_u64().max(smaller["height"].as_u64()),
        Some(40)
    );
    assert_ne!(
        server.status(&INFO.replace("x.png", "x.png;max41")).await,
        200
    );
}

/// What is to be painted over is, or nothing is shown.
#[tokio::test]
async fn what_is_to_be_hidden_is_never_shown() {
    let redaction = json!({"region": "0,0,40,40", "color": "#123456"});
    let hidden = json!({"allow": true, "redactions": [redaction]});
    let unknown = json!({"allow": true, "overlays": ["unknown"]});
    let (service, _folder, server) = with_service(Reply::status(204), 0).await;
    let whole = server.get(TILE).await;
    let tag = whole.header("etag").unwrap().to_owned();
    let was = whole.picture();
    service.answers(Reply::json(&hidden));
    for headers in [&[][..], &[("if-none-match", &*tag)]] {
        let answer = server.send(Method::GET, TILE, headers).await;
        let picture = answer.picture();
        assert_eq!(picture.at(0, 0), [0x12, 0x34, 0x56, 255]);
        assert_eq!(picture.at(150, 100), was.at(150, 100));
    }
    service.answers(Reply::json(&unknown));
    assert_eq!(statuses(&server).await, [503]);
    service.answers(Reply::status(204));
    assert_eq!(
        server.get(TILE).await.body,
        whole.body,
        "they are not mixed"
    );
}

/// Nobody says for this server who is asking, for what.
#[tokio::test]
async fn it_is_told_by_this_server_who_asks_for_what() {
    let (service, _folder, server) = with_service(Reply::status(204), 60).await;
    let headers = [
        ("cookie", "session=1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-azulejo-identifier", "open.png"),
        ("x-original-uri", "/iiif/3/open.png/info.json"),
    ];
    let answer = server.send(Method::GET, TILE, &headers).await;
    assert_eq!(answer.status, 200);
    let told = service.last_headers();
    for (name, value) in [
        ("x-original-method", "GET"),
        ("x-original-uri", TILE),
        ("x-azulejo-identifier", "a/secret/x.png"),
        ("x-azulejo-request", "full/max/0/default.png"),
        ("x-forwarded-for", ""),
        ("cookie", "session=1"),
    ] {
        assert_eq!(
            told.get_all(name).iter().collect::<Vec<_>>(),
            [value],
            "{name}"
        );
    }
    assert!(!told.contains_key("forwarded"));
}

/// The path is another, the image is not.
#[tokio::test]
async fn no_spelling_leads_around_it() {
    let (service, _folder, server) = with_service(Reply::status(403), 60).await;
    for identifier in [
        "a%2Fsecret%2Fx",
        "a%2F%2Fsecret%2Fx.png",
        "%61%2fsecret%2fx.png",
        "a%2Fsecret%2Fx.png;max40",
    ] {
        let status = server
            .status(&format!("/iiif/3/{identifier}/info.json"))
            .await;
        assert_eq!(status, 403, "{identifier}");
    }
    assert!(service.times_asked() > 0);
}
