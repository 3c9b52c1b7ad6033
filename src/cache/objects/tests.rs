//! The layer over stores that are a map and a directory.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;

use super::*;
use crate::cache::contract;

const RECORD: &[u8] = b"a record";

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey {
        image: CacheKey::new(&[image]),
        entry: CacheKey::new(&[entry]),
    }
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

#[tokio::test]
async fn it_does_what_every_layer_has_to() {
    contract::check(&Objects::new(InMemory::new())).await;
    let folder = tempfile::tempdir().unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    contract::check(&Objects::new(PrefixStore::new(files, "a/prefix"))).await;
}

#[tokio::test]
async fn nodes_share_entries_and_purges() {
    let store = Arc::new(InMemory::new());
    let node = || Objects::new(Arc::clone(&store));
    let (one, other) = (node(), node());
    let key = key("image", "1");
    put(&one, &key).await;
    assert!(is_found(&other, &key).await);
    one.purge(&key.image).await.unwrap();
    assert!(!is_found(&one, &key).await);
    assert!(
        !is_found(&node(), &key).await,
        "a node that remembers nothing"
    );
    put(&one, &key).await;
    one.clear().await.unwrap();
    assert!(!is_found(&node(), &key).await);
}

#[tokio::test]
async fn a_lost_generation_brings_nothing_back() {
    let store = Arc::new(InMemory::new());
    let node = || Objects::new(Arc::clone(&store));
    let (old, new) = (key("image", "old"), key("image", "new"));
    put(&node(), &old).await;
    let kept = paths(&store).await;
    for at in kept
        .iter()
        .filter(|path| !path.as_ref().contains("entries"))
    {
        let generation = store.get(at).await.unwrap().bytes().await.unwrap();
        for wrong in [&b""[..], b"../../..", b"not a number"] {
            store
                .put(at, Bytes::from_static(wrong).into())
                .await
                .unwrap();
            assert!(!is_found(&node(), &old).await, "{at}");
        }
        store.delete(at).await.unwrap();
        let node = node();
        put(&node, &new).await;
        assert!(
            is_found(&node, &new).await && !is_found(&node, &old).await,
            "{at}"
        );
        store.put(at, generation.into()).await.unwrap();
    }
    assert!(is_found(&node(), &old).await, "it was there all the time");
}

#[tokio::test]
async fn what_a_node_remembers_of_a_purged_image_is_lost_with_it() {
    let store = Arc::new(InMemory::new());
    let (one, other) = (
        Objects::new(Arc::clone(&store)),
        Objects::new(Arc::clone(&store)),
    );
    let (first, second) = (key("image", "1"), key("image", "2"));
    put(&one, &first).await;
    one.purge(&first.image).await.unwrap();
    put(&other, &first).await;
    other.purge(&first.image).await.unwrap();
    put(&one, &second).await;
    assert!(!is_found(&Objects::new(store), &first).await);
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error() {
    let config = ObjectsConfig {
        url: Some("s3://bucket/prefix".to_owned()),
        options: [
            "endpoint=http://127.0.0.1:9",
            "allow_http=true",
            "skip_signature=true",
        ]
        .map(str::to_owned)
        .into(),
        ..ObjectsConfig::default()
    };
    let layer = Objects::open(&config).unwrap().unwrap();
    let limit = std::time::Duration::from_secs(5);
    let got = tokio::time::timeout(limit, layer.get(&key("image", "1"))).await;
    assert!(!matches!(got, Ok(Ok(_))));
}

#[test]
fn without_a_url_there_is_no_layer() {
    assert!(Objects::open(&ObjectsConfig::default()).unwrap().is_none());
}
