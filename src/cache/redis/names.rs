//! The names of keys. The braces are real: a cluster keeps the keys of one image together by them.

use std::sync::Arc;
use std::time::Duration;

use super::{CacheKey, EntryKey};

#[derive(Clone)]
pub struct Names {
    pub prefix: Arc<str>,
    /// Of entries, and of the generations of images.
    pub ttl: Duration,
}

impl Names {
    /// The number of an image.
    pub fn generation(&self, image: &CacheKey) -> String {
        format!("{}{{{image}}}:generation", self.prefix)
    }

    pub fn entry(&self, key: &EntryKey) -> String {
        format!("{}{{{}}}:{}", self.prefix, key.image, key.entry)
    }

    pub fn lease(&self, key: &EntryKey) -> String {
        format!("{}:lease", self.entry(key))
    }

    pub fn purges(&self) -> String {
        format!("{}purges", self.prefix)
    }

    /// The number of everything.
    pub fn all(&self) -> String {
        format!("{}generation", self.prefix)
    }
}
