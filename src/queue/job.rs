//! A job as it is asked for, and as it is taken.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Result, Row};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob<'a> {
    /// What kind of thing: who takes it knows what it means.
    pub kind: &'a str,
    /// For whom: owners take turns.
    pub owner: &'a str,
    /// With what: jobs of a subject can be cancelled.
    pub subject: &'a str,
    /// Those with more go before the others of their owner.
    pub priority: i32,
    /// JSON, if there is more to say.
    pub payload: &'a str,
    /// For so long it is not begun.
    pub after: Duration,
}

/// A job that this node has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub lease: Lease,
    pub kind: String,
    pub owner: String,
    pub subject: String,
    pub payload: String,
    /// The first is 1. Those that ended with their process count.
    pub attempt: u32,
}

/// The right to work on a job, until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub job: i64,
    /// Of all leases of the job.
    pub number: i64,
}

impl Job {
    /// From the row as it was before it was taken.
    pub(super) fn taken(row: &AnyRow) -> Result<Self> {
        let attempts: i64 = row.try_get("attempts")?;
        Ok(Self {
            lease: Lease {
                job: row.try_get("id")?,
                number: row.try_get::<i64, _>("lease")? + 1,
            },
            kind: row.try_get("kind")?,
            owner: row.try_get("owner")?,
            subject: row.try_get("subject")?,
            payload: row.try_get("payload")?,
            attempt: u32::try_from(attempts)
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        })
    }
}
