//! What is kept of composites, batches and assets, in the database of the registry.
//!
//! Each change is one transaction, and committed when its function returns. Several nodes may work on the same database.

mod assets;
mod batches;
mod collections;
mod columns;
mod files;
mod finish;
mod listing;
mod progress;
mod work;

#[cfg(test)]
mod contract;

pub use assets::TooLong;
pub use batches::{Waiting, Which};
pub use listing::{Condition, Field, Filter, Listing, Order, Window};
pub use progress::Outdated;
pub use work::{ASSET, COMPOSITE, DISCARD, Image};

use std::sync::Arc;

use serde_json::{Map, Value};
use sqlx::AnyConnection;
use uuid::Uuid;

use super::asset::{Asset, AssetKey, Delivery, NewAsset, Place};
use super::batch::Batch;
use super::composite::Composite;
use super::member::{Collection, Member, Progress};
use super::status::Status;
use crate::files::unique;
use crate::queue::{Lease, Pace, Queue};
use crate::registry::copies::Copies;
use crate::registry::{Database, Registry, RegistryError};

/// The tables of composites. Clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Parts>);

struct Parts {
    registry: Registry,
    /// What is to be done because of what is kept here.
    queue: Queue,
    /// Of what those who deliver images asked.
    copies: Copies<Delivery>,
}

type Answer<T> = Result<T, RegistryError>;

/// A change of many assets, which is made once more if the database has ended it for the sake of another one.
async fn once_more_if_in_the_way<T, F>(change: impl Fn() -> F) -> Answer<T>
where
    F: Future<Output = Answer<T>>,
{
    match change().await {
        Err(error) if error.is_conflict() => change().await,
        done => done,
    }
}

impl Store {
    pub fn new(registry: Registry) -> Self {
        Self(Arc::new(Parts {
            queue: Queue::new(registry.clone(), &unique(), Pace::default()),
            registry,
            copies: Copies::new(),
        }))
    }

    fn database(&self) -> &Database {
        self.0.registry.database()
    }

    /// Where the jobs are that changes make necessary.
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// What is to be done then is begun at once.
    async fn write_and_wake<T>(
        &self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> Answer<T> {
        let done = self.database().write(work).await;
        self.0.queue.wake();
        done
    }

    /// Keeps composites that were posted together, as `PENDING`, and has them worked on. A composite of the same customer, space and
    /// `compositeId` that is not finished yet becomes an `ERROR`: it is replaced.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn accept(
        &self,
        customer: i64,
        composites: &[Composite],
        is_urgent: bool,
    ) -> Answer<Collection> {
        let accepting = async |c: &mut AnyConnection| {
            collections::accept(c, customer, composites, is_urgent).await
        };
        self.write_and_wake(accepting).await
    }

    /// A collection with its members.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn collection(&self, id: Uuid) -> Answer<Option<Collection>> {
        self.database()
            .read(async |c| collections::collection(c, id).await)
            .await
    }

    /// A member of whatever collection.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn member(&self, id: Uuid) -> Answer<Option<Member>> {
        self.database()
            .read(async |c| collections::member(c, id).await)
            .await
    }

    /// Whether anybody ever posted a composite.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn has_members(&self) -> Answer<bool> {
        self.database()
            .read(async |c| collections::has_members(c).await)
            .await
    }

    /// Brings a member to a status that is not final, and tells what has become known.
    ///
    /// # Errors
    /// If nobody knows whether it was done. [`Outdated`] if it is final already: then nobody needs more work on it.
    pub async fn advance(
        &self,
        id: Uuid,
        status: Status,
        progress: &Progress,
    ) -> Answer<Result<(), Outdated>> {
        self.database()
            .write(async |c| progress::advance(c, id, status, progress).await)
            .await
    }

    /// Makes a member's pages assets, which are at these places in their order, in batches of so many at most, retires those of its predecessor that it does not have, and says that it is
    /// `COMPLETED`: all of this or nothing.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub async fn complete(
        &self,
        member: &Member,
        places: &[Place],
        per_batch: usize,
    ) -> Answer<Result<Member, Outdated>> {
        let completing = || {
            let changing = async move |c: &mut AnyConnection| {
                finish::complete(c, member, places, per_batch).await
            };
            self.database().write(changing)
        };
        let done = once_more_if_in_the_way(completing).await;
        // Which pages were retired is known to the database only.
        self.0.copies.forget_all();
        done
    }

    /// Says why a member became nothing.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub async fn fail(&self, id: Uuid, error: &str) -> Answer<Result<(), Outdated>> {
        self.database()
            .write(async |c| progress::fail(c, id, error).await)
            .await
    }

    /// Whether a member is still being made, or an asset is delivered from its files.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn is_needed(&self, member: Uuid) -> Answer<bool> {
        self.database()
            .read(async |c| files::is_needed(c, member).await)
            .await
    }

    /// The files of a member were removed.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn discarded(&self, member: Uuid) -> Answer<()> {
        self.database()
            .write(async |c| files::discarded(c, member).await)
            .await
    }

    /// Keeps assets that were posted together, and has them ingested.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn submit(
        &self,
        customer: i64,
        assets: &[NewAsset],
        is_urgent: bool,
    ) -> Answer<Batch> {
        let keys = assets.iter().map(|asset| asset.key(customer).to_string());
        let _forgetting = self.0.copies.forgetting(keys.collect());
        let submitting = || {
            let changing = async move |c: &mut AnyConnection| {
                batches::submit(c, customer, assets, is_urgent).await
            };
            self.write_and_wake(changing)
        };
        once_more_if_in_the_way(submitting).await
    }

    /// # Errors
    /// If it could not be asked.
    pub async fn batch(&self, customer: i64, id: i64) -> Answer<Option<Batch>> {
        self.database()
            .read(async |c| batches::batch(c, customer, id).await)
            .await
    }

    /// The batches of a customer, and how many there are.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn batches(
        &self,
        customer: i64,
        which: Which,
        window: Window,
    ) -> Answer<Listing<Batch>> {
        self.database()
            .read(async |c| batches::list(c, customer, which, window).await)
            .await
    }

    /// How much a customer waits for.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn waiting(&self, customer: i64) -> Answer<Waiting> {
        self.database()
            .read(async |c| batches::waiting(c, customer).await)
            .await
    }

    /// Whatever is known of an asset, also if it is retired.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn asset(&self, key: &AssetKey) -> Answer<Option<Asset>> {
        self.database()
            .read(async |c| assets::asset(c, key).await)
            .await
    }

    /// The assets that a filter leaves, and how many there are.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn assets(
        &self,
        customer: i64,
        filter: &Filter,
        order: Order,
        window: Window,
    ) -> Answer<Listing<Asset>> {
        self.database()
            .read(async |c| listing::assets(c, customer, filter, order, window).await)
            .await
    }

    /// Makes or replaces an asset, and has it ingested. Whether there was none, or a retired one.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn put(&self, customer: i64, asset: &NewAsset) -> Answer<bool> {
        let key = asset.key(customer).to_string();
        let _forgetting = self.0.copies.forgetting(vec![key]);
        self.write_and_wake(async |c| assets::put(c, customer, asset).await)
            .await
    }

    /// Changes what is said of assets of a customer, and has those ingested again whose origin is another one. What there is of them, changed: all of this
    /// or nothing.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn patch(
        &self,
        changes: &[(AssetKey, Map<String, Value>)],
    ) -> Answer<Result<Vec<Asset>, TooLong>> {
        let keys = changes.iter().map(|(key, _)| key.to_string());
        let _forgetting = self.0.copies.forgetting(keys.collect());
        let patching =
            || self.write_and_wake(async move |c: &mut _| assets::patch(c, changes).await);
        once_more_if_in_the_way(patching).await
    }

    /// Has an asset looked at again. `None` if there is none.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn reingest(&self, key: &AssetKey) -> Answer<Option<Asset>> {
        self.write_and_wake(async |c| assets::reingest(c, key).await)
            .await
    }

    /// Retires an asset. `false` if there is none.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn retire(&self, key: &AssetKey) -> Answer<bool> {
        let _forgetting = self.0.copies.forgetting(vec![key.to_string()]);
        self.database()
            .write(async |c| assets::retire(c, key).await)
            .await
    }

    /// Says what came of ingesting an asset that is no page of a composite: where it is, or why not. Nothing is done if it is retired or has another
    /// origin by now, or another job than the one of this lease.
    ///
    /// # Errors
    /// If nobody knows whether it was done.
    pub async fn ingested(
        &self,
        lease: Lease,
        key: &AssetKey,
        origin: &str,
        outcome: Result<&Place, &str>,
    ) -> Answer<bool> {
        let _forgetting = self.0.copies.forgetting(vec![key.to_string()]);
        self.database()
            .write(async |c| assets::ingested(c, lease, key, origin, outcome).await)
            .await
    }

    /// Where the image of an asset is: now, or a few seconds ago if another node changes it.
    ///
    /// # Errors
    /// If it could not be asked, which says nothing of the asset.
    pub async fn deliver(&self, key: &AssetKey) -> Answer<Delivery> {
        if let Some(answer) = self.deliver_at_once(key) {
            return Ok(answer);
        }
        let changes = self.0.copies.changes();
        let answer = self
            .asset(key)
            .await?
            .map_or(Delivery::Unknown, Asset::delivery);
        self.0.copies.keep(&key.to_string(), &answer, changes);
        Ok(answer)
    }

    /// The same, if it can be told without waiting.
    pub fn deliver_at_once(&self, key: &AssetKey) -> Option<Delivery> {
        self.0.copies.get(&key.to_string())
    }
}
