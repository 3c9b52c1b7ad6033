//! The first layer: entries in the memory of this process.

use std::sync::Arc;
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::sync::Cache;

use super::entry::{Entry, EntryKey};
use super::generations::Generation;
use super::layer::Usage;
use super::report::Count;

/// What an entry takes besides its body: key, counters, the allocator's rounding.
const OVERHEAD: usize = 200;

/// Bounded in bytes; what is asked for seldom goes first. Entries of ended generations are not found any more, and go with
/// time.
pub struct Memory {
    cache: Cache<(EntryKey, Generation), Entry>,
    evictions: Arc<Count>,
}

impl Memory {
    /// Of at most so many bytes; entries are kept for so long.
    pub fn new(bytes: u64, ttl: Option<Duration>) -> Self {
        let evictions = Arc::new(Count::default());
        let evicted = Arc::clone(&evictions);
        let cache = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, entry: &Entry| {
                u32::try_from(entry.body.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.add_one();
                }
            });
        let cache = match ttl {
            Some(ttl) => cache.time_to_live(ttl),
            None => cache,
        };
        Self {
            cache: cache.build(),
            evictions,
        }
    }

    pub fn get(&self, key: &EntryKey, generation: Generation) -> Option<Entry> {
        self.cache.get(&(*key, generation))
    }

    pub fn put(&self, key: &EntryKey, generation: Generation, entry: Entry) {
        self.cache.insert((*key, generation), entry);
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
            evictions: Some(self.evictions.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::cache::generations::Generations;

    fn key(entry: &str) -> EntryKey {
        EntryKey::sample("image", entry)
    }

    fn entry(length: usize) -> Entry {
        Entry::new(Bytes::from(vec![7; length]))
    }

    #[test]
    fn entries_of_another_generation_are_not_found() {
        let memory = Memory::new(1 << 20, None);
        let generations = Generations::default();
        let key = key("a");
        let first = generations.of(&key.image);
        memory.put(&key, first, entry(10));
        assert!(memory.get(&key, first).is_some());
        drop(generations.purge(Some(key.image)));
        assert_eq!(memory.get(&key, generations.of(&key.image)), None);
    }

    #[test]
    fn no_more_is_held_than_the_bound() {
        let memory = Memory::new(100_000, None);
        let generation = Generations::default().of(&key("a").image);
        for number in 0..100 {
            memory.put(&key(&number.to_string()), generation, entry(10_000));
        }
        let usage = memory.usage();
        assert!(usage.bytes.unwrap() <= 100_000 && usage.entries.unwrap() > 0);
        assert!(usage.evictions.unwrap() > 0);
        memory.clear();
        assert_eq!(memory.usage().entries, Some(0));
    }
}
