//! Settings of composites and of the images of customers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::{self, ByteSize};
use crate::config::secret_hash::SecretHash;
use crate::source::config::NAMES;
use crate::source::remote::http::config::HttpSourceConfig;

/// Documents whose pages become images, and images that customers register: the API of a DLCS (`POST /customers/7/queue` and what belongs to it),
/// described in docs/composites.md. It takes a registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompositesConfig {
    /// The directory where documents are kept once they have been fetched, and pages if `mode` is `rasterize`: the durable copy that images are
    /// made of. All servers that share a registry share it. Without it there is no such API.
    #[schemars(with = "Option<String>", example = "/var/lib/azulejo/composites")]
    pub folder: Option<PathBuf>,

    /// What the paths of the API begin with: `/dlcs` for `/dlcs/customers/7/queue`. Not those of images.
    #[schemars(extend("pattern" = "^(/[A-Za-z0-9._~-]+)*$"))]
    pub prefix: String,

    /// `virtual`: an image of a page is drawn from the document when it is asked for. `rasterize`: a tiled pyramid is written for each page.
    pub mode: Mode,

    pub origins: OriginsConfig,

    /// Those who may post, each with a name, which stands for the number in the addresses of images.
    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub customers: BTreeMap<String, CustomerConfig>,

    /// The status that a request without a right key and secret is answered with: 401, or 403 as the composite handler of the DLCS has it.
    #[schemars(extend("enum" = [401, 403]))]
    pub unauthorized: u16,

    /// Bytes of the largest request.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub max_body: u64,

    /// Composites or images of one request.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_members: u32,

    /// Pages of a document.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_pages: u32,

    /// Bytes of all that is being fetched at a time.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub scratch: u64,

    /// Images of one batch that is made of a composite.
    #[schemars(range(min = 1, max = 10_000))]
    pub batch_size: u32,

    /// Documents and images that are worked on at a time.
    #[schemars(range(min = 1, max = 64))]
    pub workers: u16,

    /// Seconds for one attempt at a document.
    #[schemars(range(min = 1, max = 86_400))]
    pub job_timeout: u32,

    /// Attempts where it may only have been bad luck.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u16,
}

/// What becomes of the pages of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Virtual,
    Rasterize,
}

/// Where documents and images may come from: the servers that are named here, over http and https, and no others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OriginsConfig {
    /// Servers that may be asked. A name, or `*.` and a name for all below it; then a colon and a port, if it is not that of the protocol.
    #[schemars(example = ["files.example.org", "*.s3.eu-west-1.amazonaws.com"])]
    pub hosts: Vec<String>,

    /// Networks that may be asked although they are private. Without them, a name that leads to such an address is refused.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "network"}),
        example = ["10.0.0.0/8", "::1/128"]
    )]
    pub private_networks: Vec<IpNet>,

    /// Redirects that are followed for one request. Each has to lead to one of these servers.
    #[schemars(range(max = 10))]
    pub redirects: u8,

    /// Milliseconds without any progress, after which a request is given up.
    #[schemars(range(min = 10, max = 600_000))]
    pub timeout_ms: u32,

    /// Bytes of the largest document or image.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub max_bytes: u64,

    /// Requests at once.
    #[schemars(range(min = 1, max = 1000))]
    pub connections: u16,
}

/// Somebody who may post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerConfig {
    /// The number that stands in paths: `/customers/7`.
    #[schemars(range(min = 1, max = 2_147_483_647), example = 7)]
    pub id: u32,

    /// The user name of basic authentication.
    #[schemars(extend("minLength" = 1, "pattern" = "^[^:]+$", "examples" = ["acme"]))]
    pub key: String,

    /// The password that belongs to it, as `azulejo hash-secret` prints it: Argon2id, as a PHC string. Never the password itself.
    #[schemars(with = "String", extend("format" = "argon2id-hash", "writeOnly" = true, "examples" = ["the output of: azulejo hash-secret"]))]
    pub secret_hash: SecretHash,

    /// The spaces that there are. Without any, all are.
    #[serde(default)]
    pub spaces: Vec<u32>,
}

impl Default for CompositesConfig {
    fn default() -> Self {
        Self {
            folder: None,
            prefix: String::new(),
            mode: Mode::default(),
            origins: OriginsConfig::default(),
            customers: BTreeMap::new(),
            unauthorized: 401,
            max_body: 5 << 20,
            max_members: 250,
            max_pages: 5000,
            scratch: 20 << 30,
            batch_size: 100,
            workers: 2,
            job_timeout: 3600,
            attempts: 3,
        }
    }
}

impl CompositesConfig {
    pub fn job_timeout(&self) -> Duration {
        Duration::from_secs(self.job_timeout.into())
    }

    /// The customer whose number or name this is.
    pub fn customer(&self, text: &str) -> Option<i64> {
        let customers = self.customers.iter();
        let mut found =
            customers.filter(|(name, customer)| *name == text || customer.id.to_string() == text);
        found.next().map(|(_, customer)| customer.id.into())
    }
}

impl Default for OriginsConfig {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            private_networks: Vec::new(),
            redirects: 3,
            timeout_ms: 10_000,
            max_bytes: 2 << 30,
            connections: 16,
        }
    }
}

impl OriginsConfig {
    /// As a source over HTTP has it.
    pub fn source(&self) -> HttpSourceConfig {
        HttpSourceConfig {
            hosts: self.hosts.clone(),
            private_networks: self.private_networks.clone(),
            redirects: self.redirects,
            timeout_ms: self.timeout_ms,
            max_bytes: self.max_bytes,
            connections: self.connections,
            ..HttpSourceConfig::default()
        }
    }
}
