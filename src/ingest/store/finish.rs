//! The pages of a composite, all at once.

use sqlx::{AnyConnection, Row};

use super::assets::{self, Origin};
use super::progress::{self, Outdated};
use super::{batches, collections, work};
use crate::ingest::asset::NewAsset;
use crate::ingest::member::Member;

pub async fn complete(
    c: &mut AnyConnection,
    member: &Member,
    pages: &[NewAsset],
    per_batch: usize,
) -> sqlx::Result<Result<Member, Outdated>> {
    if !is_current(c, member).await? {
        return Ok(Err(Outdated));
    }
    discard_others(c, member).await?;
    put_pages(c, member, pages, per_batch).await?;
    let retired = retire_surplus(c, member).await?;
    let image_count = i64::try_from(pages.len()).unwrap_or(i64::MAX);
    if let Err(outdated) = progress::complete(c, member.id, image_count, retired).await? {
        return Ok(Err(outdated));
    }
    let done = collections::member(c, member.id).await?;
    done.map(Ok).ok_or(sqlx::Error::RowNotFound)
}

/// Whether it is what its composite is made of, and not final. Until the transaction ends, nobody replaces it.
async fn is_current(c: &mut AnyConnection, member: &Member) -> sqlx::Result<bool> {
    let held = sqlx::query(
        "UPDATE ingest_composites SET member = member \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND member = $4",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .execute(&mut *c)
    .await?;
    let now = collections::member(c, member.id).await?;
    Ok(held.rows_affected() == 1 && now.is_some_and(|now| !now.status.is_final()))
}

/// Has the files of those removed whose pages the composite had until now.
async fn discard_others(c: &mut AnyConnection, member: &Member) -> sqlx::Result<()> {
    let others = sqlx::query(
        "SELECT DISTINCT member FROM ingest_assets \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND member <> $4 AND retired = 0",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .fetch_all(&mut *c)
    .await?;
    for row in &others {
        work::not_on_composite(c, member.customer, row.try_get("member")?).await?;
    }
    Ok(())
}

async fn put_pages(
    c: &mut AnyConnection,
    member: &Member,
    pages: &[NewAsset],
    per_batch: usize,
) -> sqlx::Result<()> {
    let mut position = 0;
    for chunk in pages.chunks(per_batch.max(1)) {
        let batch = batches::insert(c, member.customer, Some(member.id)).await?;
        for (page, in_batch) in chunk.iter().zip(0_i64..) {
            let origin = Origin {
                batch: Some(batch),
                member: Some((&member.name, member.id)),
                position: Some(position),
            };
            assets::upsert(c, member.customer, page, &origin).await?;
            batches::insert_asset(c, batch, in_batch, page).await?;
            position += 1;
        }
    }
    Ok(())
}

/// Retires the pages that an earlier member of the composite had, and this one has not.
async fn retire_surplus(c: &mut AnyConnection, member: &Member) -> sqlx::Result<i64> {
    let done = sqlx::query(
        "UPDATE ingest_assets SET retired = 1 \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND member <> $4 AND retired = 0",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .execute(c)
    .await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}
