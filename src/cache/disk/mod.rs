//! The layer on disk: a file for each entry.

mod amount;
pub mod config;
mod files;
mod gate;
mod oldest;
mod sweep;
mod sweeper;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use self::amount::{Amount, Held};
use self::config::DiskConfig;
use self::files::Files;
use self::gate::Gate;
use self::sweeper::Sweeper;
use super::layer::{Layer, Pending, Usage};
use super::report::Count;
use super::{CacheKey, EntryKey};

/// Look-ups at a time: as many threads does a disk that hangs hold.
const READERS: usize = 16;
/// Changes at a time, which wait for the disk.
const WRITERS: usize = 4;

/// A directory that processes may share. Bounded in bytes and files; a thread of its own removes what is too much.
pub struct Disk {
    kept: Arc<Kept>,
    readers: Gate,
    writers: Gate,
}

/// What the work on other threads needs.
struct Kept {
    files: Arc<Files>,
    sweeper: Sweeper,
}

impl Disk {
    /// The layer, if a directory is set. Does not touch the disk: what is wrong with it shows when it is used.
    ///
    /// # Errors
    /// If there can be no more threads.
    pub fn open(config: &DiskConfig) -> io::Result<Option<Self>> {
        let Some(root) = config.directory.clone() else {
            return Ok(None);
        };
        let files = Arc::new(Files {
            root,
            bound: Amount {
                files: config.files.into(),
                bytes: i64::try_from(config.size).unwrap_or(i64::MAX),
            },
            ttl: config.ttl(),
            held: Held::default(),
            evictions: Count::default(),
        });
        let sweeper = Sweeper::start(Arc::clone(&files))?;
        Ok(Some(Self {
            kept: Arc::new(Kept { files, sweeper }),
            readers: Gate::new(READERS),
            writers: Gate::new(WRITERS),
        }))
    }

    /// Changes the directory, and has it swept if that is needed.
    fn change<'a>(
        &'a self,
        work: impl FnOnce(&Files) -> io::Result<bool> + Send + 'static,
    ) -> Pending<'a, ()> {
        let kept = Arc::clone(&self.kept);
        Box::pin(self.writers.run(move || {
            let is_to_sweep = work(&kept.files)?;
            if is_to_sweep {
                kept.sweeper.wake();
            }
            Ok(())
        }))
    }
}

impl Layer for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>> {
        let (kept, key) = (Arc::clone(&self.kept), *key);
        Box::pin(async move {
            // The way to another thread takes longer.
            if let Some(record) = kept.files.read_at_once(&key) {
                return Ok(Some(Bytes::from(record)));
            }
            let read = move || Ok(kept.files.read(&key)?.map(Bytes::from));
            self.readers.run(read).await
        })
    }

    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()> {
        let (key, waiting) = (*key, Arc::new(()));
        let waits = Arc::downgrade(&waiting);
        let put = self.change(move |files| {
            // Who gave up may believe that it was not written, and purge the image: it must not appear after that.
            files.write(&key, &record, || waits.strong_count() > 0)?;
            Ok(files.is_nearly_full())
        });
        Box::pin(async move {
            let _waiting = waiting;
            put.await
        })
    }

    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        let key = *key;
        self.change(move |files| files.remove(&key).map(|()| false))
    }

    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        let image = *image;
        self.change(move |files| files.purge(&image).map(|()| true))
    }

    fn clear(&self) -> Pending<'_, ()> {
        self.change(|files| files.clear().map(|()| true))
    }

    fn hear<'a>(&'a self, image: Option<&'a CacheKey>) -> Option<Pending<'a, ()>> {
        Some(match image {
            Some(image) => self.purge(image),
            None => self.clear(),
        })
    }

    fn usage(&self) -> Usage {
        let held = self.kept.files.held.get();
        Usage {
            entries: Some(u64::try_from(held.files).unwrap_or(0)),
            bytes: Some(u64::try_from(held.bytes).unwrap_or(0)),
            evictions: Some(self.kept.files.evictions.get()),
        }
    }
}
