//! Settings of the image store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::remote::config::RemoteConfig;
use super::remote::http::config::HttpSourceConfig;
use super::remote::objects::config::ObjectsSourceConfig;

/// Where the images are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// The directory that holds the images: the identifier `maps/1.tif` is the file `maps/1.tif` below it. A relative
    /// path begins at the working directory of the process.
    pub root: PathBuf,

    /// Directories in which an image is looked for if `root` does not have it, in this order.
    pub further_roots: Vec<PathBuf>,

    /// Whether symbolic links may lead out of `root`. Links that stay below it are always followed; of others, whoever
    /// can write below `root` could publish any file that the server may read, so they are answered with 404 until
    /// this is set.
    pub links_outside_root: bool,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            root: PathBuf::from("."),
            further_roots: Vec::new(),
            links_outside_root: false,
        }
    }
}

/// Places where images are stored, each with a name that `[[routes]]` use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourcesConfig {
    /// Directories of images.
    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub files: BTreeMap<String, SourceConfig>,

    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub http: BTreeMap<String, HttpSourceConfig>,

    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub objects: BTreeMap<String, ObjectsSourceConfig>,

    pub remote: RemoteConfig,
}

/// What names consist of, so that environment variables can name them, too.
pub const NAMES: &str = "^[a-z][a-z0-9_-]*$";
