//! Settings of the cache in an object store.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::url::BucketUrl;
use crate::cache::guarded::Policy;

/// An object store that all nodes share: S3, or what speaks like it. What goes wrong with it makes answers slower, never different.
/// What is purged or too old is not deleted but only not found any more, except for an entry too old that is asked for: let a lifecycle
/// rule of the bucket delete what is older than `ttl`, but only below `entries/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectsConfig {
    /// Where it is; without it, none is used. Credentials come from the environment, as `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`, or else from the role of the machine or container; files with profiles are not read. They have to
    /// allow `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and `s3:ListBucket`; without the last, S3 does not say that
    /// something is missing.
    #[schemars(with = "Option<String>", extend("format" = "bucket-url"), example = "s3://bucket/azulejo")]
    pub url: Option<BucketUrl>,

    /// The server, if it is not Amazon's.
    #[schemars(extend("format" = "http-url"), example = "https://s3.example.org")]
    pub endpoint: Option<String>,

    /// The region of the bucket. That of the environment (`AWS_REGION`), or `us-east-1`, if not set.
    #[schemars(example = "eu-central-1")]
    pub region: Option<String>,

    /// Seconds after which an entry is made again.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub ttl: u32,

    /// Milliseconds that an answer is waited for. After that, it is as if the store had nothing.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

impl Default for ObjectsConfig {
    fn default() -> Self {
        Self {
            url: None,
            endpoint: None,
            region: None,
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
            // Each takes two answers, of tens of milliseconds.
            writes: 16,
        }
    }
}
