//! Whose files are still needed.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use uuid::Uuid;

use super::work;
use crate::ingest::location::{self, of_member};
use crate::ingest::member::Member;
use crate::registry::placeholders;

/// Whether a member is still being made, or an asset is delivered from its files. All those that ever could be were in its batches.
pub async fn is_needed(c: &mut AnyConnection, member: Uuid) -> sqlx::Result<bool> {
    let row = sqlx::query(
        "SELECT id FROM ingest_members m WHERE m.id = $1 AND (m.status NOT IN ('COMPLETED', 'ERROR') OR EXISTS \
         (SELECT 1 FROM ingest_batches b JOIN ingest_batch_assets p ON p.batch = b.id \
         JOIN ingest_assets a ON a.customer = b.customer AND a.space = p.space AND a.id = p.asset \
         WHERE b.member = m.id AND a.retired = 0 AND a.location LIKE $2))",
    )
    .bind(member.to_string())
    .bind(format!("{}%", of_member(member)))
    .fetch_optional(c)
    .await?;
    Ok(row.is_some())
}

/// Its files were removed.
pub async fn discarded(c: &mut AnyConnection, member: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE ingest_members SET document = NULL WHERE id = $1")
        .bind(member.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// The members whose files are at the locations in the first column.
pub fn members(rows: &[AnyRow]) -> sqlx::Result<BTreeSet<Uuid>> {
    let locations = rows.iter().map(|row| row.try_get(0));
    let locations = locations.collect::<sqlx::Result<Vec<Option<&str>>>>()?;
    let members = locations.into_iter().flatten().filter_map(location::member);
    Ok(members.collect())
}

/// The members from whose files assets are delivered.
pub async fn served(
    c: &mut AnyConnection,
    customer: i64,
    space: i64,
    ids: &[&str],
) -> sqlx::Result<BTreeSet<Uuid>> {
    let asking = format!(
        "SELECT DISTINCT location FROM ingest_assets WHERE customer = $1 AND space = $2 AND retired = 0 AND id IN ({})",
        placeholders(3, ids.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(asking))
        .bind(customer)
        .bind(space);
    for id in ids {
        query = query.bind(*id);
    }
    members(&query.fetch_all(c).await?)
}

/// All that a composite was made of before, and that still have files.
pub async fn predecessors(c: &mut AnyConnection, member: &Member) -> sqlx::Result<BTreeSet<Uuid>> {
    let rows = sqlx::query(
        "SELECT document FROM ingest_members \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND id <> $4 AND document IS NOT NULL",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .fetch_all(c)
    .await?;
    members(&rows)
}

/// Assets were delivered from the files of these members, and are not any more.
pub async fn left(
    c: &mut AnyConnection,
    customer: i64,
    members: &BTreeSet<Uuid>,
) -> sqlx::Result<()> {
    for member in members {
        work::discard(c, customer, &member.to_string()).await?;
    }
    Ok(())
}
