//! A far layer as the server sees it: it answers in time, and it cannot do harm.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::time::{Instant, timeout};

use super::entry::{Entry, EntryKey};
use super::layer::{Layer, LayerError, Pending};
use super::report::{Counts, LayerReport};
use super::{CacheKey, seal};
use crate::breaker::Breaker;

/// Entries are written behind the answers; as many as wait may have so many bytes together.
const MOST_WAITING_KIBIBYTES: u32 = 64 << 10;
/// Nobody waits for a write, a removal or a purge to answer a request.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// How a layer is used.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long a look-up may take.
    pub limit: Duration,
    /// How old an entry may be.
    pub ttl: Option<Duration>,
    /// How many entries are written at once.
    pub writes: usize,
}

/// A layer with a time limit, a breaker each for reading and writing, a bounded queue for what is to be written, and counts.
pub struct Guarded {
    layer: Box<dyn Layer>,
    policy: Policy,
    reading: Breaker,
    writing: Breaker,
    counts: Counts,
    /// KiB of entries that wait to be written.
    waiting: Arc<Semaphore>,
    turns: Semaphore,
    /// Held by those who write an entry.
    under_way: RwLock<()>,
}

impl Guarded {
    pub fn new(layer: Box<dyn Layer>, policy: Policy) -> Self {
        let name = layer.name();
        Self {
            layer,
            policy,
            reading: Breaker::new(name, "read"),
            writing: Breaker::new(name, "write"),
            counts: Counts::default(),
            waiting: Arc::new(Semaphore::new(MOST_WAITING_KIBIBYTES as usize)),
            turns: Semaphore::new(policy.writes),
            under_way: RwLock::default(),
        }
    }

    pub fn name(&self) -> &'static str {
        self.layer.name()
    }

    /// The entry, if the layer has it, it is sound and not too old. A failing layer has nothing.
    pub async fn get(self: &Arc<Self>, key: &EntryKey) -> Option<Entry> {
        let start = Instant::now();
        let record = self.read(self.layer.get(key)).await?;
        self.counts.took(start.elapsed());
        let entry = record.and_then(|record| self.opened(key, &record));
        let count = match entry {
            Some(_) => &self.counts.hits,
            None => &self.counts.misses,
        };
        count.add_one();
        entry
    }

    fn opened(self: &Arc<Self>, key: &EntryKey, record: &Bytes) -> Option<Entry> {
        let entry = seal::unseal(key, record);
        if entry.is_none() {
            self.counts.corrupt.add_one();
        }
        let is_fresh = |entry: &Entry| self.policy.ttl.is_none_or(|ttl| entry.age() < ttl);
        let entry = entry.filter(is_fresh);
        if entry.is_none() {
            self.remove_later(*key);
        }
        entry
    }

    fn remove_later(self: &Arc<Self>, key: EntryKey) {
        let this = Arc::clone(self);
        tokio::spawn(async move { this.remove(&key).await });
    }

    pub async fn remove(&self, key: &EntryKey) {
        self.write(self.layer.remove(key)).await;
    }

    /// A place in the queue for an entry of this length; `None` if it is full or the layer does not take anything.
    pub fn place(&self, length: usize) -> Option<Place> {
        if !self.writing.would_let_through() {
            self.counts.skipped.add_one();
            return None;
        }
        let kibibytes = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.waiting).try_acquire_many_owned(kibibytes.max(1));
        if permit.is_err() {
            self.counts.dropped.add_one();
        }
        permit.ok().map(Place)
    }

    /// Writes an entry when it is its turn, if it `is_wanted` then and when it is written; else nothing is left of it.
    pub async fn put(
        &self,
        key: &EntryKey,
        entry: &Entry,
        _place: Place,
        is_wanted: impl Fn() -> bool,
    ) {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let _under_way = self.under_way.read().await;
        if !is_wanted() {
            return;
        }
        if !self.writing.lets_through() {
            self.counts.skipped.add_one();
            return;
        }
        if self
            .write(self.layer.put(key, seal::seal(key, entry)))
            .await
        {
            self.counts.stored.add_one();
        }
        if !is_wanted() {
            self.remove(key).await;
        }
    }

    /// Those that are being written come first: they appear before the purge or not at all, as who gives up a write takes it
    /// back.
    async fn writes_under_way(&self) {
        let _ = timeout(WRITE_LIMIT, self.under_way.write()).await;
    }

    /// # Errors
    /// If it is not sure that the entries are gone.
    pub async fn purge(&self, image: Option<&CacheKey>) -> Result<(), LayerError> {
        self.writes_under_way().await;
        let purged = match image {
            Some(image) => within(WRITE_LIMIT, self.layer.purge(image)).await,
            None => within(WRITE_LIMIT, self.layer.clear()).await,
        };
        purged.inspect_err(|error| {
            self.counts.errors.add_one();
            self.writing.failed(error);
        })
    }

    /// Forgets what this node alone has of an image, or of all.
    pub async fn hear(&self, image: Option<&CacheKey>) {
        let Some(hearing) = self.layer.hear(image) else {
            return;
        };
        self.writes_under_way().await;
        self.write(hearing).await;
    }

    /// Whether this node makes an entry, if the layer is shared with others; `None` if there is nobody to ask.
    pub async fn lease(self: &Arc<Self>, key: &EntryKey, time: Duration) -> Option<Option<Lease>> {
        let is_ours = self.read(self.layer.leases()?.take(key, time)).await?;
        Some(is_ours.then(|| Lease {
            layer: Arc::clone(self),
            key: *key,
        }))
    }

    /// Waits until everything that waits is written.
    pub async fn settle(&self) {
        let _all = self.waiting.acquire_many(MOST_WAITING_KIBIBYTES).await;
    }

    pub fn report(&self) -> LayerReport {
        let is_up = self.reading.is_closed() && self.writing.is_closed();
        self.counts.report(self.name(), is_up, self.layer.usage())
    }

    /// The answer of an operation that somebody waits for.
    async fn read<T>(&self, operation: Pending<'_, T>) -> Option<T> {
        if !self.reading.lets_through() {
            self.counts.skipped.add_one();
            return None;
        }
        let result = within(self.policy.limit, operation).await;
        self.note(&self.reading, &result);
        result.ok()
    }

    /// Whether an operation that nobody waits for has succeeded.
    async fn write(&self, operation: Pending<'_, ()>) -> bool {
        let result = within(WRITE_LIMIT, operation).await;
        self.note(&self.writing, &result);
        result.is_ok()
    }

    fn note<T>(&self, breaker: &Breaker, result: &Result<T, LayerError>) {
        match result {
            Ok(_) => breaker.succeeded(),
            Err(LayerError::NotTried) => self.counts.skipped.add_one(),
            Err(error) => {
                self.counts.errors.add_one();
                breaker.failed(error);
            }
        }
    }
}

async fn within<T>(limit: Duration, operation: Pending<'_, T>) -> Result<T, LayerError> {
    let result = timeout(limit, operation).await;
    result.unwrap_or(Err(LayerError::TimedOut(limit)))
}

/// A place in the queue of what is to be written.
pub struct Place(#[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit);

/// The right to make an entry that other nodes lack too; given back when it is dropped.
pub struct Lease {
    layer: Arc<Guarded>,
    key: EntryKey,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (layer, key) = (Arc::clone(&self.layer), self.key);
        tokio::spawn(async move {
            let Some(leases) = layer.layer.leases() else {
                return;
            };
            layer.write(leases.give_back(&key)).await;
        });
    }
}
