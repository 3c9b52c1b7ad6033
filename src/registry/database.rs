//! The connections to the database, and the time that they are given.

use std::fs::OpenOptions;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::RegistryError;
use super::migrations;
use super::url::{Kind, RegistryUrl};
use crate::breaker::Breaker;

const CONNECTIONS: u32 = 8;
/// So many write at once, and leave connections to those who ask. Of SQLite, only one can.
const WRITERS_OF_SQLITE: usize = 1;
const WRITERS_OF_POSTGRES: usize = 4;
/// Opening and writing may wait for another node that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who writes waits as long as [`PATIENCE`] for others, in milliseconds. Readers never wait for the one who writes, and what is committed
/// survives a loss of power.
const SQLITE_SETTINGS: &str =
    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

pub struct Database {
    pool: AnyPool,
    writers: Semaphore,
    kind: Kind,
    limit: Duration,
    /// Requests wait for it on threads that images need, too, of which it knows nothing.
    breaker: Breaker,
}

/// What opening may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Makes the registry where there is none, and the missing steps of its schema.
    Create,
    /// Makes the missing steps of its schema.
    Update,
    Unchanged,
}

impl Database {
    pub async fn open(
        url: &RegistryUrl,
        limit: Duration,
        opening: Opening,
    ) -> Result<Self, RegistryError> {
        install_default_drivers();
        match url.missing_file() {
            Some(file) if opening == Opening::Create => create(file)?,
            Some(file) => return Err(RegistryError::Missing(file.to_owned())),
            None => {}
        }
        let options: AnyConnectOptions = url.for_driver().parse()?;
        let kind = url.kind();
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if kind == Kind::Sqlite && opening != Opening::Unchanged {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        let database = Self {
            pool,
            writers: Semaphore::new(match kind {
                Kind::Sqlite => WRITERS_OF_SQLITE,
                Kind::Postgres => WRITERS_OF_POSTGRES,
            }),
            kind,
            limit,
            breaker: Breaker::new("registry", "read"),
        };
        within(limit.max(PATIENCE), database.prepare(opening)).await?;
        Ok(database)
    }

    async fn prepare(&self, opening: Opening) -> Result<(), RegistryError> {
        let mut session = self.session().await?;
        if opening != Opening::Create {
            migrations::check(&mut session).await?;
        }
        if opening != Opening::Unchanged {
            migrations::run(&mut session, self.kind).await?;
        }
        session.end();
        Ok(())
    }

    /// Something that a request waits for.
    pub async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> Result<T, RegistryError> {
        let reading = async {
            let mut session = self.session().await?;
            let answer = work(&mut session).await?;
            session.end();
            Ok(answer)
        };
        if !self.breaker.lets_through() {
            return Err(RegistryError::Silent);
        }
        self.heard(within(self.limit, reading).await)
    }

    fn heard<T>(&self, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        match &answer {
            Err(error @ RegistryError::TooSlow(_)) => self.breaker.failed(error),
            _ => self.breaker.succeeded(),
        }
        answer
    }

    /// All that the work changes, or nothing. It is committed when this returns.
    pub async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> Result<T, RegistryError> {
        let writing = async {
            let _turn = self.writers.acquire().await.expect("never closed");
            let mut session = self.session().await?;
            let mut transaction = session.begin_with(self.begin()).await?;
            let answer = work(&mut transaction).await?;
            transaction.commit().await?;
            session.end();
            Ok(answer)
        };
        self.heard(within(self.limit.max(PATIENCE), writing).await)
    }

    /// That of SQLite waits for its turn at once: later, it could only fail.
    fn begin(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    async fn session(&self) -> Result<Session, RegistryError> {
        Ok(Session(Some(self.pool.acquire().await?)))
    }
}

/// `$3, $4`: so many placeholders of a statement, from this one on.
pub fn placeholders(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count).map(|it| format!("${it}")).collect();
    all.join(", ")
}

/// An empty file, which is a database without tables. Two nodes may do so at once.
fn create(file: &Path) -> Result<(), RegistryError> {
    // As it should be at the first start, and at no other.
    tracing::warn!(
        "there is no registry {}: a new one is made, which knows no identifier",
        file.display()
    );
    let made = OpenOptions::new().append(true).create(true).open(file);
    made.map(drop)
        .map_err(|error| RegistryError::NotMade(file.to_owned(), error))
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, RegistryError> {
    let late = |_| Err(RegistryError::TooSlow(limit));
    timeout(limit, work).await.unwrap_or_else(late)
}

/// A connection. Unless its work came to its end it is closed and not used again: it may hang, and then the next one who took it
/// would hang, too.
struct Session(Option<PoolConnection<Any>>);

impl Session {
    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Deref for Session {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.0.as_ref().expect("until its end")
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.0.as_mut().expect("until its end")
    }
}
