//! Changes in the tables, within a transaction of the caller.

use std::time::SystemTime;

use sqlx::AnyConnection;

use super::entry::{Entry, NewEntry, Stored, seconds};
use super::read::stored;

/// What an entry may be put in place of, besides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Of another entry of the same identifier.
    pub entry: bool,
    pub tombstone: bool,
}

impl Over {
    /// Only where nothing ever was.
    pub const NOTHING: Self = Self {
        entry: false,
        tombstone: false,
    };
}

/// What became of an entry that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    New,
    /// It was there already.
    Same,
    /// It stands now in place of this one.
    Replaced(Entry),
    /// It stands now in place of a tombstone.
    Revived,
    /// Another one is there, and stays.
    Kept(Entry),
    /// A tombstone is there, and stays.
    Gone,
}

/// Puts all. They are taken in the order of their identifiers, so that two who do so do not wait for each other.
pub async fn put_all(
    connection: &mut AnyConnection,
    entries: &[NewEntry],
    over: Over,
) -> sqlx::Result<Vec<Put>> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&at| &entries[at].identifier);
    let mut outcomes = vec![Put::Same; entries.len()];
    for at in order {
        outcomes[at] = put(connection, &entries[at], over).await?;
    }
    Ok(outcomes)
}

/// Puts an entry, whoever else puts one of this identifier at the same time.
async fn put(connection: &mut AnyConnection, entry: &NewEntry, over: Over) -> sqlx::Result<Put> {
    loop {
        if insert(connection, entry).await? {
            return Ok(Put::New);
        }
        let Some(standing) = stored(connection, &entry.identifier).await? else {
            continue;
        };
        let outcome = outcome(&standing, entry, over);
        let changes = matches!(outcome, Put::Replaced(_) | Put::Revived);
        if !changes || replace(connection, &standing, entry).await? {
            return Ok(outcome);
        }
    }
}

/// What would become of each.
pub async fn preview(
    connection: &mut AnyConnection,
    entries: &[NewEntry],
    over: Over,
) -> sqlx::Result<Vec<Put>> {
    let mut outcomes = Vec::with_capacity(entries.len());
    for entry in entries {
        let standing = stored(connection, &entry.identifier).await?;
        outcomes.push(match standing {
            Some(standing) => outcome(&standing, entry, over),
            None => Put::New,
        });
    }
    Ok(outcomes)
}

fn outcome(standing: &Stored, entry: &NewEntry, over: Over) -> Put {
    let old = || standing.entry.clone();
    match standing.is_gone {
        true if over.tombstone => Put::Revived,
        true => Put::Gone,
        false if says_enough(&standing.entry, entry, over) => Put::Same,
        false if over.entry => Put::Replaced(old()),
        false => Put::Kept(old()),
    }
}

/// When an image was last seen is no reason to fail, but to replace an entry where that is allowed.
fn says_enough(standing: &Entry, entry: &NewEntry, over: Over) -> bool {
    entry.says_the_same_as(standing) && !(over.entry && entry.was_checked_after(standing))
}

/// Whether there was no row of this identifier.
async fn insert(connection: &mut AnyConnection, entry: &NewEntry) -> sqlx::Result<bool> {
    let now = seconds(SystemTime::now());
    let done = sqlx::query(
        "INSERT INTO registry_entries \
         (identifier, revision, location, page, title, checksum, checked, created, changed, provenance, gone) \
         VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $7, $8, 0) ON CONFLICT (identifier) DO NOTHING",
    )
    .bind(&entry.identifier)
    .bind(&entry.location)
    .bind(entry.page.map(i64::from))
    .bind(&entry.title)
    .bind(&entry.checksum)
    .bind(entry.checked.map(seconds))
    .bind(now)
    .bind(&entry.provenance)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the row was still as it was seen. What is not given stays, but for what was known of a file that is elsewhere.
async fn replace(
    connection: &mut AnyConnection,
    standing: &Stored,
    entry: &NewEntry,
) -> sqlx::Result<bool> {
    if !keep(connection, standing).await? {
        return Ok(false);
    }
    let done = sqlx::query(
        "UPDATE registry_entries SET revision = revision + 1, gone = 0, location = $3, page = COALESCE($4, page), \
         title = COALESCE($5, title), checksum = COALESCE($6, CASE WHEN location = $3 THEN checksum END), \
         checked = COALESCE($7, CASE WHEN location = $3 THEN checked END), changed = $8, provenance = $9 \
         WHERE identifier = $1 AND revision = $2",
    )
    .bind(&entry.identifier)
    .bind(standing.revision)
    .bind(&entry.location)
    .bind(entry.page.map(i64::from))
    .bind(&entry.title)
    .bind(&entry.checksum)
    .bind(entry.checked.map(seconds))
    .bind(seconds(SystemTime::now()))
    .bind(&entry.provenance)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Leaves a tombstone. `false` if there is no entry.
pub async fn remove(
    connection: &mut AnyConnection,
    identifier: &str,
    provenance: &str,
) -> sqlx::Result<bool> {
    loop {
        match stored(connection, identifier).await? {
            Some(standing) if !standing.is_gone => {
                if bury(connection, &standing, provenance).await? {
                    return Ok(true);
                }
            }
            _ => return Ok(false),
        }
    }
}

/// Whether the row was still as it was seen.
async fn bury(
    connection: &mut AnyConnection,
    standing: &Stored,
    provenance: &str,
) -> sqlx::Result<bool> {
    if !keep(connection, standing).await? {
        return Ok(false);
    }
    let done = sqlx::query(
        "UPDATE registry_entries SET revision = revision + 1, gone = 1, changed = $3, provenance = $4 \
         WHERE identifier = $1 AND revision = $2",
    )
    .bind(&standing.entry.identifier)
    .bind(standing.revision)
    .bind(seconds(SystemTime::now()))
    .bind(provenance)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the row as it is for the history. `false` if somebody else does so, who is about to change it.
async fn keep(connection: &mut AnyConnection, standing: &Stored) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO registry_history \
         (identifier, revision, location, page, title, checksum, checked, changed, provenance, gone) \
         SELECT identifier, revision, location, page, title, checksum, checked, changed, provenance, gone \
         FROM registry_entries WHERE identifier = $1 AND revision = $2 ON CONFLICT DO NOTHING",
    )
    .bind(&standing.entry.identifier)
    .bind(standing.revision)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
