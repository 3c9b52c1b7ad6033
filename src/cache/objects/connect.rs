//! From the settings to a client.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, RetryConfig};

use super::config::ObjectsConfig;
use super::url::BucketUrl;
use crate::tls;

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
    let retry = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    let mut builder = builder
        .with_bucket_name(&url.bucket)
        .with_retry(retry)
        // One at a time is deleted, and not all that speaks like S3 knows the other way.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = &config.endpoint {
        // The key that wins over every variable.
        builder = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, endpoint)
            .with_allow_http(endpoint.starts_with("http:"));
    }
    if let Some(region) = &config.region {
        builder = builder.with_region(region);
    }
    Ok(PrefixStore::new(builder.build()?, url.prefix.clone()))
}
