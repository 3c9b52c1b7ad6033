//! The statements, within a transaction of the caller.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::Beat;
use super::clock::now;
use super::job::{Job, Lease, NewJob};
use crate::registry::placeholders;

/// Puts a job into the queue, if the transaction is committed. Returns its number.
///
/// # Errors
/// Those of the database.
pub async fn enqueue(connection: &mut AnyConnection, job: &NewJob<'_>) -> sqlx::Result<i64> {
    let now = now(connection).await?;
    sqlx::query("INSERT INTO job_owners (owner, turn) VALUES ($1, 0) ON CONFLICT DO NOTHING")
        .bind(job.owner)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(
        "INSERT INTO jobs (kind, owner, subject, priority, payload, attempts, created, run_at, lease, leased_until, cancelled) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, 0, 0) RETURNING id",
    )
    .bind(job.kind)
    .bind(job.owner)
    .bind(job.subject)
    .bind(i64::from(job.priority))
    .bind(job.payload)
    .bind(now)
    .bind(now + milliseconds(job.after))
    .fetch_one(connection)
    .await?;
    row.try_get(0)
}

/// Nobody needs the jobs of these subjects any more: they are over, and whoever works on one is told so at the next sign of life. Returns
/// how many there were.
///
/// # Errors
/// Those of the database.
pub async fn cancel(
    connection: &mut AnyConnection,
    kind: &str,
    subjects: &[&str],
) -> sqlx::Result<u64> {
    let now = now(connection).await?;
    let cancelling = format!(
        "UPDATE jobs SET cancelled = 1, finished = $2 WHERE kind = $1 AND subject IN ({}) AND finished IS NULL",
        placeholders(3, subjects.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(cancelling)).bind(kind).bind(now);
    for subject in subjects {
        query = query.bind(*subject);
    }
    Ok(query.execute(connection).await?.rows_affected())
}

/// Whether there is a job to be done now.
pub async fn is_any(connection: &mut AnyConnection) -> sqlx::Result<bool> {
    let now = now(connection).await?;
    let row = sqlx::query(
        "SELECT id FROM jobs WHERE finished IS NULL AND leased_until <= $1 AND run_at <= $1 LIMIT 1",
    )
    .bind(now)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Takes a job, whoever else takes one at the same time.
pub async fn claim(
    connection: &mut AnyConnection,
    node: &str,
    share: usize,
    length: Duration,
) -> sqlx::Result<Option<Job>> {
    loop {
        let now = now(connection).await?;
        let Some(job) = next(connection, now, node, share).await? else {
            return Ok(None);
        };
        if take(connection, &job, node, now + milliseconds(length)).await? {
            turn(connection, &job.owner).await?;
            return Ok(Some(job));
        }
    }
}

/// The job that is to be done next: of the first job of each owner, one. However many wait, few are looked at; the empty text keeps SQLite from
/// grouping by an index of all that wait.
async fn next(
    connection: &mut AnyConnection,
    now: i64,
    node: &str,
    share: usize,
) -> sqlx::Result<Option<Job>> {
    let row = sqlx::query(
        "SELECT jobs.id, jobs.kind, jobs.owner, jobs.subject, jobs.payload, jobs.attempts, jobs.lease FROM job_owners \
         JOIN jobs ON jobs.id = (SELECT id FROM jobs AS first WHERE first.owner = job_owners.owner \
         AND first.finished IS NULL AND first.leased_until <= $1 AND first.run_at <= $1 \
         ORDER BY first.priority DESC, first.id LIMIT 1) \
         LEFT JOIN (SELECT owner || '' AS owner, COUNT(*) AS running, COUNT(CASE WHEN node = $2 THEN 1 END) AS here FROM jobs WHERE finished IS NULL AND leased_until > $1 GROUP BY owner || '') \
         AS busy ON busy.owner = jobs.owner \
         WHERE COALESCE(busy.here, 0) < $3 \
         ORDER BY COALESCE(busy.running, 0), job_owners.turn, jobs.id LIMIT 1",
    )
    .bind(now)
    .bind(node)
    .bind(i64::try_from(share).unwrap_or(i64::MAX))
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(Job::taken).transpose()
}

/// Whether nobody else did.
async fn take(
    connection: &mut AnyConnection,
    job: &Job,
    node: &str,
    until: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET lease = $2, node = $3, leased_until = $4, attempts = attempts + 1 \
         WHERE id = $1 AND lease = $2 - 1 AND finished IS NULL",
    )
    .bind(job.lease.job)
    .bind(job.lease.number)
    .bind(node)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It was the turn of this owner after that of all others: a count and no time, of which two turns may have the same.
async fn turn(connection: &mut AnyConnection, owner: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE job_owners SET turn = (SELECT MAX(turn) FROM job_owners) + 1 WHERE owner = $1",
    )
    .bind(owner)
    .execute(connection)
    .await?;
    Ok(())
}

/// Extends a lease, also one that has ended and that nobody else has taken.
pub async fn beat(
    connection: &mut AnyConnection,
    lease: Lease,
    length: Duration,
) -> sqlx::Result<Beat> {
    let now = now(connection).await?;
    let extended = sqlx::query(
        "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND lease = $2 AND finished IS NULL",
    )
    .bind(lease.job)
    .bind(lease.number)
    .bind(now + milliseconds(length))
    .execute(&mut *connection)
    .await?;
    if extended.rows_affected() == 1 {
        return Ok(Beat::Extended);
    }
    let cancelled = sqlx::query("SELECT id FROM jobs WHERE id = $1 AND cancelled = 1")
        .bind(lease.job)
        .fetch_optional(connection)
        .await?;
    Ok(cancelled.map_or(Beat::Lost, |_| Beat::Cancelled))
}

/// Whether what is done under this lease is still wanted, and nobody else has a later one.
///
/// # Errors
/// Those of the database.
pub async fn is_held(connection: &mut AnyConnection, lease: Lease) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT id FROM jobs WHERE id = $1 AND lease = $2 AND finished IS NULL")
        .bind(lease.job)
        .bind(lease.number)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Whether somebody works under this lease, or may.
pub async fn is_alive(connection: &mut AnyConnection, lease: Lease) -> sqlx::Result<bool> {
    let now = now(connection).await?;
    let row = sqlx::query(
        "SELECT id FROM jobs WHERE id = $1 AND lease = $2 AND leased_until > $3 AND finished IS NULL",
    )
    .bind(lease.job)
    .bind(lease.number)
    .bind(now)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

pub async fn finish(
    connection: &mut AnyConnection,
    lease: Lease,
    error: Option<&str>,
) -> sqlx::Result<bool> {
    let now = now(connection).await?;
    let done = sqlx::query(
        "UPDATE jobs SET finished = $3, error = $4, leased_until = 0 WHERE id = $1 AND lease = $2 AND finished IS NULL",
    )
    .bind(lease.job)
    .bind(lease.number)
    .bind(now)
    .bind(error)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn retry(
    connection: &mut AnyConnection,
    lease: Lease,
    pause: Duration,
    error: &str,
) -> sqlx::Result<bool> {
    let now = now(connection).await?;
    let done = sqlx::query(
        "UPDATE jobs SET run_at = $3, error = $4, leased_until = 0 WHERE id = $1 AND lease = $2 AND finished IS NULL",
    )
    .bind(lease.job)
    .bind(lease.number)
    .bind(now + milliseconds(pause))
    .bind(error)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn give_back(connection: &mut AnyConnection, lease: Lease) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET leased_until = 0, attempts = attempts - 1 WHERE id = $1 AND lease = $2 AND finished IS NULL",
    )
    .bind(lease.job)
    .bind(lease.number)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2)
}
