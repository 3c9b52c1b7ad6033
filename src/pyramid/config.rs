//! Settings of the pyramids that are built for images without one.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::{self, ByteSize};
use crate::files;

/// Tiled copies of large images that have no tiles or levels of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PyramidConfig {
    /// Whether pyramids are built in the background for images that are zoomed into, and used.
    pub enabled: bool,

    /// Megapixels from which on an image without tiles or levels gets a pyramid.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub from: u32,

    /// Directory that holds the pyramids. Processes may share it; whatever is lost is built again. Without this
    /// setting it is `azulejo/pyramids` in `$XDG_CACHE_HOME` or else in `~/.cache`.
    #[schemars(example = "/var/cache/azulejo/pyramids")]
    pub directory: Option<PathBuf>,

    /// Bytes for all pyramids together: those that have not been used for longest are removed.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub size: u64,
}

impl Default for PyramidConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            from: 8,
            directory: None,
            size: 20 << 30,
        }
    }
}

impl PyramidConfig {
    /// Pixels from which on an image gets a pyramid.
    pub fn least_pixels(&self) -> u64 {
        u64::from(self.from) * 1_000_000
    }

    /// The directory, if one is set or the user has one for such files.
    pub fn resolved_directory(&self) -> Option<PathBuf> {
        let usual = || files::cache_directory("pyramids");
        self.directory.clone().or_else(usual)
    }
}
