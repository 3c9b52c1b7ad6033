//! Assets, one by one.

use serde_json::{Map, Value};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};
use uuid::Uuid;

use super::{batches, columns, files, work};
use crate::ingest::asset::{Asset, AssetKey, NewAsset, Place};
use crate::ingest::batch::Outcome;
use crate::ingest::fields::Fields;
use crate::ingest::timestamp::Timestamp;
use crate::queue::{Lease, is_held};
use crate::registry::placeholders;

/// What an asset was submitted with.
#[derive(Default)]
pub struct Origin<'a> {
    pub batch: Option<i64>,
    /// The name of a composite and its member.
    pub member: Option<(&'a str, Uuid)>,
    pub position: Option<i64>,
}

pub async fn asset(c: &mut AnyConnection, key: &AssetKey) -> sqlx::Result<Option<Asset>> {
    let asking = format!(
        "SELECT {} FROM ingest_assets a WHERE a.customer = $1 AND a.space = $2 AND a.id = $3",
        columns::ASSET
    );
    let row = sqlx::query(AssertSqlSafe(asking))
        .bind(key.customer)
        .bind(key.space)
        .bind(&key.id)
        .fetch_optional(c)
        .await?;
    row.as_ref().map(columns::asset).transpose()
}

/// One that is there, and kept as it is by others until the transaction ends.
async fn held(c: &mut AnyConnection, key: &AssetKey) -> sqlx::Result<Option<Asset>> {
    let done = sqlx::query(
        "UPDATE ingest_assets SET created = created \
         WHERE customer = $1 AND space = $2 AND id = $3 AND retired = 0",
    )
    .bind(key.customer)
    .bind(key.space)
    .bind(&key.id)
    .execute(&mut *c)
    .await?;
    match done.rows_affected() {
        0 => Ok(None),
        _ => asset(c, key).await,
    }
}

pub async fn put(c: &mut AnyConnection, customer: i64, new: &NewAsset) -> sqlx::Result<bool> {
    let key = new.key(customer);
    let is_new = held(c, &key).await?.is_none();
    upsert(c, customer, &[(new, Origin::default())]).await?;
    batches::supersede(c, customer, new.space, &[&new.id]).await?;
    work::on_asset(c, &key, &new.fields.origin, false).await?;
    Ok(is_new)
}

/// Makes or replaces rows. One without a place is still to be ingested, and served as it was until then.
pub async fn upsert(
    c: &mut AnyConnection,
    customer: i64,
    rows: &[(&NewAsset, Origin<'_>)],
) -> sqlx::Result<()> {
    let values = (0..rows.len()).map(|row| {
        let first = COLUMNS * row + 1;
        format!("({}, 0)", placeholders(first, COLUMNS))
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let mut query = sqlx::query(AssertSqlSafe(format!("{INSERT} VALUES {values} {REPLACE}")));
    for (new, origin) in rows {
        query = bind(query, customer, new, origin);
    }
    query.execute(c).await.map(drop)
}

/// All but `retired`.
const COLUMNS: usize = 23;
const INSERT: &str = "INSERT INTO ingest_assets (customer, space, id, origin, string1, string2, string3, number1, number2, number3, \
     fields, location, page, resolution, box, width, height, composite, member, position, batch, created, finished, retired)";
const REPLACE: &str = "ON CONFLICT (customer, space, id) DO UPDATE SET retired = 0, origin = excluded.origin, string1 = excluded.string1, \
     string2 = excluded.string2, string3 = excluded.string3, number1 = excluded.number1, number2 = excluded.number2, \
     number3 = excluded.number3, fields = excluded.fields, \
     location = COALESCE(excluded.location, CASE WHEN ingest_assets.retired = 0 THEN ingest_assets.location END), \
     page = CASE WHEN excluded.location IS NULL THEN ingest_assets.page ELSE excluded.page END, \
     resolution = CASE WHEN excluded.location IS NULL THEN ingest_assets.resolution ELSE excluded.resolution END, \
     box = CASE WHEN excluded.location IS NULL THEN ingest_assets.box ELSE excluded.box END, \
     width = COALESCE(excluded.width, ingest_assets.width), height = COALESCE(excluded.height, ingest_assets.height), \
     composite = excluded.composite, member = excluded.member, position = excluded.position, batch = excluded.batch, \
     finished = excluded.finished, error = NULL";

type Binding<'a> = Query<'a, Any, AnyArguments>;

fn bind<'a>(
    query: Binding<'a>,
    customer: i64,
    new: &'a NewAsset,
    origin: &Origin<'a>,
) -> Binding<'a> {
    let place = new.place.as_ref();
    let now = Timestamp::now().0;
    bind_fields(query, (customer, new.space, &new.id), &new.fields)
        .bind(place.map(|place| place.location.as_str()))
        .bind(place.map(|place| i64::from(place.page.number())))
        .bind(place.and_then(|place| place.resolution).map(i64::from))
        .bind(place.and_then(|place| place.cut.as_deref()))
        .bind(place.map(|place| i64::from(place.width)))
        .bind(place.map(|place| i64::from(place.height)))
        .bind(origin.member.map(|(composite, _)| composite))
        .bind(origin.member.map(|(_, member)| member.to_string()))
        .bind(origin.position)
        .bind(origin.batch)
        .bind(now)
        .bind(place.map(|_| now))
}

/// Which asset it is, and what is said of it.
fn bind_fields<'a>(
    query: Binding<'a>,
    (customer, space, id): (i64, i64, &'a str),
    fields: &'a Fields,
) -> Binding<'a> {
    let [string1, string2, string3] = &fields.strings;
    let [number1, number2, number3] = fields.numbers;
    query
        .bind(customer)
        .bind(space)
        .bind(id)
        .bind(&fields.origin)
        .bind(string1.as_deref())
        .bind(string2.as_deref())
        .bind(string3.as_deref())
        .bind(number1)
        .bind(number2)
        .bind(number3)
        .bind(Value::Object(fields.others.clone()).to_string())
}

/// An asset would have more fields than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

pub async fn patch(
    c: &mut AnyConnection,
    changes: &[(AssetKey, Map<String, Value>)],
) -> sqlx::Result<Result<Vec<Asset>, TooLong>> {
    let mut order: Vec<_> = changes.iter().collect();
    order.sort_by_key(|(key, _)| key);
    let mut changed = Vec::new();
    for (key, change) in order {
        let Some(mut asset) = held(c, key).await? else {
            continue;
        };
        let origin = asset.fields.origin.clone();
        asset.fields.change(change);
        if asset.fields.are_too_long() {
            return Ok(Err(TooLong));
        }
        changed.push((asset, origin));
    }
    // All may be kept, or none.
    for (asset, origin) in &mut changed {
        describe(c, asset).await?;
        if asset.fields.origin != *origin {
            again(c, asset).await?;
        }
    }
    Ok(Ok(changed.into_iter().map(|(asset, _)| asset).collect()))
}

/// Keeps what is said of an asset that is there.
async fn describe(c: &mut AnyConnection, asset: &Asset) -> sqlx::Result<()> {
    let describing = sqlx::query(
        "UPDATE ingest_assets SET origin = $4, string1 = $5, string2 = $6, string3 = $7, number1 = $8, number2 = $9, \
         number3 = $10, fields = $11 WHERE customer = $1 AND space = $2 AND id = $3",
    );
    let AssetKey {
        customer,
        space,
        id,
    } = &asset.key;
    bind_fields(describing, (*customer, *space, id), &asset.fields)
        .execute(c)
        .await?;
    Ok(())
}

pub async fn reingest(c: &mut AnyConnection, key: &AssetKey) -> sqlx::Result<Option<Asset>> {
    let Some(mut asset) = held(c, key).await? else {
        return Ok(None);
    };
    if asset.composite.is_none() {
        again(c, &mut asset).await?;
    }
    Ok(Some(asset))
}

/// Has its origin looked at again.
async fn again(c: &mut AnyConnection, asset: &mut Asset) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ingest_assets SET finished = NULL, error = NULL, composite = NULL, member = NULL \
         WHERE customer = $1 AND space = $2 AND id = $3",
    )
    .bind(asset.key.customer)
    .bind(asset.key.space)
    .bind(&asset.key.id)
    .execute(&mut *c)
    .await?;
    (asset.finished, asset.error) = (None, None);
    (asset.composite, asset.member) = (None, None);
    work::on_asset(c, &asset.key, &asset.fields.origin, false).await
}

pub async fn retire(c: &mut AnyConnection, key: &AssetKey) -> sqlx::Result<bool> {
    let retired = sqlx::query(
        "UPDATE ingest_assets SET retired = 1 WHERE customer = $1 AND space = $2 AND id = $3 AND retired = 0 RETURNING location",
    )
    .bind(key.customer)
    .bind(key.space)
    .bind(&key.id)
    .fetch_all(&mut *c)
    .await?;
    batches::supersede(c, key.customer, key.space, &[&key.id]).await?;
    files::left(c, key.customer, &files::members(&retired)?).await?;
    Ok(!retired.is_empty())
}

pub async fn ingested(
    c: &mut AnyConnection,
    lease: Lease,
    key: &AssetKey,
    origin: &str,
    outcome: Result<&Place, &str>,
) -> sqlx::Result<bool> {
    let Some(asset) = held(c, key).await? else {
        return Ok(false);
    };
    if asset.fields.origin != origin || !asset.is_ingesting() {
        return Ok(false);
    }
    // Who has it looked at again keeps the asset first, too.
    if !is_held(c, lease).await? {
        return Ok(false);
    }
    let outcome = match outcome {
        Ok(place) => {
            let left = files::served(c, key.customer, key.space, &[&key.id]).await?;
            files::left(c, key.customer, &left).await?;
            set_place(c, key, place).await?;
            Outcome::Completed
        }
        Err(error) => {
            set_error(c, key, error).await?;
            Outcome::Error
        }
    };
    if let Some(batch) = asset.batch {
        batches::note(c, batch, key, outcome).await?;
    }
    Ok(true)
}

async fn set_place(c: &mut AnyConnection, key: &AssetKey, place: &Place) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ingest_assets SET location = $4, page = $5, resolution = $6, box = $7, width = $8, height = $9, \
         finished = $10, error = NULL WHERE customer = $1 AND space = $2 AND id = $3",
    )
    .bind(key.customer)
    .bind(key.space)
    .bind(&key.id)
    .bind(&place.location)
    .bind(i64::from(place.page.number()))
    .bind(place.resolution.map(i64::from))
    .bind(place.cut.as_deref())
    .bind(i64::from(place.width))
    .bind(i64::from(place.height))
    .bind(Timestamp::now().0)
    .execute(c)
    .await?;
    Ok(())
}

async fn set_error(c: &mut AnyConnection, key: &AssetKey, error: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ingest_assets SET error = $4, finished = $5 WHERE customer = $1 AND space = $2 AND id = $3",
    )
    .bind(key.customer)
    .bind(key.space)
    .bind(&key.id)
    .bind(error)
    .bind(Timestamp::now().0)
    .execute(&mut *c)
    .await?;
    forget_other_place(c, key).await
}

/// What another origin had is not what this one has.
async fn forget_other_place(c: &mut AnyConnection, key: &AssetKey) -> sqlx::Result<()> {
    let asset = asset(c, key).await?;
    let is_its_own = |asset: &Asset| {
        let place = asset.place.as_ref();
        place.is_none_or(|place| place.is_of(&asset.fields.origin))
    };
    if asset.as_ref().is_none_or(is_its_own) {
        return Ok(());
    }
    sqlx::query(
        "UPDATE ingest_assets SET location = NULL, width = NULL, height = NULL WHERE customer = $1 AND space = $2 AND id = $3",
    )
    .bind(key.customer)
    .bind(key.space)
    .bind(&key.id)
    .execute(c)
    .await?;
    Ok(())
}
