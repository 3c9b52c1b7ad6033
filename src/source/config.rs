//! Settings of the image store.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the images are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// The directory that holds the images: the identifier `maps/1.tif` is the file `maps/1.tif` below it. A relative
    /// path begins at the working directory of the process.
    pub root: PathBuf,

    /// Whether symbolic links may lead out of `root`. Links that stay below it are always followed; of others, whoever
    /// can write below `root` could publish any file that the server may read, so they are answered with 404 until
    /// this is set.
    pub links_outside_root: bool,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            root: PathBuf::from("."),
            links_outside_root: false,
        }
    }
}
