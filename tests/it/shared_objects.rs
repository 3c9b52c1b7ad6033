//! Two servers as processes with one object store between them, and what happens to it.

use std::time::Duration;

use reqwest::Method;

use crate::node::{NO_MEMORY, Node, Setting, survive};
use crate::redis_server::RedisServer;
use crate::s3_server::{KEY_ID, Mood, S3Server};

const REDIS_IS_SLOW: Setting = ("AZULEJO_CACHE__REDIS__TIMEOUT_MS", "10000");
/// Where nothing is broken, a busy machine must not look like it.
const SLOW: Setting = ("AZULEJO_CACHE__OBJECTS__TIMEOUT_MS", "60000");

/// What a node needs to use the store.
fn settings<'a>(endpoint: &'a str, url: &'a str) -> [Setting<'a>; 4] {
    [
        ("AZULEJO_CACHE__OBJECTS__URL", url),
        ("AZULEJO_CACHE__OBJECTS__ENDPOINT", endpoint),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ]
}

async fn node(server: &S3Server, more: &[Setting<'_>]) -> Node {
    let url = server.url();
    let settings = settings(server.endpoint(), &url);
    Node::start(&[&settings, more].concat()).await
}

#[tokio::test]
async fn what_one_server_made_the_other_has() {
    let server = S3Server::start().await;
    let a = node(&server, &[SLOW, NO_MEMORY]).await;
    let b = node(&server, &[SLOW, NO_MEMORY]).await;
    let made = a.get(50).await;
    assert_eq!(made.headers()["cache-status"], "azulejo; fwd=miss");
    a.has_stored("objects", 2).await;
    let found = b.get(50).await;
    assert_eq!(
        found.headers()["cache-status"],
        "azulejo; hit; detail=objects"
    );
    assert_eq!(found.headers()["etag"], made.headers()["etag"]);
    assert_eq!(found.bytes().await.unwrap(), made.bytes().await.unwrap());

    let told = b.admin(Method::GET, "/admin/cache").await;
    let told: serde_json::Value = serde_json::from_str(&told.text().await.unwrap()).unwrap();
    let layers = told["layers"].as_array().unwrap();
    let layer = layers.iter().find(|layer| layer["name"] == "objects");
    assert_eq!(layer.unwrap()["hits"], 2, "the header and the image");

    a.purge().await;
    assert_eq!(b.status(50).await, "azulejo; fwd=miss");
    server.assert_no_complaints();
}

/// Nothing that was purged comes back into the layers before this one.
#[tokio::test]
async fn a_purge_is_for_all_layers_of_all_servers() {
    let (server, redis) = (S3Server::start().await, RedisServer::start());
    let redis_url = redis.url();
    let more = [
        SLOW,
        REDIS_IS_SLOW,
        ("AZULEJO_CACHE__REDIS__URL", redis_url.as_str()),
    ];
    let a = node(&server, &more).await;
    let b = node(&server, &more).await;
    a.get(50).await;
    a.has_stored("objects", 2).await;
    a.has_stored("redis", 2).await;
    // As if they had gone to make room.
    for entry in redis.cli(&["KEYS", "*}:*"]).lines() {
        redis.cli(&["DEL", entry]);
    }
    assert_eq!(b.status(50).await, "azulejo; hit; detail=objects");
    b.has_stored("redis", 2).await;
    a.purge().await;
    b.eventually(50, "azulejo; fwd=miss").await;
}

async fn survives(mood: Mood) {
    let mut server = S3Server::start().await;
    let (endpoint, url) = (server.endpoint().to_owned(), server.url());
    let settings = settings(&endpoint, &url);
    let harm = |server: &mut S3Server| server.becomes(mood);
    let heal = |server: &mut S3Server| server.becomes(Mood::Well);
    survive(&mut server, ("objects", &settings), harm, heal).await;
    assert!(server.harmed() > 3, "it was asked meanwhile");
    server.assert_no_complaints();
}

#[tokio::test]
async fn a_store_that_hangs() {
    survives(Mood::Hangs).await;
}

#[tokio::test]
async fn a_store_that_stops_in_the_middle() {
    survives(Mood::Stalls).await;
}

#[tokio::test]
async fn a_store_that_is_busy() {
    survives(Mood::IsBusy).await;
}

#[tokio::test]
async fn a_store_that_wants_other_credentials() {
    survives(Mood::Refuses).await;
}

#[tokio::test]
async fn a_store_that_tears_bodies() {
    survives(Mood::Tears).await;
}

#[tokio::test]
async fn a_store_that_changes_bytes() {
    survives(Mood::Lies).await;
}

#[tokio::test]
async fn a_store_that_takes_longer_than_anybody_waits() {
    survives(Mood::IsSlow(Duration::from_secs(1))).await;
}

/// A dead store is no reason not to start.
#[tokio::test]
async fn a_store_that_does_not_work_yet() {
    let server = S3Server::start().await;
    server.becomes(Mood::Refuses);
    let node = node(&server, &[NO_MEMORY]).await;
    assert_eq!(node.status(50).await, "azulejo; fwd=miss");
    server.becomes(Mood::Well);
    node.eventually(50, "azulejo; hit; detail=objects").await;
}
