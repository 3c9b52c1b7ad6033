//! What is asked of the tables.

use sqlx::AnyConnection;

use super::entry::{Entry, Stored};

/// The columns by name: a newer Azulejo, which another node has already, may add some.
macro_rules! select {
    ($rest:literal) => {
        sqlx::query(concat!(
            "SELECT identifier, revision, location, page, title, checksum, checked, created, changed, provenance, gone ",
            "FROM registry_entries ",
            $rest
        ))
    };
}

/// The entry or tombstone of an identifier.
pub async fn stored(
    connection: &mut AnyConnection,
    identifier: &str,
) -> sqlx::Result<Option<Stored>> {
    let row = select!("WHERE identifier = $1")
        .bind(identifier)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(Stored::from_row).transpose()
}

/// The first entry that was made for a location, and not for a later page of what is there.
pub async fn by_location(
    connection: &mut AnyConnection,
    location: &str,
) -> sqlx::Result<Option<Entry>> {
    let row = select!(
        "WHERE location = $1 AND gone = 0 AND COALESCE(page, 1) = 1 ORDER BY created, identifier LIMIT 1"
    )
    .bind(location)
    .fetch_optional(connection)
    .await?;
    Ok(row
        .as_ref()
        .map(Stored::from_row)
        .transpose()?
        .map(|stored| stored.entry))
}

/// Whether an entry that was made for a location is a tombstone.
pub async fn was_removed(connection: &mut AnyConnection, location: &str) -> sqlx::Result<bool> {
    let row = select!("WHERE location = $1 AND gone = 1 LIMIT 1")
        .bind(location)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Entries in the order of the bytes of their identifiers.
pub async fn list(
    connection: &mut AnyConnection,
    after: &str,
    limit: u32,
) -> sqlx::Result<Vec<Entry>> {
    let rows = select!("WHERE identifier > $1 AND gone = 0 ORDER BY identifier LIMIT $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    let entries = rows.iter().map(|row| Ok(Stored::from_row(row)?.entry));
    entries.collect()
}
