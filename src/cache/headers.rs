//! Opened images: their headers are read and their files are open.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::report::{Count, Kept};
use crate::decode::Decoder;
use crate::page::Page;
use crate::source::{Object, Stamp};

/// Each keeps a file open, of which a process may have a thousand.
const MOST_FILES: u64 = 400;
/// A file that was deleted takes space on the disk as long as it is open.
const UNUSED: Duration = Duration::from_secs(60);

/// The images that were used last. One that changes is another image: it has another stamp.
pub struct Headers {
    cache: Cache<(String, Stamp, Page), Entry>,
    hits: Count,
    misses: Count,
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

impl Headers {
    /// At most so many bytes of all: offsets of tiles, colour profiles, and code-blocks of JPEG 2000.
    pub fn new(most: u64) -> Self {
        Self::closing(most, UNUSED)
    }

    /// Images that nobody asks for are closed after so long.
    fn closing(most: u64, unused: Duration) -> Self {
        let cache = Cache::builder()
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(most)
            .time_to_idle(unused)
            .weigher(move |_, entry: &Entry| weight(entry.memory, most))
            .build();
        Self {
            cache,
            hits: Count::default(),
            misses: Count::default(),
        }
    }

    /// Closes what nobody has asked for any more. Without it that waits for the next who asks for anything.
    pub fn close_unused(&self) {
        self.cache.run_pending_tasks();
    }

    pub fn get(&self, object: &Object) -> Option<Arc<dyn Decoder>> {
        let decoder = self.recounted(object)?;
        self.hits.add_one();
        Some(decoder)
    }

    /// Counts what the decoder has found out since. What it learns for the last who asks would not count otherwise.
    pub fn recount(&self, object: &Object) {
        self.recounted(object);
    }

    fn recounted(&self, object: &Object) -> Option<Arc<dyn Decoder>> {
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
        self.misses.add_one();
        let entry = Entry::new(Arc::from(decoder));
        let kept = self.cache.entry(key(object)).or_insert(entry);
        kept.into_value().decoder
    }

    pub fn report(&self) -> Kept {
        let sizes = self.cache.iter().map(|(_, entry)| entry.memory);
        let (entries, bytes) = sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
        Kept {
            name: "headers",
            entries,
            bytes,
            hits: self.hits.get(),
            misses: self.misses.get(),
        }
    }
}

fn key(object: &Object) -> (String, Stamp, Page) {
    (object.location.clone(), object.stamp, object.page)
}

/// So that as many as there may be open files fill the cache.
fn weight(bytes: u64, most: u64) -> u32 {
    let weight = bytes.max(most / MOST_FILES).max(1);
    u32::try_from(weight).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::config::Config;
    use crate::decode::{DecodeError, Header, Limits, Window};
    use crate::raster::Raster;
    use crate::source::{Filesystem, Source};

    struct Growing {
        inner: Box<dyn Decoder>,
        memory: Arc<AtomicU64>,
    }

    impl Decoder for Growing {
        fn header(&self) -> &Header {
            self.inner.header()
        }

        fn memory(&self) -> u64 {
            self.memory.load(Ordering::Relaxed)
        }

        fn read_ahead(&self, window: &Window) -> Result<(), DecodeError> {
            self.inner.read_ahead(window)
        }

        fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
            self.inner.decode(window)
        }
    }

    /// Else documents would stay open in their processes for as long as a server has nothing to do.
    #[test]
    fn what_nobody_asks_for_is_closed() {
        let mut config = Config::default();
        config.source.root = "fixtures/images".into();
        let files = Filesystem::new(&config.source).unwrap();
        let object = files.find("chart.png").unwrap();
        let input = files.open(&object).unwrap();
        let headers = Headers::closing(1 << 20, Duration::from_millis(10));
        let opened = crate::decode::open(input, &Limits::default()).unwrap();
        let decoder = Arc::downgrade(&headers.keep(&object, opened));
        // The cache may let go of it a little later than it forgets it.
        for _ in 0..500 {
            headers.close_unused();
            if decoder.strong_count() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it is still open");
    }

    /// Else a few images with long indexes would fill the memory.
    #[test]
    fn what_a_decoder_learns_counts() {
        let mut config = Config::default();
        config.source.root = "fixtures/images".into();
        let files = Filesystem::new(&config.source).unwrap();
        let object = files.find("chart.png").unwrap();
        let input = files.open(&object).unwrap();
        let memory = Arc::new(AtomicU64::new(1));
        let decoder = Growing {
            inner: crate::decode::open(input, &Limits::default()).unwrap(),
            memory: Arc::clone(&memory),
        };
        let most = 1 << 20;
        let headers = Headers::new(most);
        assert!(headers.get(&object).is_none());
        headers.keep(&object, Box::new(decoder));
        memory.store(most / 4, Ordering::Relaxed);
        headers.recount(&object);
        assert_eq!(headers.report().bytes, most / 4);
        memory.store(most / 2, Ordering::Relaxed);
        assert!(headers.get(&object).is_some());
        headers.cache.run_pending_tasks();
        assert_eq!(headers.cache.weighted_size(), most / 2);
        let report = headers.report();
        assert_eq!((report.entries, report.bytes), (1, most / 2));
        assert_eq!((report.hits, report.misses), (1, 1));
        memory.store(2 * most, Ordering::Relaxed);
        assert!(headers.get(&object).is_some());
        headers.cache.run_pending_tasks();
        assert!(headers.get(&object).is_none(), "too large to be kept");
    }
}
