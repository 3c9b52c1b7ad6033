//! What layers do to each other.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::Semaphore;

use super::*;
use crate::cache::guarded::Policy;
use crate::cache::layer::{Layer, Pending, Usage};

/// A layer that is a map, and forgets when it may.
struct Map {
    name: &'static str,
    records: Mutex<HashMap<(CacheKey, CacheKey), Bytes>>,
    /// A permit is for one purge.
    may_forget: Semaphore,
}

impl Map {
    fn new(name: &'static str, purges: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            records: Mutex::default(),
            may_forget: Semaphore::new(purges),
        })
    }
}

impl Layer for Arc<Map> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>> {
        let records = self.records.lock().unwrap();
        let record = records.get(&(key.image, key.entry)).cloned();
        Box::pin(async { Ok(record) })
    }

    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()> {
        let mut records = self.records.lock().unwrap();
        records.insert((key.image, key.entry), record);
        Box::pin(async { Ok(()) })
    }

    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        let mut records = self.records.lock().unwrap();
        records.remove(&(key.image, key.entry));
        Box::pin(async { Ok(()) })
    }

    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        Box::pin(async move {
            self.may_forget.acquire().await.unwrap().forget();
            let mut records = self.records.lock().unwrap();
            records.retain(|key, _| key.0 != *image);
            Ok(())
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async { unreachable!("nobody asks for it here") })
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn guarded(map: &Arc<Map>) -> Guarded {
    let policy = Policy {
        limit: Duration::from_secs(5),
        ttl: None,
        writes: 1,
    };
    Guarded::new(Box::new(Arc::clone(map)), policy)
}

fn key() -> EntryKey {
    EntryKey {
        image: CacheKey::new(&["image"]),
        entry: CacheKey::new(&["entry"]),
    }
}

/// While one layer is forgetting an image, another one must not get it from there.
#[tokio::test]
async fn what_is_read_during_a_purge_does_not_outlive_it() {
    for slow in [0, 1] {
        let maps = [0, 1].map(|place| Map::new("map", usize::from(place != slow)));
        let layers = Layers::new(None, maps.iter().map(guarded).collect());
        layers.keep(layers.ticket(key()), Bytes::from_static(b"a tile"));
        layers.settle().await;
        // Only the farther one has it.
        maps[0].records.lock().unwrap().clear();

        let purging = layers.clone();
        let purge = tokio::spawn(async move { purging.purge(Some(key().image)).await });
        tokio::task::yield_now().await;
        let _ = layers.far(key()).await;
        layers.settle().await;
        maps[slow].may_forget.add_permits(1);
        purge.await.unwrap().unwrap();
        assert!(layers.far(key()).await.is_err(), "layer {slow} is slow");
    }
}
