//! The layer in an object store, which all nodes share.
//!
//! ```text
//! generation                                      all: a random number
//! <all>/generations/<image>                       image: a random number
//! <all>/entries/<image>/<generation>/<entry>      a record
//! ```

pub mod config;
mod connect;
mod generations;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use self::config::ObjectsConfig;
pub use self::connect::ConnectError;
use self::generations::Generations;
use super::layer::{Layer, LayerError, Pending, Usage};
use super::{CacheKey, EntryKey};

/// Bytes of the largest record: it is in memory as a whole.
const LARGEST: u64 = 256 << 20;

/// Purging loses the number that the paths of entries have in them. A look-up is one request, or up to three if nothing was asked for
/// this image for a while.
pub struct Objects {
    store: Box<dyn ObjectStore>,
    generations: Generations,
}

impl Objects {
    /// The layer, if a URL is set. Does not ask the store anything: what is wrong with it shows when it is used.
    ///
    /// # Errors
    /// If the URL or an option is not understood.
    pub fn open(config: &ObjectsConfig) -> Result<Option<Self>, ConnectError> {
        let Some(url) = &config.url else {
            return Ok(None);
        };
        Ok(Some(Self::new(connect::connect(url, config)?)))
    }

    fn new(store: impl ObjectStore) -> Self {
        Self {
            store: Box::new(store),
            generations: Generations::default(),
        }
    }

    /// Where an entry is, if its image has a generation.
    async fn path(&self, key: &EntryKey) -> Result<Option<Path>, LayerError> {
        let Some(all) = self.generations.get(&self.store, &all()).await? else {
            return Ok(None);
        };
        let image = of_image(&all, &key.image);
        let generation = self.generations.get(&self.store, &image).await?;
        Ok(generation.map(|generation| of_entry(&all, &generation, key)))
    }

    async fn read(&self, key: &EntryKey) -> Result<Option<Bytes>, LayerError> {
        let Some(path) = self.path(key).await? else {
            return Ok(None);
        };
        let Some(object) = found(self.store.get(&path).await)? else {
            return Ok(None);
        };
        if object.meta.size > LARGEST {
            return Err(LayerError::Store("an object is too large".to_owned()));
        }
        object.bytes().await.map(Some).map_err(error)
    }

    async fn write(&self, key: &EntryKey, record: Bytes) -> Result<(), LayerError> {
        let all = self.generations.get_or_make(&self.store, &all()).await?;
        let image = of_image(&all, &key.image);
        let generation = self.generations.get_or_make(&self.store, &image).await?;
        let path = of_entry(&all, &generation, key);
        self.store.put(&path, record.into()).await.map_err(error)?;
        Ok(())
    }

    async fn forget(&self, key: &EntryKey) -> Result<(), LayerError> {
        match self.path(key).await? {
            Some(path) => found(self.store.delete(&path).await).map(drop),
            None => Ok(()),
        }
    }

    async fn forget_image(&self, image: &CacheKey) -> Result<(), LayerError> {
        match self.generations.get(&self.store, &all()).await? {
            Some(all) => {
                let image = of_image(&all, image);
                self.generations.lose(&self.store, &image).await
            }
            None => Ok(()),
        }
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
        Box::pin(self.forget_image(image))
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async { self.generations.lose(&self.store, &all()).await })
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn all() -> Path {
    Path::from("generation")
}

fn of_image(all: &Path, image: &CacheKey) -> Path {
    Path::from(format!("{all}/generations/{image}"))
}

fn of_entry(all: &Path, generation: &Path, key: &EntryKey) -> Path {
    let EntryKey { image, entry } = key;
    Path::from(format!("{all}/entries/{image}/{generation}/{entry}"))
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
