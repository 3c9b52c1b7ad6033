//! Why the registry did not answer.

use std::time::Duration;

use sqlx::migrate::MigrateError;

/// The registry could not be asked, or not be told. It says nothing about any identifier: never the reason for a 404.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the registry did not answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    #[error("the registry cannot be asked")]
    Unavailable(#[source] sqlx::Error),
    #[error(
        "the registry has step {0} of its schema, which a newer Azulejo has made: use that one"
    )]
    Newer(i64),
    #[error("the registry's schema cannot be brought up to date")]
    Schema(#[source] MigrateError),
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
