//! The one clock of all nodes: that of the database.

use sqlx::{AnyConnection, Row};

/// Milliseconds since 1970, not those at which the transaction began.
pub async fn now(connection: &mut AnyConnection) -> sqlx::Result<i64> {
    let asking = match connection.backend_name() {
        "SQLite" => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        _ => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
    sqlx::query(asking).fetch_one(connection).await?.try_get(0)
}
