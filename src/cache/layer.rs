//! What lies behind the memory: layers that are slow, shared with others, and may fail.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use super::{CacheKey, EntryKey};

/// An operation of a layer under way. It may be dropped at any time: then its effect is not known.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, LayerError>> + Send + 'a>>;

/// Keeps records ([`super::seal`]) under their keys. Whatever it answers is checked by the caller, and it may forget
/// everything at any time. Time limits and retries are the caller's: an implementation fails soon and once.
pub trait Layer: Send + Sync {
    /// In a word, for logs and metrics.
    fn name(&self) -> &'static str;

    /// The record of an entry, if there is one of the image's current generation.
    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>>;

    /// Keeps a record, in place of any other under this key. It is seen as a whole or not at all.
    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()>;

    /// Forgets one entry.
    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()>;

    /// Forgets all entries of an image: no later [`get`](Self::get) finds one that was put before. At a cost that does not
    /// grow with their number.
    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()>;

    /// Forgets everything.
    fn clear(&self) -> Pending<'_, ()>;

    /// Forgets what no other node has of an image, or of all: another node has purged it from what they share. `None` if there
    /// is no such thing.
    fn hear<'a>(&'a self, _image: Option<&'a CacheKey>) -> Option<Pending<'a, ()>> {
        None
    }

    /// What it holds, as far as it knows without looking.
    fn usage(&self) -> Usage;

    /// Agreement with other nodes on who makes an entry, if the layer is shared with any.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }
}

/// Which node makes an entry that all lack.
pub trait Leases: Send + Sync {
    /// Whether this node is the one, for so long.
    fn take<'a>(&'a self, key: &'a EntryKey, time: Duration) -> Pending<'a, bool>;

    /// Ends a lease that this node holds.
    fn give_back<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()>;
}

/// What a layer holds; `None` where it cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub entries: Option<u64>,
    pub bytes: Option<u64>,
    /// Entries that were removed to make room, since the start.
    pub evictions: Option<u64>,
}

/// Why a layer did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Store(String),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It says nothing of the layer.
    #[error("not tried")]
    NotTried,
}
