//! Decoded code-blocks: those at the edge of a window are needed for its neighbours, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use azulejo_jpeg2000::{BlockId, Samples};

/// Bytes that are kept of an image: its part of a screen in three components takes ten million.
const MOST_BYTES: usize = 32 << 20;
/// What an entry takes beside its samples.
const ENTRY: usize = 96;

/// The code-blocks of an image that were decoded last.
#[derive(Default)]
pub struct DecodedBlocks(Mutex<Generations>);

/// The younger of two generations takes the place of the older one when it has half of the bytes.
#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    blocks: HashMap<Key, Decoded>,
    bytes: usize,
}

/// The number of the tile, and a code-block of it.
type Key = (u16, BlockId);

/// `None` if all of its coefficients are zero.
pub type Decoded = Option<Arc<Samples>>;

impl DecodedBlocks {
    /// Those of a tile that are kept, as far as they are among these.
    pub fn get(
        &self,
        tile: u16,
        wanted: impl Iterator<Item = BlockId>,
    ) -> HashMap<BlockId, Decoded> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted
            .filter_map(|id| Some((id, generations.get((tile, id))?)))
            .collect()
    }

    pub fn keep(&self, tile: u16, blocks: impl Iterator<Item = (BlockId, Decoded)>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, decoded) in blocks {
            generations.put((tile, id), decoded);
        }
    }

    pub fn memory(&self) -> u64 {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (generations.young.bytes + generations.old.bytes) as u64
    }
}

impl Generations {
    fn get(&mut self, key: Key) -> Option<Decoded> {
        if let Some(decoded) = self.young.blocks.get(&key) {
            return Some(decoded.clone());
        }
        let decoded = self.old.blocks.remove(&key)?;
        self.old.bytes -= weight(&decoded);
        self.put(key, decoded.clone());
        Some(decoded)
    }

    fn put(&mut self, key: Key, decoded: Decoded) {
        let weight = weight(&decoded);
        if self.young.bytes + weight > MOST_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += weight;
        if let Some(before) = self.young.blocks.insert(key, decoded) {
            self.young.bytes -= self::weight(&before);
        }
    }
}

fn weight(decoded: &Decoded) -> usize {
    ENTRY + decoded.as_ref().map_or(0, |samples| samples.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> BlockId {
        BlockId {
            component: 0,
            resolution: 0,
            band: 0,
            place: (number, 0),
        }
    }

    fn kept(blocks: &DecodedBlocks, number: u32) -> bool {
        !blocks.get(0, [id(number)].into_iter()).is_empty()
    }

    #[test]
    fn what_was_used_last_is_kept() {
        let blocks = DecodedBlocks::default();
        let samples = || Some(Arc::new(Samples::new(&[1; 4096], 8)));
        let count = (MOST_BYTES / 8192) as u32;
        blocks.keep(7, [(id(0), None)].into_iter());
        for number in 0..3 * count {
            blocks.keep(0, [(id(number), samples())].into_iter());
            assert!(kept(&blocks, 0), "it is used all the time: {number}");
            assert!(blocks.memory() <= MOST_BYTES as u64);
        }
        assert!(kept(&blocks, 3 * count - 1));
        assert!(!kept(&blocks, 1));
        assert!(blocks.get(7, [id(0)].into_iter()).is_empty());
    }

    #[test]
    fn what_is_all_zero_is_known_to_be() {
        let blocks = DecodedBlocks::default();
        blocks.keep(0, [(id(1), None)].into_iter());
        assert_eq!(blocks.get(0, [id(1)].into_iter())[&id(1)], None);
        assert!(blocks.get(1, [id(1)].into_iter()).is_empty());
    }
}
