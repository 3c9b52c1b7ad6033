//! The layer in an object store, which all nodes share.
//!
//! | object | what |
//! |---|---|
//! | `generation` | a random number for everything |
//! | `generations/IMAGE` | a random number for an image |
//! | `entries/IMAGE/ENTRY` | both numbers as they were when it was put, and the record |
//!
//! Each below the prefix of the configuration. Of what was put under other numbers than the current ones, nothing is found.

pub mod config;
mod connect;
mod generations;
#[cfg(test)]
mod tests;
mod url;

use bytes::Bytes;
use futures_util::future::try_join;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload};

use self::config::ObjectsConfig;
use self::generations::{Generation, Generations};
pub use self::url::BucketUrl;
use super::layer::{Layer, LayerError, Pending, Usage};
use super::seal::LARGEST_RECORD;
use super::{CacheKey, EntryKey};

/// Bytes of the largest object.
const LARGEST: u64 = Generation::LENGTH as u64 + LARGEST_RECORD;

/// Purging loses a number that entries were put under. A look-up is three requests at once.
pub struct Objects {
    store: Box<dyn ObjectStore>,
    generations: Generations,
}

impl Objects {
    /// The layer, if a URL is set. Does not ask the store anything: what is wrong with it shows when it is used.
    ///
    /// # Errors
    /// If the variables of the environment do not go together.
    pub fn open(config: &ObjectsConfig) -> Result<Option<Self>, LayerError> {
        let Some(url) = &config.url else {
            return Ok(None);
        };
        let store = connect::connect(url, config).map_err(error)?;
        Ok(Some(Self::new(store)))
    }

    fn new(store: impl ObjectStore) -> Self {
        Self {
            store: Box::new(store),
            generations: Generations::default(),
        }
    }

    async fn read(&self, key: &EntryKey) -> Result<Option<Bytes>, LayerError> {
        let at = of_entry(key);
        let current = self.generations.get(&self.store, &key.image);
        let (current, object) = try_join(current, fetch(&self.store, &at)).await?;
        Ok(current
            .zip(object)
            .and_then(|(current, object)| record(&current, &object)))
    }

    async fn write(&self, key: &EntryKey, record: Bytes) -> Result<(), LayerError> {
        let current = self.generations.get_or_make(&self.store, &key.image);
        let Generation(numbers) = current.await?;
        let object = PutPayload::from_iter([Bytes::copy_from_slice(&numbers), record]);
        let put = self.store.put(&of_entry(key), object).await;
        put.map(drop).map_err(error)
    }

    async fn forget(&self, key: &EntryKey) -> Result<(), LayerError> {
        found(self.store.delete(&of_entry(key)).await).map(drop)
    }
}

impl Layer for Objects {
    fn name(&self) -> &'static str {
        "objects"
    }

    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>> {
        Box::pin(self.read(key))
    }

    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()> {
        Box::pin(self.write(key, record))
    }

    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        Box::pin(self.forget(key))
    }

    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        Box::pin(self.generations.lose(&self.store, Some(image)))
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(self.generations.lose(&self.store, None))
    }

    /// The store would have to be asked for a list of all objects.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn of_entry(key: &EntryKey) -> Path {
    Path::from(format!("entries/{key}"))
}

/// The record of an object that was put under the generation that is current.
fn record(current: &Generation, object: &Bytes) -> Option<Bytes> {
    let is_current = object.starts_with(&current.0);
    is_current.then(|| object.slice(Generation::LENGTH..))
}

/// The bytes of an object, if it is there.
async fn fetch(store: &dyn ObjectStore, at: &Path) -> Result<Option<Bytes>, LayerError> {
    let Some(object) = found(store.get(at).await)? else {
        return Ok(None);
    };
    if object.meta.size > LARGEST {
        return Err(LayerError::Store("an object is too large".to_owned()));
    }
    object.bytes().await.map(Some).map_err(error)
}

/// A missing object is an answer.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, LayerError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(error(other)),
    }
}

fn error(error: Error) -> LayerError {
    LayerError::Store(error.to_string())
}
