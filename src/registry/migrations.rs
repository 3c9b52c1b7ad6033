//! The steps of the schema, which are made when the registry is opened. A step that has been released is never changed.

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection, Row, SqlSafeStr};

use super::error::RegistryError;
use super::url::Kind;

/// Of this registry alone: others may keep their tables in the same database.
const TABLE: &str = "registry_migrations";

const SQLITE: [&str; 4] = [
    include_str!("migrations/sqlite/0001_entries.sql"),
    include_str!("migrations/sqlite/0002_composites.sql"),
    include_str!("migrations/sqlite/0003_jobs.sql"),
    include_str!("migrations/sqlite/0004_sessions.sql"),
];
const POSTGRES: [&str; 4] = [
    include_str!("migrations/postgres/0001_entries.sql"),
    include_str!("migrations/postgres/0002_composites.sql"),
    include_str!("migrations/postgres/0003_jobs.sql"),
    include_str!("migrations/postgres/0004_sessions.sql"),
];

/// Makes what steps are missing. Several nodes may do so at once.
pub async fn run(connection: &mut AnyConnection, kind: Kind) -> Result<(), MigrateError> {
    match kind {
        // The migrator takes an advisory lock of the server.
        Kind::Postgres => migrator(POSTGRES).run(connection).await,
        // It has no such lock for SQLite, where only one process writes at a time anyway.
        Kind::Sqlite => {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrator(SQLITE).run(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        }
    }
}

/// Whether it can be used as it is.
pub async fn check(connection: &mut AnyConnection) -> Result<(), RegistryError> {
    match last(connection).await? {
        None => Err(RegistryError::Empty),
        Some(step) if (1..).zip(SQLITE).all(|(known, _)| step > known) => {
            Err(RegistryError::Newer(step))
        }
        Some(_) => Ok(()),
    }
}

/// The last step that was made. `None` where there never was a registry.
async fn last(connection: &mut AnyConnection) -> Result<Option<i64>, RegistryError> {
    let asking = sqlx::query("SELECT version FROM registry_migrations ORDER BY version DESC")
        .fetch_optional(connection);
    match asking.await {
        Ok(row) => Ok(row.map(|row| row.try_get("version")).transpose()?),
        Err(sqlx::Error::Database(error)) if is_of_no_table(&*error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// By PostgreSQL's code, and by what SQLite says, which has none for it.
fn is_of_no_table(error: &dyn DatabaseError) -> bool {
    error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
}

fn migrator<const STEPS: usize>(steps: [&'static str; STEPS]) -> Migrator {
    let migrations = (1..).zip(steps).map(|(version, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, "".into(), kind, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
