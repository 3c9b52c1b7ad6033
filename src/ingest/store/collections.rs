//! Collections and their members.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use serde_json::Value;
use sqlx::{AnyConnection, Row};
use uuid::Uuid;

use super::{columns, work};
use crate::ingest::composite::Composite;
use crate::ingest::member::{Collection, Member};
use crate::ingest::status::Status;
use crate::ingest::timestamp::Timestamp;

macro_rules! select {
    ($rest:literal) => {
        sqlx::query(concat!(
            "SELECT id, collection, customer, composite, template, status, created, updated, document, image_count, retired, error ",
            "FROM ingest_members ",
            $rest
        ))
    };
}

pub async fn accept(
    c: &mut AnyConnection,
    customer: i64,
    composites: &[Composite],
    is_urgent: bool,
) -> sqlx::Result<Collection> {
    let now = Timestamp::now();
    let mut collection = Collection {
        id: new_id(),
        customer,
        created: now,
        members: Vec::new(),
    };
    insert_collection(c, &collection).await?;
    for (composite, position) in composites.iter().zip(0_i64..) {
        let member = new_member(&collection, composite);
        insert_member(c, &member, position).await?;
        collection.members.push(member);
    }
    // In one order, so that two who do so do not wait for each other.
    let mut members: Vec<&Member> = collection.members.iter().collect();
    members.sort_by_key(|member| (member.composite.space(), &member.name));
    for member in members {
        replace_others(c, member).await?;
        work::on_composite(c, customer, member.id, is_urgent).await?;
    }
    Ok(collection)
}

/// That nobody else has: of hashes of nothing, with keys that the standard library takes from the system.
fn new_id() -> Uuid {
    let random = || RandomState::new().build_hasher().finish();
    let bytes = u128::from(random()) << 64 | u128::from(random());
    uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
}

fn new_member(collection: &Collection, composite: &Composite) -> Member {
    let id = new_id();
    let name = composite.composite_id().map(str::to_owned);
    Member {
        id,
        collection: collection.id,
        customer: collection.customer,
        composite: composite.clone(),
        name: name.unwrap_or_else(|| id.to_string()),
        status: Status::Pending,
        created: collection.created,
        updated: collection.created,
        document: None,
        image_count: None,
        retired: None,
        error: None,
        batches: Vec::new(),
    }
}

async fn insert_collection(c: &mut AnyConnection, collection: &Collection) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ingest_collections (id, customer, created) VALUES ($1, $2, $3)")
        .bind(collection.id.to_string())
        .bind(collection.customer)
        .bind(collection.created.0)
        .execute(c)
        .await?;
    Ok(())
}

async fn insert_member(c: &mut AnyConnection, member: &Member, position: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ingest_members \
         (id, collection, position, customer, space, composite, template, status, created, updated) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(member.id.to_string())
    .bind(member.collection.to_string())
    .bind(position)
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(Value::Object(member.composite.0.clone()).to_string())
    .bind(member.status.as_str())
    .bind(member.created.0)
    .execute(c)
    .await?;
    Ok(())
}

/// Makes a member the one that its composite is made of. Who does the same at the same time waits here.
async fn replace_others(c: &mut AnyConnection, member: &Member) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ingest_composites (customer, space, composite, member) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (customer, space, composite) DO UPDATE SET member = excluded.member",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .execute(&mut *c)
    .await?;
    let replaced = sqlx::query(
        "UPDATE ingest_members SET status = 'ERROR', error = $5, updated = $6 \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND id <> $4 AND status NOT IN ('COMPLETED', 'ERROR') RETURNING id",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .bind(format!("replaced by the member {} before it was finished", member.id))
    .bind(member.created.0)
    .fetch_all(&mut *c)
    .await?;
    for row in &replaced {
        work::not_on_composite(c, member.customer, row.try_get("id")?).await?;
    }
    Ok(())
}

pub async fn collection(c: &mut AnyConnection, id: Uuid) -> sqlx::Result<Option<Collection>> {
    let row = sqlx::query("SELECT customer, created FROM ingest_collections WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *c)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Collection {
        id,
        customer: row.try_get("customer")?,
        created: Timestamp(row.try_get("created")?),
        members: members(c, id).await?,
    }))
}

async fn members(c: &mut AnyConnection, collection: Uuid) -> sqlx::Result<Vec<Member>> {
    let rows = select!("WHERE collection = $1 ORDER BY position")
        .bind(collection.to_string())
        .fetch_all(&mut *c)
        .await?;
    let batches = sqlx::query(
        "SELECT b.member, b.id FROM ingest_batches b JOIN ingest_members m ON m.id = b.member \
         WHERE m.collection = $1 ORDER BY b.id",
    )
    .bind(collection.to_string())
    .fetch_all(c)
    .await?;
    let mut of_members: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
    for row in &batches {
        let batches = of_members.entry(columns::uuid(row, "member")?).or_default();
        batches.push(row.try_get("id")?);
    }
    let members = rows.iter().map(|row| {
        let member = columns::member(row)?;
        let batches = of_members.remove(&member.id).unwrap_or_default();
        Ok(Member { batches, ..member })
    });
    members.collect()
}

pub async fn member(c: &mut AnyConnection, id: Uuid) -> sqlx::Result<Option<Member>> {
    let row = select!("WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *c)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let rows = sqlx::query("SELECT id FROM ingest_batches WHERE member = $1 ORDER BY id")
        .bind(id.to_string())
        .fetch_all(c)
        .await?;
    let batches = rows.iter().map(|row| row.try_get("id"));
    Ok(Some(Member {
        batches: batches.collect::<sqlx::Result<_>>()?,
        ..columns::member(&row)?
    }))
}

pub async fn has_members(c: &mut AnyConnection) -> sqlx::Result<bool> {
    let one = sqlx::query("SELECT id FROM ingest_members LIMIT 1");
    Ok(one.fetch_optional(c).await?.is_some())
}
