//! Composites that were posted together, and how far each is.

use uuid::Uuid;

use super::composite::Composite;
use super::status::Status;
use super::timestamp::Timestamp;

/// What was posted with one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    pub id: Uuid,
    pub customer: i64,
    pub created: Timestamp,
    /// In the order of the request.
    pub members: Vec<Member>,
}

/// One composite of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub id: Uuid,
    pub collection: Uuid,
    pub customer: i64,
    pub composite: Composite,
    /// The name of the composite in its space: `compositeId`, or else the member's `id`. Who posts the same name again replaces it.
    pub name: String,
    pub status: Status,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Where the durable copy of its document is, once it has been fetched.
    pub document: Option<String>,
    /// Its pages, as soon as they are counted.
    pub image_count: Option<i64>,
    /// Pages of what it replaced that it has not.
    pub retired: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The batches that its pages are in.
    pub batches: Vec<i64>,
}

/// How far a member has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the durable copy of its document is, if that has just become known.
    pub document: Option<String>,
    /// The number of its pages, if that has just become known.
    pub image_count: Option<i64>,
}
