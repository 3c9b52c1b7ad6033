//! What every layer has to do, as a test. It clears the layer.

use bytes::Bytes;
use futures_util::future::{join, join_all};

use super::layer::{Layer, LayerError};
use super::{CacheKey, EntryKey};

/// Larger than any buffer on the way, and than a packet, a page or a pipe.
const BIG: usize = 5 << 20;

/// Panics where the layer does not do as [`Layer`] says.
pub(crate) async fn check(layer: &dyn Layer) {
    layer.clear().await.unwrap();
    finds_what_was_put(layer).await;
    replaces(layer).await;
    removes_one_entry(layer).await;
    purges_one_image(layer).await;
    puts_again_after_a_purge(layer).await;
    keeps_every_byte(layer).await;
    never_mixes(layer).await;
    clears(layer).await;
}

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey {
        image: CacheKey::new(&["contract", image]),
        entry: CacheKey::new(&["contract", entry]),
    }
}

async fn put(layer: &dyn Layer, key: &EntryKey, record: &'static [u8]) {
    layer.put(key, Bytes::from_static(record)).await.unwrap();
}

async fn get(layer: &dyn Layer, key: &EntryKey) -> Option<Bytes> {
    layer.get(key).await.unwrap()
}

async fn finds_what_was_put(layer: &dyn Layer) {
    let found = key("found", "1");
    assert_eq!(get(layer, &found).await, None);
    put(layer, &found, b"a record").await;
    assert_eq!(get(layer, &found).await.as_deref(), Some(&b"a record"[..]));
    for other in [key("found", "2"), key("other", "1")] {
        assert_eq!(get(layer, &other).await, None);
    }
}

async fn replaces(layer: &dyn Layer) {
    let key = key("replaced", "1");
    for record in [&b"a long record"[..], b"short", b"longer than both"] {
        put(layer, &key, record).await;
        assert_eq!(get(layer, &key).await.as_deref(), Some(record));
    }
}

async fn removes_one_entry(layer: &dyn Layer) {
    let (gone, stays) = (key("removed", "1"), key("removed", "2"));
    put(layer, &gone, b"goes").await;
    put(layer, &stays, b"stays").await;
    layer.remove(&gone).await.unwrap();
    assert_eq!(get(layer, &gone).await, None);
    assert!(get(layer, &stays).await.is_some());
    layer.remove(&gone).await.expect("there is nothing to do");
}

async fn purges_one_image(layer: &dyn Layer) {
    let purged = ["1", "2", "3"].map(|entry| key("purged", entry));
    let stays = key("not purged", "1");
    for key in purged.iter().chain([&stays]) {
        put(layer, key, b"record").await;
    }
    layer.purge(&purged[0].image).await.unwrap();
    for key in &purged {
        assert_eq!(get(layer, key).await, None);
    }
    assert!(get(layer, &stays).await.is_some());
    let unknown = CacheKey::new(&["contract", "never put"]);
    layer.purge(&unknown).await.expect("there is nothing to do");
}

async fn puts_again_after_a_purge(layer: &dyn Layer) {
    let (first, second) = (key("again", "1"), key("again", "2"));
    for round in [&b"round 1"[..], b"round 2", b"round 3"] {
        put(layer, &first, round).await;
        assert_eq!(get(layer, &first).await.as_deref(), Some(round));
        assert_eq!(get(layer, &second).await, None);
        layer.purge(&first.image).await.unwrap();
        assert_eq!(get(layer, &first).await, None);
    }
}

async fn keeps_every_byte(layer: &dyn Layer) {
    let numbers = (0..BIG).map(|at| (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56);
    let big: Bytes = numbers.map(|number| number as u8).collect();
    for (name, record) in [("big", big), ("empty", Bytes::new())] {
        let key = key(name, "1");
        layer.put(&key, record.clone()).await.unwrap();
        let found = get(layer, &key).await;
        assert!(found == Some(record), "{name}: other bytes came back");
    }
}

/// Many write and read one entry at once: each reader sees what one of the writers wrote.
async fn never_mixes(layer: &dyn Layer) {
    let key = key("mixed", "1");
    layer.put(&key, one_of(0)).await.unwrap();
    let writers = (0..8).map(async |writer| {
        for round in 0..4 {
            let put = layer.put(&key, one_of(writer * 4 + round)).await;
            // As somebody is looking it up just now.
            assert!(matches!(put, Ok(()) | Err(LayerError::NotTried)), "{put:?}");
        }
    });
    let readers = (0..8).map(async |_| {
        for _ in 0..16 {
            let found = get(layer, &key).await.expect("it was there all the time");
            assert!(found == one_of(found[0]), "a mixture was read");
        }
    });
    join(join_all(writers), join_all(readers)).await;
}

/// A record that says in each byte, and by its length, which one it is.
fn one_of(number: u8) -> Bytes {
    vec![number; 100_000 + 10_000 * usize::from(number)].into()
}

async fn clears(layer: &dyn Layer) {
    let keys = ["1", "2"].map(|image| key(image, "cleared"));
    for key in &keys {
        put(layer, key, b"record").await;
    }
    layer.clear().await.unwrap();
    for key in &keys {
        assert_eq!(get(layer, key).await, None);
    }
    put(layer, &keys[0], b"after").await;
    assert!(get(layer, &keys[0]).await.is_some());
    layer.clear().await.unwrap();
}
