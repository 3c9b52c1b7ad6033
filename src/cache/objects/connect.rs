//! From the settings to a client.

use std::env;

use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, ObjectStore, parse_url_opts};
use url::Url;

use super::config::ObjectsConfig;

/// Variables of the environment that are options, under their lower-case names.
const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Parts of the names of options that are for the environment only, because settings are printed.
const SECRET: [&str; 7] = [
    "secret",
    "access_key",
    "account_key",
    "master_key",
    "token",
    "sas_",
    "credential",
];

/// Why there is no client for the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cache.objects.url: {0}")]
    Url(#[from] url::ParseError),
    #[error("cache.objects.options: \"{0}\" is not name=value with a known name")]
    Option(String),
    #[error("cache.objects.options: \"{0}\" belongs into the environment")]
    Secret(String),
    #[error("cache.objects: {0}")]
    Store(#[from] object_store::Error),
}

/// The part of the store that the URL names. Does not ask the store anything.
///
/// # Errors
/// If the URL or an option is not understood.
pub fn connect(url: &str, config: &ObjectsConfig) -> Result<impl ObjectStore, ConnectError> {
    // If it fails there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given = config.options.iter().map(|text| option(text));
    let given = given.collect::<Result<Vec<_>, _>>()?;
    // The later one counts.
    let options = from_environment().chain(given);
    let (store, path) = parse_url_opts(&Url::parse(url)?, options)?;
    Ok(PrefixStore::new(store, path))
}

fn from_environment() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        let is_option = VARIABLES.iter().any(|start| name.starts_with(start));
        is_option.then(|| (name.to_ascii_lowercase(), value))
    })
}

/// Unknown names are errors here, because the client does not mind them.
fn option(text: &str) -> Result<(String, String), ConnectError> {
    let unknown = || ConnectError::Option(text.to_owned());
    let (name, value) = text.split_once('=').ok_or_else(unknown)?;
    let name = name.trim().to_ascii_lowercase();
    if SECRET.iter().any(|part| name.contains(part)) {
        return Err(ConnectError::Secret(name));
    }
    let is_known = name.parse::<AmazonS3ConfigKey>().is_ok()
        || name.parse::<AzureConfigKey>().is_ok()
        || name.parse::<GoogleConfigKey>().is_ok()
        || name.parse::<ClientConfigKey>().is_ok();
    match is_known {
        true => Ok((name, value.trim().to_owned())),
        false => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str, option: &str) -> Option<String> {
        let config = ObjectsConfig {
            options: vec![option.to_owned()],
            ..ObjectsConfig::default()
        };
        connect(url, &config).err().map(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_store_is_understood() {
        for (url, option) in [
            ("s3://bucket/prefix", "endpoint=http://127.0.0.1:1"),
            ("s3://bucket", " Region = eu-central-1"),
            ("gs://bucket/prefix", "google_skip_signature=true"),
            ("az://container/prefix", "account_name=name"),
            ("https://dav.example.org/a/b", "timeout=5 seconds"),
        ] {
            assert_eq!(error(url, option), None, "{url}");
        }
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for name in [
            "aws_secret_access_key",
            "access_key_id",
            "azure_storage_account_key",
            "session_token",
        ] {
            let error = error("s3://bucket", &format!("{name}=hunter2")).expect(name);
            assert!(
                error.contains(name) && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (url, option, says) in [
            ("bucket", "region=a", "cache.objects.url: relative URL"),
            ("ftp://host/", "region=a", "ftp://host/"),
            ("s3://bucket", "regoin=a", "regoin=a"),
            ("s3://bucket", "region", "is not name=value"),
            ("s3://bucket", "allow_http=perhaps", "perhaps"),
        ] {
            let error = error(url, option).expect(url);
            assert!(error.contains(says), "{error}");
        }
    }
}
