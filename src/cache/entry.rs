//! What the layers keep, and under which name.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::CacheKey;

/// Bytes of the largest body. Larger ones are asked for seldom, and would drive out many others.
pub const LARGEST_BODY: usize = 8 << 20;

/// The name of an entry: the same in every layer and on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey {
    /// Stands for the image wherever it is stored, in all its versions: what is purged together.
    pub image: CacheKey,
    /// Stands for everything that the bytes depend on.
    pub entry: CacheKey,
}

#[cfg(test)]
impl EntryKey {
    /// Of an entry and an image that have these names in a test.
    pub fn sample(image: &str, entry: &str) -> Self {
        Self {
            image: CacheKey::new(&[image]),
            entry: CacheKey::new(&[entry]),
        }
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.image, self.entry)
    }
}

/// Encoded bytes, and when they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub body: Bytes,
    /// To the millisecond.
    pub made: SystemTime,
}

impl Entry {
    /// One that was made just now.
    pub fn new(body: Bytes) -> Self {
        Self {
            body,
            made: SystemTime::now(),
        }
    }

    /// Zero for one from the future: clocks of nodes differ.
    pub fn age(&self) -> Duration {
        self.made.elapsed().unwrap_or_default()
    }
}
