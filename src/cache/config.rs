//! Settings of the caches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::disk::config::DiskConfig;
use super::objects::config::ObjectsConfig;
use crate::config::byte_size::ByteSize;
use crate::machine;

/// What is kept to be used again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Memory for decoded pixels that were not asked for but had to be decoded with others: the neighbours of a tile. A
    /// sixteenth of the machine's (or the container's) if not set.
    #[schemars(example = "512 MiB")]
    pub pixels: Option<ByteSize>,

    pub disk: DiskConfig,

    pub objects: ObjectsConfig,
}

impl CacheConfig {
    /// Bytes for decoded pixels.
    pub fn pixel_bytes(&self) -> u64 {
        match self.pixels {
            Some(ByteSize(bytes)) => bytes,
            None => machine::memory() / 16,
        }
    }
}
