//! Random names in the paths of entries: once a name is lost, nothing below it is ever found again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::found;
use crate::cache::layer::LayerError;

/// So long can a purge by another node go unnoticed.
const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: u64 = 100_000;

/// An object that holds the current generation of what it stands for. One that is missing is made with a new number, so that losing
/// it loses entries, and brings none back.
pub struct Generations {
    remembered: Cache<Path, Option<Path>>,
}

impl Default for Generations {
    fn default() -> Self {
        let remembered = Cache::builder()
            .max_capacity(MOST_REMEMBERED)
            .time_to_live(REMEMBERED);
        Self {
            remembered: remembered.build(),
        }
    }
}

impl Generations {
    /// The generation, as a part of a path; `None` if there is none.
    ///
    /// # Errors
    /// If the store cannot say.
    pub async fn get(
        &self,
        store: &dyn ObjectStore,
        at: &Path,
    ) -> Result<Option<Path>, LayerError> {
        if let Some(remembered) = self.remembered.get(at) {
            return Ok(remembered);
        }
        let held = match found(store.get(at).await)? {
            Some(object) => valid(&object.bytes().await.map_err(super::error)?),
            None => None,
        };
        self.remembered.insert(at.clone(), held.clone());
        Ok(held)
    }

    /// The generation; a new one if there is none. If two nodes make one at once, the later counts.
    ///
    /// # Errors
    /// If the store does not take it.
    pub async fn get_or_make(
        &self,
        store: &dyn ObjectStore,
        at: &Path,
    ) -> Result<Path, LayerError> {
        if let Some(held) = self.get(store, at).await? {
            return Ok(held);
        }
        let made = random();
        let put = store.put(at, made.clone().into_bytes().into()).await;
        put.map_err(super::error)?;
        let made = Path::from(made);
        self.remembered.insert(at.clone(), Some(made.clone()));
        Ok(made)
    }

    /// Loses the generation.
    ///
    /// # Errors
    /// If the store does not say that it is gone.
    pub async fn lose(&self, store: &dyn ObjectStore, at: &Path) -> Result<(), LayerError> {
        let deleted = found(store.delete(at).await);
        // Whatever became of it, it is not what is remembered.
        self.remembered.invalidate(at);
        deleted.map(drop)
    }
}

/// Whatever else stands there is not a part of a path.
fn valid(object: &Bytes) -> Option<Path> {
    let text = std::str::from_utf8(object).ok()?;
    let is_number = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| Path::from(text))
}

/// 128 bits: hashes of nothing, with keys that the standard library takes from the system.
fn random() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
