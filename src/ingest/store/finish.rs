//! The pages of a composite, all at once.

use std::collections::BTreeSet;

use sqlx::AnyConnection;
use uuid::Uuid;

use super::assets::{self, Origin};
use super::batches::{self, Entry};
use super::progress::{self, Outdated};
use super::{collections, files, work};
use crate::ingest::asset::{NewAsset, Place};
use crate::ingest::member::Member;

/// Pages that are made and written at a time. The database is asked a few times for all of them, not for each.
const AT_A_TIME: usize = 100;

pub async fn complete(
    c: &mut AnyConnection,
    member: &Member,
    places: &[Place],
    per_batch: usize,
) -> sqlx::Result<Result<Member, Outdated>> {
    if !is_current(c, member).await? {
        return Ok(Err(Outdated));
    }
    let mut left = files::predecessors(c, member).await?;
    left.extend(put_pages(c, member, places, per_batch.max(1)).await?);
    let (retired, of_retired) = retire_surplus(c, member).await?;
    left.extend(of_retired);
    files::left(c, member.customer, &left).await?;
    let image_count = i64::try_from(places.len()).unwrap_or(i64::MAX);
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

/// Whose files the pages were until now.
async fn put_pages(
    c: &mut AnyConnection,
    member: &Member,
    places: &[Place],
    per_batch: usize,
) -> sqlx::Result<BTreeSet<Uuid>> {
    let mut batches = Vec::new();
    for _ in places.chunks(per_batch) {
        batches.push(batches::insert(c, member.customer, Some(member.id)).await?);
    }
    let mut left = BTreeSet::new();
    for chunk in in_order(member, places).chunks(AT_A_TIME) {
        let pages: Vec<Page> = chunk
            .iter()
            .map(|index| Page::new(member, places, *index, &batches, per_batch))
            .collect();
        left.extend(put(c, member, &pages).await?);
    }
    Ok(left)
}

/// The numbers of all pages by their identifiers: whoever changes several assets takes them in this order, so that two who do so do not
/// wait for each other.
fn in_order(member: &Member, places: &[Place]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).zip(places).map(|(index, _)| index).collect();
    order.sort_by_cached_key(|index| member.composite.page_id(*index));
    order
}

struct Page {
    asset: NewAsset,
    position: i64,
    batch: i64,
    in_batch: i64,
}

impl Page {
    fn new(
        member: &Member,
        places: &[Place],
        index: u32,
        batches: &[i64],
        per_batch: usize,
    ) -> Self {
        let at = index as usize;
        Self {
            asset: member.composite.page(index, places[at].clone()),
            position: index.into(),
            batch: batches[at / per_batch],
            in_batch: (at % per_batch) as i64,
        }
    }

    fn row<'a>(&'a self, member: &'a Member) -> (&'a NewAsset, Origin<'a>) {
        let origin = Origin {
            batch: Some(self.batch),
            member: Some((&member.name, member.id)),
            position: Some(self.position),
        };
        (&self.asset, origin)
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            batch: self.batch,
            position: self.in_batch,
            asset: &self.asset,
        }
    }
}

/// Nobody waits any longer for what the assets were to be before.
async fn put(
    c: &mut AnyConnection,
    member: &Member,
    pages: &[Page],
) -> sqlx::Result<BTreeSet<Uuid>> {
    let customer = member.customer;
    let rows: Vec<_> = pages.iter().map(|page| page.row(member)).collect();
    let ids: Vec<&str> = pages.iter().map(|page| &*page.asset.id).collect();
    let left = files::served(c, customer, member.composite.space(), &ids).await?;
    assets::upsert(c, customer, &rows).await?;
    batches::supersede(c, customer, member.composite.space(), &ids).await?;
    let entries: Vec<_> = pages.iter().map(Page::entry).collect();
    batches::insert_assets(c, &entries).await?;
    work::not_on_assets(c, pages.iter().map(|page| page.asset.key(customer))).await?;
    Ok(left)
}

/// Retires the pages that an earlier member of the composite had, and this one has not: how many, and whose files they were.
async fn retire_surplus(
    c: &mut AnyConnection,
    member: &Member,
) -> sqlx::Result<(i64, BTreeSet<Uuid>)> {
    let retired = sqlx::query(
        "UPDATE ingest_assets SET retired = 1 \
         WHERE customer = $1 AND space = $2 AND composite = $3 AND member <> $4 AND retired = 0 RETURNING location",
    )
    .bind(member.customer)
    .bind(member.composite.space())
    .bind(&member.name)
    .bind(member.id.to_string())
    .fetch_all(c)
    .await?;
    let count = i64::try_from(retired.len()).unwrap_or(i64::MAX);
    Ok((count, files::members(&retired)?))
}
