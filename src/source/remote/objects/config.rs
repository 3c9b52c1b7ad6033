//! Settings of a source in object stores.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::url::StoreUrl;
use crate::config::byte_size::{self, ByteSize};
use crate::source::remote::origin::Limits;
use crate::source::remote::secret::Secret;

/// Images in object stores: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage. Credentials that are not set
/// here come from the environment (`AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME`, …), or else from the role
/// of the machine or container. On S3 they have to allow `s3:GetObject`, and `s3:ListBucket`: without that, S3 does not say that
/// something is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectsSourceConfig {
    /// The bucket, in Azure the container, with `s3://`, `gs://` or `az://` before it, and what the names of images begin with. The key
    /// is appended.
    #[schemars(with = "Option<String>", extend("format" = "store-url"), example = "s3://bucket/masters")]
    pub url: Option<StoreUrl>,

    /// Buckets of which a key begins with the name: `bucket/key`. If they are set, `url` is not used.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "store-url"}),
        example = ["s3://maps", "s3://prints/scans"]
    )]
    pub buckets: Vec<StoreUrl>,

    /// The server, if it is not that of the service. With `http:` it is asked without TLS.
    #[schemars(extend("format" = "http-url"), example = "https://s3.example.org")]
    pub endpoint: Option<String>,

    /// The region of S3. That of the environment (`AWS_REGION`), or `us-east-1`, if not set.
    #[schemars(example = "eu-central-1")]
    pub region: Option<String>,

    /// The access key of S3; in Azure the name of the account.
    #[schemars(example = &"AKIAIOSFODNN7EXAMPLE")]
    pub access_key: Option<String>,

    /// The secret that belongs to it; in Azure the key of the account.
    #[schemars(
        with = "Option<String>",
        extend("writeOnly" = true),
        example = "better in the environment"
    )]
    pub secret_key: Option<Secret>,

    /// The file with the key of a Google service account.
    #[schemars(example = "/etc/azulejo/service-account.json")]
    pub service_account: Option<PathBuf>,

    /// Whether to ask without credentials: for buckets that everybody may read.
    pub anonymous: bool,

    /// Milliseconds without any progress, after which a request is given up.
    #[schemars(range(min = 10, max = 600_000))]
    pub timeout_ms: u32,

    /// Bytes of the largest image.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub max_bytes: u64,

    /// Seconds for which an image is taken to be as it was seen last; then the store is asked again.
    #[schemars(range(max = 604_800))]
    pub revalidate_after: u32,

    /// Requests at once.
    #[schemars(range(min = 1, max = 1000))]
    pub connections: u16,
}

impl Default for ObjectsSourceConfig {
    fn default() -> Self {
        Self {
            url: None,
            buckets: Vec::new(),
            endpoint: None,
            region: None,
            access_key: None,
            secret_key: None,
            service_account: None,
            anonymous: false,
            timeout_ms: 10_000,
            max_bytes: 20 << 30,
            revalidate_after: 60,
            connections: 64,
        }
    }
}

impl ObjectsSourceConfig {
    pub(super) fn stall(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            stall: self.stall(),
            connections: self.connections.into(),
            size: self.max_bytes,
        }
    }

    pub(super) fn fresh(&self) -> Duration {
        Duration::from_secs(self.revalidate_after.into())
    }
}
