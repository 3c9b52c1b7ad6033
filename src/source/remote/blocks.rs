//! Bytes of remote files that were read lately, in blocks, for all sources and requests together.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::error::RemoteError;
use super::flights::{Flight, Flights, Landing};

/// Bytes of a block, but for the last of a file.
pub const BLOCK: u64 = 64 << 10;

/// A block of one state of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockKey {
    /// The digest of location and version.
    pub file: u128,
    pub index: u64,
}

pub struct Blocks {
    kept: Cache<BlockKey, Bytes>,
    flights: Flights<BlockKey, Bytes>,
    size: u64,
}

/// The duty to fetch a block.
pub type BlockLanding = Landing<BlockKey, Bytes>;

/// Where a block is.
pub enum Place {
    Kept(Bytes),
    Coming(Arc<Flight<Bytes>>),
    /// To be fetched by who asked.
    Missing(Arc<Flight<Bytes>>, BlockLanding),
}

impl Blocks {
    /// With so many bytes for all.
    pub fn new(size: u64) -> Self {
        let weight = |_: &BlockKey, block: &Bytes| u32::try_from(block.len()).unwrap_or(u32::MAX);
        Self {
            kept: Cache::builder()
                .max_capacity(size)
                .weigher(weight)
                // What is read ahead was never used before: it would not be let in.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            flights: Flights::default(),
            size,
        }
    }

    /// Bytes for all.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn find(&self, key: BlockKey) -> Place {
        if let Some(block) = self.kept.get(&key) {
            return Place::Kept(block);
        }
        match self.flights.board(&key) {
            (flight, None) => Place::Coming(flight),
            (flight, Some(landing)) => match self.kept.get(&key) {
                // It came between the two looks.
                Some(block) => {
                    landing.land(Ok(block.clone()));
                    Place::Kept(block)
                }
                None => Place::Missing(flight, landing),
            },
        }
    }

    pub fn keep(&self, key: BlockKey, block: Bytes) {
        self.kept.insert(key, block);
    }

    /// For those who wait, and for later.
    pub fn land(&self, landing: BlockLanding, block: Result<Bytes, RemoteError>) {
        if let Ok(block) = &block {
            self.keep(*landing.key(), block.clone());
        }
        landing.land(block);
    }
}

/// The indices of the blocks that have these bytes.
pub fn covering(bytes: &Range<u64>) -> Range<u64> {
    if bytes.is_empty() {
        return 0..0;
    }
    bytes.start / BLOCK..bytes.end.div_ceil(BLOCK)
}

/// The bytes of blocks of a file of this size.
pub fn bytes_of(blocks: &Range<u64>, size: u64) -> Range<u64> {
    blocks.start * BLOCK..(blocks.end * BLOCK).min(size)
}

/// Groups blocks, given in order, so that each group is one request: those with at most `gap` others between them, and not more
/// than `longest`.
pub fn grouped(blocks: impl IntoIterator<Item = u64>, gap: u64, longest: u64) -> Vec<Range<u64>> {
    let mut groups: Vec<Range<u64>> = Vec::new();
    for block in blocks {
        match groups.last_mut() {
            Some(group) if block <= group.end + gap && block < group.start + longest => {
                group.end = block + 1;
            }
            _ => groups.push(block..block + 1),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_covered_by_blocks() {
        assert_eq!(covering(&(0..1)), 0..1);
        assert_eq!(covering(&(BLOCK - 1..BLOCK + 1)), 0..2);
        assert_eq!(covering(&(BLOCK..2 * BLOCK)), 1..2);
        assert!(covering(&(5..5)).is_empty());
        assert_eq!(bytes_of(&(1..2), BLOCK + 5), BLOCK..BLOCK + 5);
    }

    #[test]
    fn neighbours_are_one_request_and_those_far_away_another() {
        let group = |blocks: &[u64], gap, longest| grouped(blocks.iter().copied(), gap, longest);
        assert_eq!(group(&[1, 2, 3, 8], 0, 9), [1..4, 8..9]);
        assert_eq!(group(&[1, 3, 6, 9, 13], 2, 99), [1..10, 13..14]);
        assert_eq!(group(&[1, 3, 7], 2, 99), [1..4, 7..8]);
        assert_eq!(group(&[0, 1, 2, 3, 4], 0, 2), [0..2, 2..4, 4..5]);
    }

    #[test]
    fn the_bytes_are_bounded() {
        let blocks = Blocks::new(10 * BLOCK);
        for index in 0..100 {
            let block = Bytes::from(vec![0; BLOCK as usize]);
            blocks.keep(BlockKey { file: 1, index }, block);
        }
        blocks.kept.run_pending_tasks();
        assert!(blocks.kept.weighted_size() <= 10 * BLOCK);
        let last = BlockKey { file: 1, index: 99 };
        assert!(
            matches!(blocks.find(last), Place::Kept(_)),
            "the newest stay"
        );
    }
}
