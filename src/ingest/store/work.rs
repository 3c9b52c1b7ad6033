//! Having things worked on, in the transaction that keeps them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use uuid::Uuid;

use crate::ingest::asset::AssetKey;
use crate::queue::{NewJob, cancel, enqueue};

/// The kind of jobs whose subject is a member: its document is to be fetched, and its pages made assets.
pub const COMPOSITE: &str = "composite";
/// The kind of jobs whose subject is an asset: its origin is to be looked at. Their payload is an [`Image`].
pub const ASSET: &str = "asset";

/// The kind of jobs whose subject is a member: its files are to be removed.
pub const DISCARD: &str = "discard";

/// For so long a node may deliver pages from where they were.
const DELIVERED: Duration = Duration::from_secs(600);

/// Which image is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub customer: i64,
    pub space: i64,
    pub id: String,
    /// As it was when this became necessary.
    pub origin: String,
}

/// Has the document of a member fetched, and its pages made assets.
pub async fn on_composite(
    connection: &mut AnyConnection,
    customer: i64,
    member: Uuid,
    is_urgent: bool,
) -> sqlx::Result<()> {
    let job = NewJob {
        kind: COMPOSITE,
        owner: &customer.to_string(),
        subject: &member.to_string(),
        priority: is_urgent.into(),
        payload: "{}",
        after: Duration::ZERO,
    };
    enqueue(connection, &job).await.map(drop)
}

/// Nobody needs the pages of a member any more: its job is over, and its files are removed when nobody can be reading them.
pub async fn not_on_composite(
    connection: &mut AnyConnection,
    customer: i64,
    member: &str,
) -> sqlx::Result<()> {
    cancel(connection, COMPOSITE, &[member]).await?;
    discard(connection, customer, member).await
}

/// Has the files of a member removed, if they are not needed when nobody can be reading them any more.
pub async fn discard(
    connection: &mut AnyConnection,
    customer: i64,
    member: &str,
) -> sqlx::Result<()> {
    cancel(connection, DISCARD, &[member]).await?;
    let job = NewJob {
        kind: DISCARD,
        owner: &customer.to_string(),
        subject: member,
        priority: 0,
        payload: "{}",
        after: DELIVERED,
    };
    enqueue(connection, &job).await.map(drop)
}

/// What becomes of assets is known already: their origins are not looked at.
pub async fn not_on_assets(
    connection: &mut AnyConnection,
    keys: impl Iterator<Item = AssetKey>,
) -> sqlx::Result<()> {
    let subjects: Vec<String> = keys.map(|key| key.to_string()).collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    cancel(connection, ASSET, &subjects).await.map(drop)
}

/// Has the origin of an asset looked at, and no other one that it had before.
pub async fn on_asset(
    connection: &mut AnyConnection,
    key: &AssetKey,
    origin: &str,
    is_urgent: bool,
) -> sqlx::Result<()> {
    let image = Image {
        customer: key.customer,
        space: key.space,
        id: key.id.clone(),
        origin: origin.to_owned(),
    };
    let payload = serde_json::to_string(&image);
    let job = NewJob {
        kind: ASSET,
        owner: &key.customer.to_string(),
        subject: &key.to_string(),
        priority: is_urgent.into(),
        payload: &payload.map_err(|error| sqlx::Error::Encode(error.into()))?,
        after: Duration::ZERO,
    };
    cancel(connection, ASSET, &[job.subject]).await?;
    enqueue(connection, &job).await.map(drop)
}
