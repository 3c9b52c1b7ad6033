//! Images on servers, read by ranges.
//!
//! | file | what |
//! |---|---|
//! | `ask` | one shape of request and answer: the trait [`Remote`](ask::Remote), which `http` and `objects` implement |
//! | `origin` | attempts, time limits, places, the breaker: a request as the source makes it |
//! | `store`, `known` | finding: which state of a file is there, and since when that is known |
//! | `file`, `run`, `ahead`, `blocks`, `chunks` | reading: which blocks are missing, and how they are fetched |
//! | `flights`, `runtime` | threads that wait for what another thread fetches |

mod ahead;
mod ask;
mod blocks;
mod chunks;
pub mod config;
mod error;
mod file;
mod flights;
pub mod http;
mod known;
pub mod objects;
mod origin;
mod run;
pub mod runtime;
mod secret;
mod status;
mod store;

use std::sync::Arc;

use self::blocks::Blocks;
use self::config::RemoteConfig;
pub use self::error::is_replaced;
pub use self::store::Store;

/// What all remote sources of a process have together.
pub struct Shared {
    blocks: Arc<Blocks>,
}

impl Shared {
    pub fn new(config: &RemoteConfig) -> Arc<Self> {
        let blocks = Arc::new(Blocks::new(config.block_bytes()));
        Arc::new(Self { blocks })
    }
}
