//! Settings of the cache on disk.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cache::guarded::Policy;
use crate::config::byte_size::{self, ByteSize};

/// Encoded images and documents on a disk of this machine: more of them than fit into memory, and still there after a
/// restart. They are used only if they are whole and belong to what is asked for; a full or broken disk makes answers
/// slower, never wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiskConfig {
    /// Directory for them and for nothing else. Nothing is kept on disk without this setting. Processes may share
    /// a directory; whatever is lost is made again.
    #[schemars(example = "/var/cache/azulejo/entries")]
    pub directory: Option<PathBuf>,

    /// Bytes for all files together, each rounded up to 4 KiB: those that have not been used for longest are removed.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub size: u64,

    /// How many files there may be; likewise.
    #[schemars(range(min = 100, max = 100_000_000))]
    pub files: u32,

    /// Seconds after which an entry is made again. Without this setting it stays until its image changes or its place is
    /// needed.
    #[schemars(range(min = 1), example = 2_592_000)]
    pub ttl: Option<u32>,
}

impl Default for DiskConfig {
    fn default() -> Self {
        Self {
            directory: None,
            size: 10 << 30,
            files: 1_000_000,
            ttl: None,
        }
    }
}

/// A disk that has to turn first is still quicker than making an image anew.
const LIMIT: Duration = Duration::from_millis(250);

impl DiskConfig {
    pub fn policy(&self) -> Policy {
        Policy {
            limit: LIMIT,
            ttl: self.ttl(),
            writes: 4,
        }
    }

    /// How long an entry may be used.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl.map(|seconds| Duration::from_secs(seconds.into()))
    }
}
