//! Images on servers, read by ranges.
//!
//! | file | what |
//! |---|---|
//! | `ask` | one shape of request and answer: the trait `Remote`, which `http` and `objects` implement |
//! | `origin`, `failures` | attempts, time limits, places, what is left alone: a request as the source makes it |
//! | `store`, `known` | finding: which state of a file is there, and since when that is known |
//! | `file`, `run`, `ahead`, `blocks`, `chunks` | reading: which blocks are missing, and how they are fetched |
//! | `input`, `copies` | whole files, where ranges would not do |
//! | `flights`, `runtime` | threads that wait for what another thread fetches |

mod ahead;
mod ask;
mod blocks;
mod chunks;
pub mod config;
mod copies;
mod error;
mod failures;
mod file;
#[cfg(test)]
#[path = "../../../tests/common/file_server.rs"]
pub mod file_server;
mod flights;
pub mod http;
mod input;
mod known;
#[cfg(test)]
#[path = "../../../tests/common/log.rs"]
mod log;
pub mod objects;
mod origin;
mod run;
pub mod runtime;
#[cfg(test)]
mod scratch;
mod secret;
mod status;
mod store;

use std::sync::Arc;

use self::blocks::Blocks;
use self::config::RemoteConfig;
use self::copies::Copies;
pub use self::error::{Failure, RemoteError, is_replaced};
pub use self::secret::Secret;
pub use self::store::Store;

/// What all remote sources of a process have together.
pub struct Shared {
    blocks: Arc<Blocks>,
    copies: Arc<Copies>,
}

impl Shared {
    pub fn new(config: &RemoteConfig) -> Arc<Self> {
        Arc::new(Self {
            blocks: Arc::new(Blocks::new(config.block_bytes())),
            copies: Arc::new(Copies::new(&config.copies)),
        })
    }
}
