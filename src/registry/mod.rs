//! The durable map from identifiers to the locations of their images.
//!
//! It is no cache: nothing in it expires, what is removed leaves a tombstone, and what is changed stays in a history. Everything
//! is committed before it is said to be there. A database that does not answer is told from one that has no such identifier.

pub mod config;
pub(crate) mod copies;
mod database;
mod entry;
mod error;
mod intake;
mod json;
mod migrations;
mod name;
mod read;
mod url;
mod write;

#[cfg(test)]
mod contract;
#[cfg(test)]
#[path = "../../tests/common/postgres_server.rs"]
pub mod postgres_server;

pub(crate) use self::database::{Database, placeholders};
pub use self::url::RegistryUrl;
pub use entry::{Answer, Details, Entry, NewEntry, check_location};
pub use error::RegistryError;
pub use intake::{Intake, Problem, Report};
pub use json::LineError;
pub use name::{contradicts, name_uuid};
pub use write::{Over, Put};

use std::slice;
use std::sync::Arc;

use config::RegistryConfig;
use copies::Copies;
use database::Opening;
use entry::{Stored, check_identifier};

/// The registry. Clones are the same one.
#[derive(Clone)]
pub struct Registry(Arc<Parts>);

struct Parts {
    database: Database,
    copies: Copies<Answer>,
}

impl Registry {
    /// Opens what is configured, creates it if there is none and `registry.create` allows it, and makes the missing steps of its
    /// schema. `None` if nothing is configured.
    ///
    /// # Errors
    /// If there is none, it cannot be opened within ten seconds, or a newer Azulejo has changed its schema.
    pub async fn open(config: &RegistryConfig) -> Result<Option<Self>, RegistryError> {
        let opening = if config.create {
            Opening::Create
        } else {
            Opening::Update
        };
        Self::opened(config, opening).await
    }

    /// Opens what is configured as it is, to read it.
    ///
    /// # Errors
    /// As [`open`](Self::open), also if there is none.
    pub async fn open_unchanged(config: &RegistryConfig) -> Result<Option<Self>, RegistryError> {
        Self::opened(config, Opening::Unchanged).await
    }

    async fn opened(
        config: &RegistryConfig,
        opening: Opening,
    ) -> Result<Option<Self>, RegistryError> {
        let Some(url) = &config.url else {
            return Ok(None);
        };
        let database = Database::open(url, config.timeout(), opening).await?;
        Ok(Some(Self(Arc::new(Parts {
            database,
            copies: Copies::new(),
        }))))
    }

    /// For those who keep other tables beside its own.
    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    /// What is known of an identifier: now, or a few seconds ago if another node changes it.
    ///
    /// # Errors
    /// If it could not be asked, which says nothing of the identifier.
    pub async fn find(&self, identifier: &str) -> Result<Answer, RegistryError> {
        if let Some(answer) = self.find_at_once(identifier) {
            return Ok(answer);
        }
        let changes = self.0.copies.changes();
        let asking = self
            .0
            .database
            .read(async |c| read::stored(c, identifier).await);
        let answer = asking.await?.map_or(Answer::Unknown, Stored::into_answer);
        self.0.copies.keep(identifier, &answer, changes);
        Ok(answer)
    }

    /// The same, if it can be told without waiting.
    pub fn find_at_once(&self, identifier: &str) -> Option<Answer> {
        if check_identifier(identifier).is_err() {
            return Some(Answer::Unknown);
        }
        self.0.copies.get(identifier)
    }

    /// The first entry that was made for a location, and not for a later page of what is there.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn find_by_location(&self, location: &str) -> Result<Option<Entry>, RegistryError> {
        if check_location(location).is_err() {
            return Ok(None);
        }
        let asking = self
            .0
            .database
            .read(async |c| read::by_location(c, location).await);
        asking.await
    }

    /// Whether an entry of a location was removed, of whatever identifier.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn was_removed(&self, location: &str) -> Result<bool, RegistryError> {
        let asking = self
            .0
            .database
            .read(async |c| read::was_removed(c, location).await);
        asking.await
    }

    /// Puts an entry. It is committed when this returns.
    ///
    /// # Errors
    /// If nobody knows whether it was done. It can be tried again, and then is done once.
    pub async fn put(&self, entry: &NewEntry, over: Over) -> Result<Put, RegistryError> {
        let mut outcomes = self.put_all(slice::from_ref(entry), over).await?;
        Ok(outcomes.swap_remove(0))
    }

    /// Puts all, as [`put`](Self::put), or none.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_all(
        &self,
        entries: &[NewEntry],
        over: Over,
    ) -> Result<Vec<Put>, RegistryError> {
        let identifiers = entries.iter().map(|entry| entry.identifier().to_owned());
        let _forgetting = self.0.copies.forgetting(identifiers.collect());
        let putting = self
            .0
            .database
            .write(async |c| write::put_all(c, entries, over).await);
        putting.await
    }

    /// What [`put_all`](Self::put_all) would do with each of them alone, without doing it.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn preview(
        &self,
        entries: &[NewEntry],
        over: Over,
    ) -> Result<Vec<Put>, RegistryError> {
        let asking = self
            .0
            .database
            .read(async |c| write::preview(c, entries, over).await);
        asking.await
    }

    /// Leaves a tombstone in place of an entry. `false` if there is none.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn remove(&self, identifier: &str, provenance: &str) -> Result<bool, RegistryError> {
        if check_identifier(identifier).is_err() {
            return Ok(false);
        }
        let _forgetting = self.0.copies.forgetting(vec![identifier.to_owned()]);
        let removing = async |c: &mut _| write::remove(c, identifier, provenance).await;
        self.0.database.write(removing).await
    }

    /// So many entries after an identifier, or the first, in the order of the bytes of the identifiers.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn list(&self, after: Option<&str>, limit: u32) -> Result<Vec<Entry>, RegistryError> {
        let after = after.unwrap_or_default();
        let asking = self
            .0
            .database
            .read(async |c| read::list(c, after, limit).await);
        asking.await
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// If not.
    pub async fn check(&self) -> Result<(), RegistryError> {
        self.list(None, 1).await.map(drop)
    }
}
