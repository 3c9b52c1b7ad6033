//! From the settings to a client.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ClientOptions, Error, ObjectStore, StaticCredentialProvider};

use super::config::ObjectsSourceConfig;
use super::url::{Service, StoreUrl};
use super::witness::Connector;
use crate::{bucket, tls};

/// Asks the store nothing.
///
/// # Errors
/// If the settings and the variables of the environment do not go together.
pub fn connect(
    url: &StoreUrl,
    config: &ObjectsSourceConfig,
) -> Result<Arc<dyn ObjectStore>, Error> {
    tls::choose();
    Ok(match url.service {
        Service::S3 => Arc::new(s3(url, config).build()?),
        Service::Google => Arc::new(google(url, config).build()?),
        Service::Azure => Arc::new(azure(url, config).build()?),
    })
}

fn s3(url: &StoreUrl, config: &ObjectsSourceConfig) -> AmazonS3Builder {
    let (endpoint, region) = (config.endpoint.as_deref(), config.region.as_deref());
    let builder = AmazonS3Builder::from_env()
        .with_client_options(options(config))
        .with_http_connector(Connector);
    let builder = bucket::amazon(builder, &url.bucket, endpoint, region);
    match (&config.access_key, &config.secret_key) {
        _ if config.anonymous => builder.with_skip_signature(true),
        (Some(key), Some(secret)) => {
            let credential = AwsCredential {
                key_id: key.clone(),
                secret_key: secret.reveal().to_owned(),
                // One in the environment belongs to other keys.
                token: None,
            };
            builder.with_credentials(Arc::new(StaticCredentialProvider::new(credential)))
        }
        _ => builder,
    }
}

fn google(url: &StoreUrl, config: &ObjectsSourceConfig) -> GoogleCloudStorageBuilder {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_client_options(options(config))
        .with_http_connector(Connector)
        .with_bucket_name(&url.bucket)
        .with_retry(bucket::once());
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    if config.anonymous {
        builder = builder.with_skip_signature(true);
    }
    match &config.service_account {
        Some(file) => builder.with_service_account_path(file.to_string_lossy()),
        None => builder,
    }
}

fn azure(url: &StoreUrl, config: &ObjectsSourceConfig) -> MicrosoftAzureBuilder {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_client_options(options(config))
        .with_http_connector(Connector)
        .with_container_name(&url.bucket)
        .with_retry(bucket::once());
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_config(AzureConfigKey::Endpoint, endpoint);
    }
    if let Some(account) = &config.access_key {
        builder = builder.with_account(account);
    }
    if config.anonymous {
        builder = builder.with_skip_signature(true);
    }
    match &config.secret_key {
        Some(key) => builder.with_access_key(key.reveal()),
        None => builder,
    }
}

/// The account of a container, whose name another may have as well.
pub fn account(url: &StoreUrl, config: &ObjectsSourceConfig) -> Option<String> {
    match url.service {
        Service::Azure => azure(url, config).get_config_value(&AzureConfigKey::AccountName),
        Service::S3 | Service::Google => None,
    }
}

/// The source has time limits of its own, which look at progress.
fn options(config: &ObjectsSourceConfig) -> ClientOptions {
    let is_plain = config.endpoint.as_deref().is_some_and(bucket::is_plain);
    ClientOptions::new()
        .with_allow_http(is_plain)
        .with_timeout_disabled()
        .with_connect_timeout(config.stall())
}
