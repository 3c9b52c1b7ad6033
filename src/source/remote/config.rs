//! Settings of what all remote sources have together.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::{self, ByteSize};
use crate::files;
use crate::machine;

/// What is kept of remote images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteConfig {
    /// Memory for bytes that were read from remote images, to be read again. A 32nd of the machine's (or the container's) if not set.
    #[schemars(example = "1 GiB")]
    pub blocks: Option<ByteSize>,

    pub copies: CopiesConfig,
}

/// Whole files of remote images: where a server cannot send parts of a file, or all of a large one is needed at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CopiesConfig {
    /// Directory that holds the copies. Processes may share it; whatever is lost is fetched again. Without this setting it is
    /// `azulejo/copies` in `$XDG_CACHE_HOME` or else in `~/.cache`.
    #[schemars(example = "/var/cache/azulejo/copies")]
    pub directory: Option<PathBuf>,

    /// Bytes for all copies together: those that have not been used for longest are removed.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub size: u64,
}

impl Default for CopiesConfig {
    fn default() -> Self {
        Self {
            directory: None,
            size: 20 << 30,
        }
    }
}

impl RemoteConfig {
    /// Bytes for blocks.
    pub fn block_bytes(&self) -> u64 {
        match self.blocks {
            Some(ByteSize(bytes)) => bytes,
            None => machine::memory() / 32,
        }
    }
}

impl CopiesConfig {
    /// The directory, if one is set or the user has one for such files.
    pub fn resolved_directory(&self) -> Option<PathBuf> {
        let usual = || files::cache_directory("copies");
        self.directory.clone().or_else(usual)
    }
}
