//! A layer that does what a test tells it to.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::layer::{Layer, LayerError, Leases, Pending, Usage};
use super::{CacheKey, EntryKey};

/// Clones share what they hold.
#[derive(Clone)]
pub struct Scripted(pub Arc<Script>);

pub struct Script {
    name: &'static str,
    pub records: Mutex<HashMap<EntryKey, Bytes>>,
    pub hangs: AtomicBool,
    pub fails: AtomicBool,
    pub gets: AtomicUsize,
    /// What was heard of other nodes.
    pub heard: Mutex<Vec<Option<CacheKey>>>,
    /// Each purge takes a permit before it does anything; without limit from the start.
    pub purges: Semaphore,
    /// Each write takes one.
    pub writes: Semaphore,
    /// Leases that other nodes hold; `None` if nobody gives any.
    pub taken: Option<Mutex<HashSet<EntryKey>>>,
}

impl Scripted {
    pub fn new(name: &'static str) -> Self {
        Self::with(name, None)
    }

    pub fn with_leases(name: &'static str) -> Self {
        Self::with(name, Some(Mutex::default()))
    }

    fn with(name: &'static str, taken: Option<Mutex<HashSet<EntryKey>>>) -> Self {
        Self(Arc::new(Script {
            name,
            records: Mutex::default(),
            hangs: AtomicBool::default(),
            fails: AtomicBool::default(),
            gets: AtomicUsize::default(),
            heard: Mutex::default(),
            purges: Semaphore::new(1000),
            writes: Semaphore::new(1000),
            taken,
        }))
    }

    pub fn holds(&self, key: &EntryKey) -> bool {
        self.0.records.lock().unwrap().contains_key(key)
    }

    async fn behave(&self) -> Result<(), LayerError> {
        if self.0.hangs.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
        match self.0.fails.load(Ordering::Relaxed) {
            true => Err(LayerError::Store("it was told to".to_owned())),
            false => Ok(()),
        }
    }

    fn change<'a>(
        &'a self,
        permits: &'a Semaphore,
        change: impl FnOnce(&mut HashMap<EntryKey, Bytes>) + Send + 'a,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            self.behave().await?;
            permits.acquire().await.unwrap().forget();
            change(&mut self.0.records.lock().unwrap());
            Ok(())
        })
    }
}

impl Layer for Scripted {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>> {
        self.0.gets.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            self.behave().await?;
            Ok(self.0.records.lock().unwrap().get(key).cloned())
        })
    }

    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()> {
        self.change(&self.0.writes, move |records| {
            records.insert(*key, record);
        })
    }

    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        self.change(&self.0.writes, move |records| {
            records.remove(key);
        })
    }

    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        self.change(&self.0.purges, move |records| {
            records.retain(|key, _| key.image != *image);
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        self.change(&self.0.purges, HashMap::clear)
    }

    fn hear<'a>(&'a self, image: Option<&'a CacheKey>) -> Option<Pending<'a, ()>> {
        self.0.heard.lock().unwrap().push(image.copied());
        Some(Box::pin(self.behave()))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn leases(&self) -> Option<&dyn Leases> {
        let taken = self.0.taken.as_ref();
        taken.map(|_| self as &dyn Leases)
    }
}

impl Leases for Scripted {
    fn take<'a>(&'a self, key: &'a EntryKey, _time: Duration) -> Pending<'a, bool> {
        let taken = self.0.taken.as_ref().unwrap();
        Box::pin(async move { Ok(taken.lock().unwrap().insert(*key)) })
    }

    fn give_back<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        let taken = self.0.taken.as_ref().unwrap();
        Box::pin(async move {
            taken.lock().unwrap().remove(key);
            Ok(())
        })
    }
}
