//! Settings of what all remote sources have together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::ByteSize;
use crate::machine;

/// What is kept of remote images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteConfig {
    /// Memory for bytes that were read from remote images, to be read again. A 32nd of the machine's (or the container's) if not set.
    #[schemars(example = "1 GiB")]
    pub blocks: Option<ByteSize>,
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
