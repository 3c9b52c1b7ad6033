//! Settings of a source over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::{self, ByteSize};
use crate::source::remote::origin::Limits;
use crate::source::remote::secret::Secret;

/// Images on web servers. Only what is named here is asked: `url` and the `hosts`, at addresses that are not private.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSourceConfig {
    /// What the URLs of images begin with. The key is appended, percent-encoded as a path.
    #[schemars(extend("format" = "http-url"), example = "https://files.example.org/masters/")]
    pub url: Option<String>,

    /// What their URLs end with, after the key, as it is sent: `/content`, or `?download=1`.
    pub suffix: String,

    /// Servers that may be asked beside that of `url`: for keys that are URLs, and where redirects lead. A name, or `*.` and a name for
    /// all below it; then a colon and a port, if it is not that of the protocol.
    #[schemars(example = ["iiif.example.org", "*.example.org", "files.example.org:8080"])]
    pub hosts: Vec<String>,

    /// Networks that may be asked although they are private: this machine's (`127.0.0.0/8`), the site's, those of containers. Without
    /// them, a name that leads to such an address is refused.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "network"}),
        example = ["10.0.0.0/8", "::1/128"]
    )]
    pub private_networks: Vec<IpNet>,

    /// Name for basic authentication. It is sent to the server of `url` only; without `url`, to those that keys name. Never to where
    /// these redirect.
    #[schemars(example = &"azulejo")]
    pub user: Option<String>,

    /// The password that belongs to it.
    #[schemars(
        with = "Option<String>",
        extend("writeOnly" = true),
        example = "better in the environment"
    )]
    pub password: Option<Secret>,

    /// Headers of each request, such as `Authorization`; sent to the same servers as `user`.
    #[schemars(
        with = "BTreeMap<String, String>",
        extend("writeOnly" = true, "examples" = [{"Authorization": "Bearer 1234"}])
    )]
    pub headers: BTreeMap<String, Secret>,

    /// Milliseconds without any progress, after which a request is given up.
    #[schemars(range(min = 10, max = 600_000))]
    pub timeout_ms: u32,

    /// Redirects that are followed for one request.
    #[schemars(range(max = 10))]
    pub redirects: u8,

    /// Bytes of the largest image.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub max_bytes: u64,

    /// Seconds for which an image is taken to be as it was seen last; then its server is asked again.
    #[schemars(range(max = 604_800))]
    pub revalidate_after: u32,

    /// Requests at once.
    #[schemars(range(min = 1, max = 1000))]
    pub connections: u16,
}

impl Default for HttpSourceConfig {
    fn default() -> Self {
        Self {
            url: None,
            suffix: String::new(),
            hosts: Vec::new(),
            private_networks: Vec::new(),
            user: None,
            password: None,
            headers: BTreeMap::new(),
            timeout_ms: 10_000,
            redirects: 3,
            max_bytes: 20 << 30,
            revalidate_after: 60,
            connections: 32,
        }
    }
}

impl HttpSourceConfig {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            stall: Duration::from_millis(self.timeout_ms.into()),
            connections: self.connections.into(),
            size: self.max_bytes,
        }
    }

    pub(super) fn fresh(&self) -> Duration {
        Duration::from_secs(self.revalidate_after.into())
    }
}
