//! What is kept of an image between windows: code-blocks at the edge of one are needed for its neighbours, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use azulejo_jpeg2000::{BlockId, Precinct, PrecinctId, Samples};

use super::recent::Recent;

/// Bytes of coefficients that are kept: what a screen shows has a megapixel and a half, in three components.
const MOST_SAMPLES: u64 = 24 << 20;
/// Bytes of precincts: where the code-blocks of 200 megapixels lie.
const MOST_PRECINCTS: u64 = 32 << 20;
/// What a decoded code-block takes beside its samples: their fields, and its place in the table.
const BLOCK: u64 = 130;

/// The code-blocks that were decoded last, and where others lie.
pub struct Kept {
    blocks: Mutex<Recent<(u16, BlockId), Decoded>>,
    precincts: Mutex<Recent<(u16, PrecinctId), Arc<Precinct>>>,
}

/// `None` if all of its coefficients are zero.
pub type Decoded = Option<Arc<Samples>>;

impl Kept {
    /// At most so many bytes of each.
    pub fn new(most: u64) -> Self {
        Self {
            blocks: Mutex::new(Recent::new(MOST_SAMPLES.min(most))),
            precincts: Mutex::new(Recent::new(MOST_PRECINCTS.min(most))),
        }
    }

    /// Those of a tile that are kept, as far as they are among these.
    pub fn blocks(
        &self,
        tile: u16,
        wanted: impl Iterator<Item = BlockId>,
    ) -> HashMap<BlockId, Decoded> {
        let mut kept = lock(&self.blocks);
        wanted
            .filter_map(|id| Some((id, kept.get((tile, id))?)))
            .collect()
    }

    pub fn keep_blocks(&self, tile: u16, blocks: impl Iterator<Item = (BlockId, Decoded)>) {
        let mut kept = lock(&self.blocks);
        for (id, decoded) in blocks {
            let samples = decoded.as_ref().map_or(0, |samples| samples.bytes() as u64);
            kept.put((tile, id), decoded, BLOCK + samples);
        }
    }

    /// Those of a tile that are kept, as far as they are among these.
    pub fn precincts(
        &self,
        tile: u16,
        wanted: impl Iterator<Item = PrecinctId>,
    ) -> HashMap<PrecinctId, Arc<Precinct>> {
        let mut kept = lock(&self.precincts);
        wanted
            .filter_map(|id| Some((id, kept.get((tile, id))?)))
            .collect()
    }

    pub fn keep_precinct(&self, tile: u16, id: PrecinctId, precinct: Arc<Precinct>) {
        let bytes = precinct.memory();
        lock(&self.precincts).put((tile, id), precinct, bytes);
    }

    pub fn memory(&self) -> u64 {
        lock(&self.blocks).bytes() + lock(&self.precincts).bytes()
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
