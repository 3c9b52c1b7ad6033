//! Blocks that follow each other and are fetched by one request.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::blocks::{BlockLanding, Blocks};
use super::error::RemoteError;

/// What is left of a run, its first block first.
pub struct Run {
    end: u64,
    /// `None` for blocks between others, which nobody misses.
    left: Mutex<VecDeque<Option<BlockLanding>>>,
}

impl Run {
    pub fn new(blocks: &Range<u64>, left: VecDeque<Option<BlockLanding>>) -> Self {
        Self {
            end: blocks.end,
            left: Mutex::new(left),
        }
    }

    /// The blocks that have not come yet.
    pub fn left(&self) -> Range<u64> {
        self.end - self.lock().len() as u64..self.end
    }

    /// The next block has come.
    pub fn land(&self, blocks: &Blocks, block: Bytes) {
        let next = self.lock().pop_front().flatten();
        if let Some(landing) = next {
            blocks.land(landing, Ok(block));
        }
    }

    /// No more will come.
    pub fn fail(&self, blocks: &Blocks, error: &RemoteError) {
        let left = std::mem::take(&mut *self.lock());
        for landing in left.into_iter().flatten() {
            blocks.land(landing, Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Option<BlockLanding>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
