//! The first layer: entries in the memory of this process.

use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::sync::Cache;
use std::sync::Arc;

use super::CacheKey;
use super::entry::{Entry, EntryKey};
use super::layer::Usage;

/// What an entry takes besides its body: key, counters, the allocator's rounding.
const OVERHEAD: usize = 200;

/// Bounded in bytes; what is asked for seldom goes first.
pub struct Memory {
    cache: Cache<(EntryKey, u64), Entry>,
    generations: RwLock<Generations>,
    evictions: Arc<AtomicU64>,
}

/// Counts the purges: entries of an earlier generation are not found any more and are evicted with time.
#[derive(Default)]
struct Generations {
    all: u64,
    images: HashMap<CacheKey, u64>,
}

impl Memory {
    /// Of at most so many bytes; entries are kept for so long.
    pub fn new(bytes: u64, ttl: Option<Duration>) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&evictions);
        let cache = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, entry: &Entry| {
                u32::try_from(entry.body.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        let cache = match ttl {
            Some(ttl) => cache.time_to_live(ttl),
            None => cache,
        };
        Self {
            cache: cache.build(),
            generations: RwLock::default(),
            evictions,
        }
    }

    pub fn get(&self, key: &EntryKey) -> Option<Entry> {
        self.cache.get(&self.current(key))
    }

    pub fn put(&self, key: &EntryKey, entry: Entry) {
        self.cache.insert(self.current(key), entry);
    }

    /// Forgets all entries of an image.
    pub fn purge(&self, image: CacheKey) {
        let mut generations = self.generations.write().unwrap_or_else(|e| e.into_inner());
        generations.all += 1;
        let next = generations.all;
        generations.images.insert(image, next);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.cache.invalidate_all();
    }

    pub fn usage(&self) -> Usage {
        self.cache.run_pending_tasks();
        Usage {
            entries: Some(self.cache.entry_count()),
            bytes: Some(self.cache.weighted_size()),
            evictions: Some(self.evictions.load(Ordering::Relaxed)),
        }
    }

    fn current(&self, key: &EntryKey) -> (EntryKey, u64) {
        let generations = self.generations.read().unwrap_or_else(|e| e.into_inner());
        let generation = generations.images.get(&key.image).copied();
        (*key, generation.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn key(image: &str, entry: &str) -> EntryKey {
        EntryKey {
            image: CacheKey::new(&[image]),
            entry: CacheKey::new(&[entry]),
        }
    }

    fn entry(length: usize) -> Entry {
        Entry::new(Bytes::from(vec![7; length]))
    }

    #[test]
    fn a_purge_forgets_one_image_and_what_is_put_afterwards_is_found() {
        let memory = Memory::new(1 << 20, None);
        let (a, b) = (key("a", "1"), key("b", "1"));
        memory.put(&a, entry(10));
        memory.put(&b, entry(10));
        memory.purge(a.image);
        assert_eq!(memory.get(&a), None);
        assert!(memory.get(&b).is_some());
        memory.put(&a, entry(11));
        assert_eq!(memory.get(&a).unwrap().body.len(), 11);
        memory.clear();
        assert!(memory.get(&a).is_none() && memory.get(&b).is_none());
    }

    #[test]
    fn no_more_is_held_than_the_bound() {
        let memory = Memory::new(100_000, None);
        for number in 0..100 {
            memory.put(&key("a", &number.to_string()), entry(10_000));
        }
        let usage = memory.usage();
        assert!(usage.bytes.unwrap() <= 100_000 && usage.entries.unwrap() > 0);
        assert!(usage.evictions.unwrap() > 0);
    }
}
