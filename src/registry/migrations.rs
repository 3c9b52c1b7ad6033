//! The steps of the schema, which are made when the registry is opened. A step that has been released is never changed.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection, SqlSafeStr};

use super::url::Kind;

/// Of this registry alone: others may keep their tables in the same database.
const TABLE: &str = "registry_migrations";

const SQLITE: [&str; 1] = [include_str!("migrations/sqlite/0001_entries.sql")];
const POSTGRES: [&str; 1] = [include_str!("migrations/postgres/0001_entries.sql")];

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

fn migrator<const STEPS: usize>(steps: [&'static str; STEPS]) -> Migrator {
    let migrations = (1..).zip(steps).map(|(version, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, "".into(), kind, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
