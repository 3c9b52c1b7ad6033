//! Why the registry did not answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;

/// The registry could not be asked, or not be told. It says nothing about any identifier: never the reason for a 404.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the registry did not answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    /// It did not answer others, and is left alone for a moment.
    #[error("the registry does not answer")]
    Silent,
    /// Neither made nor taken for an empty one.
    #[error("there is no registry {}: is its volume mounted? With registry.create = true, azulejo serve makes a new one", .0.display())]
    Missing(PathBuf),
    #[error("the registry {} cannot be made", .0.display())]
    NotMade(PathBuf, #[source] io::Error),
    #[error(
        "the database has no tables of a registry: is it the right one? With registry.create = true, azulejo serve makes them"
    )]
    Empty,
    #[error("the registry cannot be asked")]
    Unavailable(#[source] sqlx::Error),
    #[error(
        "the registry has step {0} of its schema, which a newer Azulejo has made: use that one"
    )]
    Newer(i64),
    #[error("the registry's schema cannot be brought up to date")]
    Schema(#[source] MigrateError),
}

impl RegistryError {
    /// Whether two changes were in each other's way, and PostgreSQL has ended this one: a deadlock, or a failed serialization.
    pub fn is_conflict(&self) -> bool {
        let Self::Unavailable(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("40P01" | "40001"))
    }
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}

impl From<MigrateError> for RegistryError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(step) => Self::Newer(step),
            MigrateError::Execute(error) => Self::Unavailable(error),
            error => Self::Schema(error),
        }
    }
}
