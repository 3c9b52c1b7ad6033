//! Rows as values.

use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::ingest::asset::{Asset, AssetKey, Place};
use crate::ingest::composite::Composite;
use crate::ingest::fields::Fields;
use crate::ingest::member::Member;
use crate::ingest::status::Status;
use crate::ingest::timestamp::Timestamp;
use crate::page::Page;

/// The columns of an asset by name: a newer Azulejo, which another node has already, may add some.
pub const ASSET: &str = "a.customer, a.space, a.id, a.retired, a.origin, a.string1, a.string2, a.string3, \
     a.number1, a.number2, a.number3, a.fields, a.location, a.page, a.resolution, a.box, a.width, a.height, \
     a.composite, a.member, a.position, a.batch, a.created, a.finished, a.error";

pub fn asset(row: &AnyRow) -> sqlx::Result<Asset> {
    let fields = Fields {
        origin: row.try_get("origin")?,
        strings: [
            row.try_get("string1")?,
            row.try_get("string2")?,
            row.try_get("string3")?,
        ],
        numbers: [
            row.try_get("number1")?,
            row.try_get("number2")?,
            row.try_get("number3")?,
        ],
        others: object(row, "fields")?,
    };
    Ok(Asset {
        key: AssetKey {
            customer: row.try_get("customer")?,
            space: row.try_get("space")?,
            id: row.try_get("id")?,
        },
        fields,
        is_retired: row.try_get::<i64, _>("retired")? != 0,
        place: place(row)?,
        composite: row.try_get("composite")?,
        member: uuid_or_none(row, "member")?,
        position: row.try_get("position")?,
        batch: row.try_get("batch")?,
        created: Timestamp(row.try_get("created")?),
        finished: row.try_get::<Option<i64>, _>("finished")?.map(Timestamp),
        error: row.try_get("error")?,
    })
}

fn place(row: &AnyRow) -> sqlx::Result<Option<Place>> {
    let Some(location) = row.try_get("location")? else {
        return Ok(None);
    };
    let number = |name| -> sqlx::Result<Option<u32>> {
        let value: Option<i64> = row.try_get(name)?;
        Ok(value.and_then(|value| value.try_into().ok()))
    };
    Ok(Some(Place {
        location,
        page: number("page")?.and_then(Page::new).unwrap_or_default(),
        resolution: number("resolution")?,
        cut: row.try_get("box")?,
        width: number("width")?.unwrap_or_default(),
        height: number("height")?.unwrap_or_default(),
    }))
}

/// A member, but for its batches.
pub fn member(row: &AnyRow) -> sqlx::Result<Member> {
    let status: String = row.try_get("status")?;
    let status = Status::parse(&status);
    Ok(Member {
        id: uuid(row, "id")?,
        collection: uuid(row, "collection")?,
        customer: row.try_get("customer")?,
        composite: Composite(object(row, "template")?),
        name: row.try_get("composite")?,
        status: status.ok_or_else(|| unreadable("status", "there is no such status"))?,
        created: Timestamp(row.try_get("created")?),
        updated: Timestamp(row.try_get("updated")?),
        document: row.try_get("document")?,
        image_count: row.try_get("image_count")?,
        retired: row.try_get("retired")?,
        error: row.try_get("error")?,
        batches: Vec::new(),
    })
}

fn object(row: &AnyRow, column: &str) -> sqlx::Result<Map<String, Value>> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

pub fn uuid(row: &AnyRow, column: &str) -> sqlx::Result<Uuid> {
    uuid_or_none(row, column)?.ok_or_else(|| unreadable(column, "it is not set"))
}

pub fn uuid_or_none(row: &AnyRow, column: &str) -> sqlx::Result<Option<Uuid>> {
    let text: Option<String> = row.try_get(column)?;
    let uuid = text.map(|text| Uuid::try_parse(&text)).transpose();
    uuid.map_err(|error| unreadable(column, error))
}

fn unreadable(
    column: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    }
}
