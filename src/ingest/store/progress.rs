//! How far members are.

use sqlx::AnyConnection;
use uuid::Uuid;

use crate::ingest::member::Progress;
use crate::ingest::status::Status;
use crate::ingest::timestamp::Timestamp;

/// The member is final already: it was replaced, or another node has finished it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was replaced, or is finished already")]
pub struct Outdated;

pub async fn advance(
    c: &mut AnyConnection,
    id: Uuid,
    status: Status,
    progress: &Progress,
) -> sqlx::Result<Result<(), Outdated>> {
    let done = sqlx::query(
        "UPDATE ingest_members SET status = $2, updated = $3, document = COALESCE($4, document), \
         image_count = COALESCE($5, image_count) WHERE id = $1 AND status NOT IN ('COMPLETED', 'ERROR')",
    )
    .bind(id.to_string())
    .bind(status.as_str())
    .bind(Timestamp::now().0)
    .bind(progress.document.as_deref())
    .bind(progress.image_count)
    .execute(c)
    .await?;
    Ok(or_outdated(done.rows_affected()))
}

pub async fn fail(
    c: &mut AnyConnection,
    id: Uuid,
    error: &str,
) -> sqlx::Result<Result<(), Outdated>> {
    let done = sqlx::query(
        "UPDATE ingest_members SET status = 'ERROR', error = $2, updated = $3 \
         WHERE id = $1 AND status NOT IN ('COMPLETED', 'ERROR')",
    )
    .bind(id.to_string())
    .bind(error)
    .bind(Timestamp::now().0)
    .execute(c)
    .await?;
    Ok(or_outdated(done.rows_affected()))
}

pub async fn complete(
    c: &mut AnyConnection,
    id: Uuid,
    image_count: i64,
    retired: i64,
) -> sqlx::Result<Result<(), Outdated>> {
    let done = sqlx::query(
        "UPDATE ingest_members SET status = 'COMPLETED', updated = $2, image_count = $3, retired = $4 \
         WHERE id = $1 AND status NOT IN ('COMPLETED', 'ERROR')",
    )
    .bind(id.to_string())
    .bind(Timestamp::now().0)
    .bind(image_count)
    .bind(retired)
    .execute(c)
    .await?;
    Ok(or_outdated(done.rows_affected()))
}

fn or_outdated(rows: u64) -> Result<(), Outdated> {
    if rows == 1 { Ok(()) } else { Err(Outdated) }
}
