//! Random numbers that entries are put under: once a number is lost, nothing that was put under it is ever found again.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use futures_util::future::try_join;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::Mutex;

use super::{error, fetch, found};
use crate::cache::CacheKey;
use crate::cache::layer::LayerError;
use crate::cache::random::random;

/// Bytes of a number: so many that none is made twice.
const NUMBER: usize = 16;
/// Images whose numbers can be made at once.
const MAKERS: usize = 64;

/// The number of everything and that of an image, each in an object. A missing one is made anew, so that losing it loses entries,
/// and brings none back.
pub struct Generations {
    hasher: RandomState,
    /// Equal requests come at once to an image that is new: each would make a number, and only the last would count.
    making: [Mutex<()>; MAKERS],
}

/// What an entry is put under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation(pub [u8; Generation::LENGTH]);

impl Generation {
    pub const LENGTH: usize = 2 * NUMBER;

    fn new(all: &[u8; NUMBER], image: &[u8; NUMBER]) -> Self {
        let mut both = [0; Self::LENGTH];
        both[..NUMBER].copy_from_slice(all);
        both[NUMBER..].copy_from_slice(image);
        Self(both)
    }
}

impl Default for Generations {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            making: [const { Mutex::const_new(()) }; MAKERS],
        }
    }
}

impl Generations {
    /// The current generation of an image; `None` if nothing of it is kept.
    ///
    /// # Errors
    /// If the store cannot say.
    pub async fn get(
        &self,
        store: &dyn ObjectStore,
        image: &CacheKey,
    ) -> Result<Option<Generation>, LayerError> {
        let (all, image) = (of_all(), of_image(image));
        let (all, image) = try_join(number(store, &all), number(store, &image)).await?;
        Ok(all
            .zip(image)
            .map(|(all, image)| Generation::new(&all, &image)))
    }

    /// The current generation of an image; a new one if there is none.
    ///
    /// # Errors
    /// If the store does not take it.
    pub async fn get_or_make(
        &self,
        store: &dyn ObjectStore,
        image: &CacheKey,
    ) -> Result<Generation, LayerError> {
        let (all, image) = (of_all(), of_image(image));
        let (all, image) = try_join(
            self.number_or_new(store, &all),
            self.number_or_new(store, &image),
        )
        .await?;
        Ok(Generation::new(&all, &image))
    }

    /// Loses that of an image, or of everything.
    ///
    /// # Errors
    /// If the store does not say that it is gone.
    pub async fn lose(
        &self,
        store: &dyn ObjectStore,
        image: Option<&CacheKey>,
    ) -> Result<(), LayerError> {
        let at = image.map_or_else(of_all, of_image);
        found(store.delete(&at).await).map(drop)
    }

    /// If two nodes make one at once, the later counts.
    async fn number_or_new(
        &self,
        store: &dyn ObjectStore,
        at: &Path,
    ) -> Result<[u8; NUMBER], LayerError> {
        if let Some(number) = number(store, at).await? {
            return Ok(number);
        }
        let maker = self.hasher.hash_one(at) as usize % MAKERS;
        let _turn = self.making[maker].lock().await;
        if let Some(number) = number(store, at).await? {
            return Ok(number);
        }
        let made = new_number();
        let put = store.put(at, Bytes::copy_from_slice(&made).into()).await;
        put.map_err(error)?;
        Ok(made)
    }
}

fn of_all() -> Path {
    Path::from("generation")
}

fn of_image(image: &CacheKey) -> Path {
    Path::from(format!("generations/{image}"))
}

/// Whatever else stands there is not a number.
async fn number(store: &dyn ObjectStore, at: &Path) -> Result<Option<[u8; NUMBER]>, LayerError> {
    let object = fetch(store, at).await?;
    Ok(object.and_then(|object| object[..].try_into().ok()))
}

fn new_number() -> [u8; NUMBER] {
    let mut number = [0; NUMBER];
    number[..NUMBER / 2].copy_from_slice(&random());
    number[NUMBER / 2..].copy_from_slice(&random());
    number
}
