//! Batches.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use uuid::Uuid;

use super::assets::{self, Origin};
use super::listing::{Listing, Window};
use super::{columns, work};
use crate::ingest::asset::{AssetKey, NewAsset};
use crate::ingest::batch::{Batch, Outcome};
use crate::ingest::timestamp::Timestamp;
use crate::registry::placeholders;

/// Which batches of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The oldest first.
    All,
    /// Those that are not finished, the oldest first.
    Active,
    /// Those that are finished, the one that was finished last first.
    Recent,
}

/// What a customer waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub batches: i64,
    pub images: i64,
    /// Composites that are not made of images yet.
    pub composites: i64,
}

/// An asset in a batch.
pub struct Entry<'a> {
    pub batch: i64,
    pub position: i64,
    pub asset: &'a NewAsset,
}

const SELECT: &str = "SELECT b.id, b.customer, b.member, b.submitted, COUNT(a.batch) AS total, COUNT(a.outcome) AS done, \
     COUNT(CASE WHEN a.outcome = 'error' THEN 1 END) AS failed, MAX(a.finished) AS last, \
     (SELECT COUNT(*) FROM ingest_assets i WHERE i.batch = b.id) AS current \
     FROM ingest_batches b LEFT JOIN ingest_batch_assets a ON a.batch = b.id";
const GROUP: &str = "GROUP BY b.id, b.customer, b.member, b.submitted";

pub async fn submit(
    c: &mut AnyConnection,
    customer: i64,
    new: &[NewAsset],
    is_urgent: bool,
) -> sqlx::Result<Batch> {
    let id = insert(c, customer, None).await?;
    let mut order: Vec<(i64, &NewAsset)> = (0..).zip(new).collect();
    // So that two who do so do not wait for each other.
    order.sort_by_key(|(_, asset)| (asset.space, &asset.id));
    for (position, asset) in order {
        let key = asset.key(customer);
        let origin = Origin {
            batch: Some(id),
            position: Some(position),
            member: None,
        };
        // The asset first: who has it has what is kept of it elsewhere.
        assets::upsert(c, customer, &[(asset, origin)]).await?;
        supersede(c, customer, asset.space, &[&asset.id]).await?;
        let entry = Entry {
            batch: id,
            position,
            asset,
        };
        insert_assets(c, &[entry]).await?;
        work::on_asset(c, &key, &asset.fields.origin, is_urgent).await?;
    }
    let made = batch(c, customer, id).await?;
    made.ok_or(sqlx::Error::RowNotFound)
}

/// The number of a new batch.
pub async fn insert(
    c: &mut AnyConnection,
    customer: i64,
    member: Option<Uuid>,
) -> sqlx::Result<i64> {
    let row = sqlx::query(
        "INSERT INTO ingest_batches (customer, member, submitted) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(customer)
    .bind(member.map(|member| member.to_string()))
    .bind(Timestamp::now().0)
    .fetch_one(c)
    .await?;
    row.try_get("id")
}

/// Those that have their place already are complete.
pub async fn insert_assets(c: &mut AnyConnection, entries: &[Entry<'_>]) -> sqlx::Result<()> {
    let rows = (0..entries.len()).map(|row| format!("({})", placeholders(6 * row + 1, 6)));
    let inserting = format!(
        "INSERT INTO ingest_batch_assets (batch, position, space, asset, outcome, finished) VALUES {}",
        rows.collect::<Vec<_>>().join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(inserting));
    for entry in entries {
        let is_complete = entry.asset.place.is_some();
        query = query
            .bind(entry.batch)
            .bind(entry.position)
            .bind(entry.asset.space)
            .bind(&entry.asset.id)
            .bind(is_complete.then_some(Outcome::Completed.as_str()))
            .bind(is_complete.then(|| Timestamp::now().0));
    }
    query.execute(c).await.map(drop)
}

/// What became of an asset in the batch that it was last submitted with.
pub async fn note(
    c: &mut AnyConnection,
    batch: i64,
    key: &AssetKey,
    outcome: Outcome,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ingest_batch_assets SET outcome = $4, finished = $5 WHERE batch = $1 AND space = $2 AND asset = $3",
    )
    .bind(batch)
    .bind(key.space)
    .bind(&key.id)
    .bind(outcome.as_str())
    .bind(Timestamp::now().0)
    .execute(c)
    .await?;
    Ok(())
}

/// No batch waits any longer for assets that are submitted again, or retired.
pub async fn supersede(
    c: &mut AnyConnection,
    customer: i64,
    space: i64,
    ids: &[&str],
) -> sqlx::Result<()> {
    let superseding = format!(
        "UPDATE ingest_batch_assets SET outcome = $3, finished = $4 WHERE space = $2 AND outcome IS NULL \
         AND batch IN (SELECT id FROM ingest_batches WHERE customer = $1) AND asset IN ({})",
        placeholders(5, ids.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(superseding))
        .bind(customer)
        .bind(space)
        .bind(Outcome::Superseded.as_str())
        .bind(Timestamp::now().0);
    for id in ids {
        query = query.bind(*id);
    }
    query.execute(c).await.map(drop)
}

pub async fn batch(c: &mut AnyConnection, customer: i64, id: i64) -> sqlx::Result<Option<Batch>> {
    let asking = format!("{SELECT} WHERE b.customer = $1 AND b.id = $2 {GROUP}");
    let row = sqlx::query(AssertSqlSafe(asking))
        .bind(customer)
        .bind(id)
        .fetch_optional(c)
        .await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &AnyRow) -> sqlx::Result<Batch> {
    let (count, completed) = (row.try_get("total")?, row.try_get("done")?);
    let last: Option<i64> = row.try_get("last")?;
    Ok(Batch {
        id: row.try_get("id")?,
        customer: row.try_get("customer")?,
        member: columns::uuid_or_none(row, "member")?,
        submitted: Timestamp(row.try_get("submitted")?),
        count,
        completed,
        errors: row.try_get("failed")?,
        is_superseded: row.try_get::<i64, _>("current")? == 0,
        finished: last.filter(|_| count == completed).map(Timestamp),
    })
}

impl Which {
    fn condition(self) -> &'static str {
        const WAITING: &str = "EXISTS (SELECT 1 FROM ingest_batch_assets w WHERE w.batch = b.id AND w.outcome IS NULL)";
        const FINISHED: &str = "NOT EXISTS (SELECT 1 FROM ingest_batch_assets w WHERE w.batch = b.id AND w.outcome IS NULL)";
        match self {
            Self::All => "1 = 1",
            Self::Active => WAITING,
            Self::Recent => FINISHED,
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::All | Self::Active => "b.id",
            Self::Recent => "last DESC, b.id DESC",
        }
    }
}

pub async fn list(
    c: &mut AnyConnection,
    customer: i64,
    which: Which,
    window: Window,
) -> sqlx::Result<Listing<Batch>> {
    let condition = which.condition();
    let counting = format!(
        "SELECT COUNT(*) AS total FROM ingest_batches b WHERE b.customer = $1 AND {condition}"
    );
    let total = sqlx::query(AssertSqlSafe(counting))
        .bind(customer)
        .fetch_one(&mut *c)
        .await?;
    let order = which.order();
    let asking = format!(
        "{SELECT} WHERE b.customer = $1 AND {condition} {GROUP} ORDER BY {order} LIMIT $2 OFFSET $3"
    );
    let rows = sqlx::query(AssertSqlSafe(asking))
        .bind(customer)
        .bind(window.size())
        .bind(window.offset())
        .fetch_all(c)
        .await?;
    Ok(Listing {
        total: total.try_get("total")?,
        members: rows.iter().map(from_row).collect::<sqlx::Result<_>>()?,
    })
}

pub async fn waiting(c: &mut AnyConnection, customer: i64) -> sqlx::Result<Waiting> {
    let row = sqlx::query(
        "SELECT COUNT(DISTINCT a.batch) AS batches, COUNT(*) AS images, \
         (SELECT COUNT(*) FROM ingest_members m WHERE m.customer = $1 AND m.status NOT IN ('COMPLETED', 'ERROR')) AS composites \
         FROM ingest_batch_assets a JOIN ingest_batches b ON b.id = a.batch WHERE b.customer = $1 AND a.outcome IS NULL",
    )
    .bind(customer)
    .fetch_one(c)
    .await?;
    Ok(Waiting {
        batches: row.try_get("batches")?,
        images: row.try_get("images")?,
        composites: row.try_get("composites")?,
    })
}
