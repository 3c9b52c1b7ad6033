//! Buckets of object stores: how they are named, and how Amazon's are connected to.

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;

use crate::config::formats::Invalid;

/// The name and the prefix of `bucket/prefix`, as it stands in a URL after the scheme.
///
/// # Errors
/// If it is something else.
pub fn parse(text: &str) -> Result<(String, Path), Invalid> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if bucket.is_empty() || !bucket.bytes().all(is_name) {
        return Err(Invalid(
            "between :// and the next slash it has no name of a bucket",
        ));
    }
    if prefix.starts_with('/') || prefix.contains(['?', '#']) {
        return Err(Invalid("it has two slashes, a query or a fragment"));
    }
    let prefix = Path::parse(prefix)
        .map_err(|_| Invalid("the names of objects cannot begin with its path"))?;
    Ok((bucket.to_owned(), prefix))
}

/// What is set wins over what the builder has already. Each request is made once.
pub fn amazon(
    builder: AmazonS3Builder,
    bucket: &str,
    endpoint: Option<&str>,
    region: Option<&str>,
) -> AmazonS3Builder {
    let mut builder = builder.with_bucket_name(bucket).with_retry(once());
    if let Some(endpoint) = endpoint {
        // The key that wins over every variable.
        builder = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, endpoint)
            .with_allow_http(is_plain(endpoint));
    }
    match region {
        Some(region) => builder.with_region(region),
        None => builder,
    }
}

/// Whoever asks has attempts of its own.
pub fn once() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// Whether a server is asked without TLS.
pub fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http:")
}
