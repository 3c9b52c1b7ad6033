//! The configuration: one struct, its sections beside the code that they configure.
//!
//! Values come from four layers, the later over the earlier: defaults, file, environment, flags ([`layers`]). What was
//! given is checked against the schema that is generated from the structs ([`check`]), so that every problem is found
//! and reported at once ([`problem`]). `config/default.toml`, `config/schema.json` and `docs/configuration.md` are
//! generated from the same schema ([`generate`]).

pub mod byte_size;
pub mod check;
pub mod effective;
pub mod formats;
pub mod generate;
pub mod hex_color;
pub mod layers;
pub mod passwords;
pub mod problem;
mod report;
pub mod schema;
pub mod secret_hash;
mod suggest;
pub mod token;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use layers::{Flag, Layers};
pub use problem::{ConfigErrors, Problem};

use crate::access::config::AccessConfig;
use crate::cache::config::CacheConfig;
use crate::decode::Limits;
use crate::encode::config::EncodeConfig;
use crate::http::admin::config::AdminConfig;
use crate::http::clients::config::ClientsConfig;
use crate::http::config::ServerConfig;
use crate::http::manifest::config::PresentationConfig;
use crate::iiif::compatibility::CompatibilityConfig;
use crate::iiif::config::ImageConfig;
use crate::ingest::config::CompositesConfig;
use crate::overlay::config::OverlayConfig;
use crate::pyramid::config::PyramidConfig;
use crate::registry::config::RegistryConfig;
use crate::route::config::RouteConfig;
use crate::route::pages::PagesConfig;
use crate::route::resolver::config::ResolverConfig;
use crate::source::config::{NAMES, SourceConfig, SourcesConfig};
use crate::telemetry::LogConfig;
use crate::work::config::WorkConfig;

/// The configuration of Azulejo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Configuration of Azulejo")]
pub struct Config {
    pub server: ServerConfig,
    pub clients: ClientsConfig,
    pub source: SourceConfig,
    pub sources: SourcesConfig,
    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub resolvers: BTreeMap<String, ResolverConfig>,
    pub routes: Vec<RouteConfig>,
    pub access: AccessConfig,
    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub overlays: BTreeMap<String, OverlayConfig>,
    pub pages: PagesConfig,
    pub image: ImageConfig,
    pub compatibility: CompatibilityConfig,
    pub decode: Limits,
    pub encode: EncodeConfig,
    pub work: WorkConfig,
    pub cache: CacheConfig,
    pub pyramids: PyramidConfig,
    pub registry: RegistryConfig,
    pub composites: CompositesConfig,
    pub presentation: PresentationConfig,
    pub admin: AdminConfig,
    pub log: LogConfig,
}

/// A configuration without problems, and where its values come from.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// For keys such as `server.listen`, what gave the value; keys that are left at their default are not in it.
    pub origins: BTreeMap<String, String>,
}

impl Config {
    /// Reads and checks every layer.
    ///
    /// # Errors
    /// With all problems found.
    pub fn load(layers: &Layers) -> Result<Loaded, ConfigErrors> {
        check::load(layers, check::nothing_more)
    }

    /// As [`load`](Self::load), and checks also what serving needs of this machine: that the directory exists.
    ///
    /// # Errors
    /// With all problems found.
    pub fn load_for_serving(layers: &Layers) -> Result<Loaded, ConfigErrors> {
        check::load(layers, check::root_is_a_directory)
    }
}
