//! From the settings to a client.

use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore};

use super::config::ObjectsConfig;
use super::url::BucketUrl;
use crate::{bucket, tls};

/// The part of the store that the URL names. Does not ask the store anything.
///
/// # Errors
/// If the variables of the environment do not go together.
pub fn connect(url: &BucketUrl, config: &ObjectsConfig) -> Result<impl ObjectStore + use<>, Error> {
    build(AmazonS3Builder::from_env(), url, config)
}

/// What is set wins over what the builder has already.
pub(super) fn build(
    builder: AmazonS3Builder,
    url: &BucketUrl,
    config: &ObjectsConfig,
) -> Result<impl ObjectStore + use<>, Error> {
    tls::choose();
    // Whoever waits has less time than a second attempt needs, and the breaker decides when to try again.
    let (endpoint, region) = (config.endpoint.as_deref(), config.region.as_deref());
    let builder = bucket::amazon(builder, &url.bucket, endpoint, region)
        // One at a time is deleted, and not all that speaks like S3 knows the other way.
        .with_disable_bulk_delete(true);
    Ok(PrefixStore::new(builder.build()?, url.prefix.clone()))
}
