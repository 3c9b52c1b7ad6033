//! The layer over a server that speaks like S3, and over one that is a map.

#[path = "../../../tests/common/s3_server.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod s3_server;

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;
use tokio::time::timeout;

use self::s3_server::{KEY_ID, Mood, S3Server};
use super::*;
use crate::cache::contract;

const RECORD: &[u8] = b"a record";

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey::sample(image, entry)
}

async fn put(layer: &Objects, key: &EntryKey) {
    layer.put(key, Bytes::from_static(RECORD)).await.unwrap();
}

async fn is_found(layer: &Objects, key: &EntryKey) -> bool {
    layer.get(key).await.unwrap().is_some()
}

async fn paths(store: &InMemory) -> Vec<Path> {
    let objects = store.list(None).map_ok(|object| object.location);
    objects.try_collect().await.unwrap()
}

/// As the settings make it, with credentials that need no environment.
fn over(server: &S3Server) -> Objects {
    let config = ObjectsConfig {
        url: Some(server.url().parse().unwrap()),
        endpoint: Some(server.endpoint().to_owned()),
        ..ObjectsConfig::default()
    };
    let credentials = AmazonS3Builder::new()
        .with_access_key_id(KEY_ID)
        .with_secret_access_key("secret");
    let store = connect::build(credentials, config.url.as_ref().unwrap(), &config);
    Objects::new(store.unwrap())
}

#[tokio::test]
async fn it_does_what_every_layer_has_to() {
    contract::check(&Objects::new(InMemory::new())).await;
    let server = S3Server::start().await;
    contract::check(&over(&server)).await;
    server.assert_no_complaints();
    assert!(
        server
            .objects()
            .keys()
            .all(|name| name.starts_with("a/prefix/"))
    );
}

/// A connection for each of what is asked at once, and no more.
#[tokio::test]
async fn connections_are_used_again() {
    let server = S3Server::start().await;
    let layer = over(&server);
    for number in 0..50 {
        let key = key("image", &number.to_string());
        assert!(!is_found(&layer, &key).await);
        put(&layer, &key).await;
        assert!(is_found(&layer, &key).await);
        layer.remove(&key).await.unwrap();
    }
    let (requests, connections) = (server.requests(), server.connections());
    assert!(requests >= 50 * 10, "{requests} requests");
    assert!(connections <= 6, "{connections} connections");
}

#[tokio::test]
async fn a_store_that_fails_is_asked_once_and_an_error() {
    let server = S3Server::start().await;
    let layer = over(&server);
    let key = key("image", "1");
    put(&layer, &key).await;
    for mood in [Mood::IsBusy, Mood::Refuses, Mood::Tears] {
        let before = server.requests();
        server.becomes(mood);
        assert!(layer.get(&key).await.is_err(), "{mood:?}");
        assert!(server.requests() <= before + 3, "{mood:?}: tried again");
    }
    for mood in [Mood::IsBusy, Mood::Refuses] {
        server.becomes(mood);
        let record = Bytes::from_static(RECORD);
        assert!(layer.put(&key, record).await.is_err(), "{mood:?}");
        assert!(layer.remove(&key).await.is_err(), "{mood:?}");
        assert!(layer.purge(&key.image).await.is_err(), "{mood:?}");
        assert!(layer.clear().await.is_err(), "{mood:?}");
    }
    server.becomes(Mood::Well);
    assert!(is_found(&layer, &key).await);
}

/// Nothing that one waited for in vain is in the way of what comes after it.
#[tokio::test]
async fn a_store_that_was_silent_is_used_again() {
    let server = S3Server::start().await;
    let layer = over(&server);
    let key = key("image", "1");
    put(&layer, &key).await;
    for mood in [Mood::Hangs, Mood::Stalls] {
        server.becomes(mood);
        for _ in 0..3 {
            let asked = timeout(Duration::from_millis(100), layer.get(&key));
            assert!(asked.await.is_err(), "{mood:?}: it is silent");
            let record = Bytes::from_static(RECORD);
            let _ = timeout(Duration::from_millis(100), layer.put(&key, record)).await;
        }
        server.becomes(Mood::Well);
        let found = timeout(Duration::from_secs(60), layer.get(&key)).await;
        assert!(found.unwrap().unwrap().is_some(), "{mood:?}");
        put(&layer, &key).await;
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error() {
    let server = S3Server::start().await;
    let layer = over(&server);
    drop(server);
    tokio::task::yield_now().await;
    let got = timeout(Duration::from_secs(60), layer.get(&key("image", "1"))).await;
    assert!(got.unwrap().is_err());
}

#[tokio::test]
async fn an_object_that_is_too_large_is_not_read() {
    let server = S3Server::start().await;
    let layer = over(&server);
    let key = key("image", "1");
    put(&layer, &key).await;
    for object in server.objects().values_mut() {
        *object = vec![0; LARGEST as usize + 1].into();
    }
    assert!(layer.get(&key).await.is_err());
}

/// The first requests for an image come at once: each is kept.
#[tokio::test]
async fn entries_that_are_the_first_of_their_image_do_not_lose_each_other() {
    let server = S3Server::start().await;
    server.becomes(Mood::IsSlow(Duration::from_millis(20)));
    let layer = over(&server);
    let keys: Vec<_> = (0..16).map(|tile| key("new", &tile.to_string())).collect();
    join_all(keys.iter().map(|key| put(&layer, key))).await;
    for key in &keys {
        assert!(is_found(&layer, key).await);
    }
}

/// Also by one that has just asked for them.
#[tokio::test]
async fn what_one_node_purges_no_node_finds() {
    let store = Arc::new(InMemory::new());
    let node = || Objects::new(Arc::clone(&store));
    let (one, other) = (node(), node());
    let (key, stays) = (key("image", "1"), key("other", "1"));
    put(&one, &key).await;
    put(&one, &stays).await;
    assert!(is_found(&one, &key).await && is_found(&other, &key).await);
    one.purge(&key.image).await.unwrap();
    assert!(!is_found(&one, &key).await && !is_found(&other, &key).await);
    assert!(is_found(&other, &stays).await);
    put(&other, &key).await;
    assert!(is_found(&one, &key).await);
    other.clear().await.unwrap();
    for node in [&one, &other] {
        assert!(!is_found(node, &key).await && !is_found(node, &stays).await);
    }
}

#[tokio::test]
async fn a_lost_generation_brings_nothing_back() {
    let store = Arc::new(InMemory::new());
    let layer = Objects::new(Arc::clone(&store));
    let (old, new) = (key("image", "old"), key("image", "new"));
    put(&layer, &old).await;
    let all = paths(&store).await;
    let numbers = all
        .iter()
        .filter(|path| path.as_ref().starts_with("generation"));
    for at in numbers {
        let number = store.get(at).await.unwrap().bytes().await.unwrap();
        for wrong in [&b""[..], b"short", b"longer than a number can be"] {
            let wrong = Bytes::from_static(wrong);
            store.put(at, wrong.into()).await.unwrap();
            assert!(!is_found(&layer, &old).await, "{at}");
        }
        store.delete(at).await.unwrap();
        put(&layer, &new).await;
        assert!(is_found(&layer, &new).await, "{at}");
        assert!(!is_found(&layer, &old).await, "{at}");
        store.put(at, number.into()).await.unwrap();
    }
    assert!(is_found(&layer, &old).await, "it was there all the time");
    assert_eq!(all.len(), 3);
}

#[test]
fn without_a_url_there_is_no_layer() {
    assert!(Objects::open(&ObjectsConfig::default()).unwrap().is_none());
}
