//! Settings of the worker pool.

use std::num::NonZeroUsize;
use std::thread;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::ByteSize;
use crate::machine;

/// How much is done at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkConfig {
    /// Images that are made at once; 0 means twice as many as there are processor cores, because each waits now and then:
    /// for the disk, for memory, for being taken up.
    #[schemars(range(min = 0, max = 1024))]
    pub threads: usize,

    /// Requests that may wait for a thread. Any more are answered at once with status 503 and `Retry-After`.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub queue: usize,

    /// Memory for all requests together; a quarter of the machine's (or the container's) if not set. A request that
    /// alone would need more is refused; several that together would need more wait for each other. As much again may wait to be
    /// read by clients, by one of them half of what the others leave: beyond that, answers are refused with status 503, or 429 where
    /// it is one client who does not read, and `Retry-After`.
    #[schemars(example = "4 GiB")]
    pub memory: Option<ByteSize>,
}

impl Default for WorkConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            queue: 128,
            memory: None,
        }
    }
}

impl WorkConfig {
    /// The number of threads, with zero resolved: two if the number of cores is not known.
    pub fn thread_count(&self) -> usize {
        match self.threads {
            0 => 2 * thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        }
    }

    /// Bytes for all requests together.
    pub fn memory_budget(&self) -> u64 {
        match self.memory {
            Some(ByteSize(bytes)) => bytes,
            None => machine::memory() / 4,
        }
    }
}
