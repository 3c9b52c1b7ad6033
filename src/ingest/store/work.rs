//! Having things worked on, in the transaction that keeps them.

use sqlx::AnyConnection;
use uuid::Uuid;

use crate::ingest::asset::AssetKey;

/// Has the document of a member fetched, and its pages made assets.
#[expect(
    clippy::unused_async,
    reason = "the queue is made elsewhere at this moment"
)]
pub async fn on_composite(
    _connection: &mut AnyConnection,
    _customer: i64,
    _member: Uuid,
    _is_urgent: bool,
) -> sqlx::Result<()> {
    Ok(())
}

/// Has the origin of an asset looked at.
#[expect(
    clippy::unused_async,
    reason = "the queue is made elsewhere at this moment"
)]
pub async fn on_asset(
    _connection: &mut AnyConnection,
    _key: &AssetKey,
    _origin: &str,
    _is_urgent: bool,
) -> sqlx::Result<()> {
    Ok(())
}
