//! Settings of the cache in an object store.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cache::guarded::Policy;

/// An object store that all nodes share: S3 and what speaks like it, Google Cloud Storage, Azure, WebDAV. What goes wrong with
/// it makes answers slower, never different. Nothing in it is deleted when it is purged or too old, it is only not found any more, by
/// other nodes after five seconds at most: let a lifecycle rule of the bucket delete objects of some age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectsConfig {
    /// Where it is; without it, none is used. `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or, for WebDAV,
    /// `https://host/path`. Credentials come from the environment, by the names that the clouds' own tools use:
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME` and
    /// `AZURE_STORAGE_ACCOUNT_KEY`, or else from the machine's role.
    #[schemars(example = "s3://bucket/azulejo")]
    pub url: Option<String>,

    /// What else has to be said to reach it, each as `name=value`: `region`, `endpoint` for another server than Amazon's,
    /// `allow_http=true` for one without TLS, `virtual_hosted_style_request=true`, `account_name`, `proxy_url` and the like.
    /// No credentials: these settings are printed.
    #[schemars(example = example_options())]
    pub options: Vec<String>,

    /// Seconds after which an entry is made again.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub ttl: u32,

    /// Milliseconds that an answer is waited for. After that, it is as if the store had nothing.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

fn example_options() -> Vec<&'static str> {
    vec!["endpoint=https://s3.example.org", "region=eu-central-1"]
}

impl Default for ObjectsConfig {
    fn default() -> Self {
        Self {
            url: None,
            options: Vec::new(),
            ttl: 30 * 86_400,
            timeout_ms: 500,
        }
    }
}

impl ObjectsConfig {
    pub fn policy(&self) -> Policy {
        Policy {
            limit: Duration::from_millis(self.timeout_ms.into()),
            ttl: Some(Duration::from_secs(self.ttl.into())),
        }
    }
}
