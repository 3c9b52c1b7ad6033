//! Opened images: their headers are read and their files are open.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::decode::Decoder;
use crate::source::{Object, Stamp};

/// Bytes of all headers: offsets of tiles, colour profiles.
const MOST_BYTES: u64 = 128 << 20;
/// Each keeps a file open, of which a process may have a thousand.
const MOST_FILES: u64 = 400;
/// A file that was deleted takes space on the disk as long as it is open.
const UNUSED: Duration = Duration::from_secs(60);

/// The images that were used last. One that changes is another image: it has another stamp.
pub struct Headers {
    cache: Cache<(String, Stamp), Entry>,
}

#[derive(Clone)]
struct Entry {
    decoder: Arc<dyn Decoder>,
    /// Bytes, when it was put here.
    memory: u64,
}

impl Entry {
    fn new(decoder: Arc<dyn Decoder>) -> Self {
        let memory = decoder.memory();
        Self { decoder, memory }
    }

    /// Decoders learn more of their image with every window.
    fn has_grown(&self) -> bool {
        self.decoder.memory() > self.memory + self.memory / 2
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self::new()
    }
}

impl Headers {
    pub fn new() -> Self {
        let cache = Cache::builder()
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(MOST_BYTES)
            .time_to_idle(UNUSED)
            .weigher(|_, entry: &Entry| weight(entry.memory))
            .build();
        Self { cache }
    }

    pub fn get(&self, object: &Object) -> Option<Arc<dyn Decoder>> {
        let key = key(object);
        let entry = self.cache.get(&key)?;
        let decoder = Arc::clone(&entry.decoder);
        if entry.has_grown() {
            self.cache.insert(key, Entry::new(entry.decoder));
        }
        Some(decoder)
    }

    /// Keeps an opened image, and returns it, or the one that somebody else has opened meanwhile.
    pub fn keep(&self, object: &Object, decoder: Box<dyn Decoder>) -> Arc<dyn Decoder> {
        let entry = Entry::new(Arc::from(decoder));
        let kept = self.cache.entry(key(object)).or_insert(entry);
        kept.into_value().decoder
    }
}

fn key(object: &Object) -> (String, Stamp) {
    (object.location.clone(), object.stamp)
}

/// So that as many as there may be open files fill the cache.
fn weight(bytes: u64) -> u32 {
    let weight = bytes.max(MOST_BYTES / MOST_FILES);
    u32::try_from(weight).unwrap_or(u32::MAX)
}
