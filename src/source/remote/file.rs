//! One state of a remote file, read by position.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::runtime::Handle;

use super::ahead::Ahead;
use super::ask::{Answer, Ask, Condition, State};
use super::blocks::{BLOCK, BlockKey, BlockLanding, Blocks, Place, bytes_of, covering, grouped};
use super::chunks::Chunks;
use super::error::RemoteError;
use super::flights::Flight;
use super::known::Known;
use super::origin::Origin;
use super::run::Run;
use crate::input::ReadAt;

/// Reads of more bytes do not pass through the blocks, where they would leave little else.
pub const LARGE: u64 = 8 << 20;
/// Blocks that nobody asked for are fetched with those around them, if there are not more of them: a request takes as long as so many
/// bytes.
const GAP: u64 = (128 << 10) / BLOCK;
/// Bytes of the longest request, and requests at once for one read: a single one seldom gets all that the line can do.
const LONGEST: u64 = 4 << 20;
const AT_ONCE: usize = 4;

/// What is needed to read it.
pub struct RemoteFile {
    pub origin: Arc<Origin>,
    pub blocks: Arc<Blocks>,
    pub known: Arc<Known>,
    pub runtime: Handle,
    pub key: String,
    pub state: State,
    /// The digest of location and version.
    pub id: u128,
}

/// The same as an input.
pub struct RemoteInput {
    file: Arc<RemoteFile>,
    ahead: Mutex<Ahead>,
}

/// A block, now or soon.
enum Piece {
    Here(Bytes),
    Soon(Arc<Flight<Bytes>>),
}

impl RemoteInput {
    pub fn new(file: RemoteFile) -> Self {
        Self {
            file: Arc::new(file),
            ahead: Mutex::new(Ahead::new()),
        }
    }

    fn read_blocks(&self, buffer: &mut [u8], bytes: Range<u64>) -> Result<(), RemoteError> {
        let blocks = covering(&bytes);
        let (pieces, mut missing) = self.file.find(blocks.clone());
        if let Some(first) = missing.keys().next().copied() {
            let after = self.after(first, blocks.end);
            self.file.extend(&mut missing, after);
        }
        self.file.fetch(missing, 0);
        for (index, piece) in blocks.zip(pieces) {
            copy(&self.file.get(piece)?, index * BLOCK, buffer, bytes.start);
        }
        Ok(())
    }

    /// The blocks to be fetched after those of a read.
    fn after(&self, first_missing: u64, end: u64) -> Range<u64> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.file.state.size.div_ceil(BLOCK);
        end..(end + ahead.after(first_missing, end)).min(last)
    }
}

impl ReadAt for RemoteInput {
    fn size(&self) -> u64 {
        self.file.state.size
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.size()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let read = if buffer.len() as u64 > LARGE {
            self.file.read_directly(buffer, offset)
        } else {
            self.read_blocks(buffer, offset..end)
        };
        read.map_err(|error| self.file.noted(error).into())
    }

    /// Of more than a quarter of what may be kept only the first.
    fn read_ahead(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        let mut wanted = self.file.blocks.size() / 4 / BLOCK;
        let mut all = BTreeMap::new();
        let mut pieces = Vec::new();
        for range in ranges {
            let range = range.start.min(self.size())..range.end.min(self.size());
            let blocks = covering(&range);
            let blocks = blocks.start..blocks.end.min(blocks.start.saturating_add(wanted));
            wanted -= blocks.end.saturating_sub(blocks.start);
            let (found, mut missing) = self.file.find(blocks);
            pieces.extend(found);
            all.append(&mut missing);
        }
        self.file.fetch(all, GAP);
        for piece in pieces {
            let got = self.file.get(piece);
            got.map_err(|error| io::Error::from(self.file.noted(error)))?;
        }
        Ok(())
    }
}

impl RemoteFile {
    /// What there is of these blocks, and the duty to fetch those that are missing.
    fn find(&self, blocks: Range<u64>) -> (Vec<Piece>, BTreeMap<u64, BlockLanding>) {
        let mut missing = BTreeMap::new();
        let pieces = blocks.map(|index| match self.place(index) {
            Place::Kept(block) => Piece::Here(block),
            Place::Coming(flight) => Piece::Soon(flight),
            Place::Missing(flight, landing) => {
                missing.insert(index, landing);
                Piece::Soon(flight)
            }
        });
        (pieces.collect(), missing)
    }

    fn get(&self, piece: Piece) -> Result<Bytes, RemoteError> {
        match piece {
            Piece::Here(block) => Ok(block),
            Piece::Soon(flight) => flight.wait(self.origin.limits().patience()),
        }
    }

    fn place(&self, index: u64) -> Place {
        let file = self.id;
        self.blocks.find(BlockKey { file, index })
    }

    /// Adds what follows, up to the first block that is not missing.
    fn extend(&self, missing: &mut BTreeMap<u64, BlockLanding>, blocks: Range<u64>) {
        for index in blocks {
            let Some(landing) = self.claim(index) else {
                return;
            };
            missing.insert(index, landing);
        }
    }

    /// Begins to fetch, with as few requests as is reasonable.
    fn fetch(self: &Arc<Self>, mut missing: BTreeMap<u64, BlockLanding>, gap: u64) {
        let wanted: Vec<u64> = missing.keys().copied().collect();
        for group in grouped(wanted, gap, LONGEST / BLOCK) {
            let mut landing = |index| missing.remove(&index).or_else(|| self.claim(index));
            let landings: VecDeque<_> = group.clone().map(&mut landing).collect();
            let run = Run::new(&group, landings);
            let file = Arc::clone(self);
            self.runtime
                .spawn(async move { file.fetch_run(&run).await });
        }
    }

    /// The duty to fetch a block, if it is missing.
    fn claim(&self, index: u64) -> Option<BlockLanding> {
        match self.place(index) {
            Place::Missing(_, landing) => Some(landing),
            _ => None,
        }
    }

    async fn fetch_run(&self, run: &Run) {
        let fetched = self.origin.attempts(&self.key, || self.fill(run)).await;
        if let Err(error) = fetched {
            run.fail(&self.blocks, &error);
        }
    }

    /// One attempt at what is left of a run.
    async fn fill(&self, run: &Run) -> Result<(), RemoteError> {
        let mut chunks = self.part(bytes_of(&run.left(), self.state.size)).await?;
        while !run.left().is_empty() {
            let next = run.left().start;
            let bytes = bytes_of(&(next..next + 1), self.state.size);
            let block = chunks.take((bytes.end - bytes.start) as usize).await?;
            run.land(&self.blocks, block);
        }
        Ok(())
    }

    /// One request for bytes of this state. A server that has no ranges any more is another.
    async fn part(&self, range: Range<u64>) -> Result<Chunks, RemoteError> {
        let ask = Ask {
            key: self.key.clone(),
            range: Some(range),
            condition: Condition::Only(self.state.clone()),
        };
        match self.origin.ask(&ask).await? {
            Answer::Part { body, .. } => Ok(Chunks::new(body)),
            Answer::Whole { .. } | Answer::Unchanged => Err(RemoteError::Changed),
        }
    }

    /// Straight into the buffer, in several requests.
    fn read_directly(&self, buffer: &mut [u8], offset: u64) -> Result<(), RemoteError> {
        let starts = (offset..).step_by(LONGEST as usize);
        let parts = buffer.chunks_mut(LONGEST as usize).zip(starts);
        let reads = parts.map(|(part, start)| self.read_part(part, start));
        let all = stream::iter(reads).buffer_unordered(AT_ONCE);
        self.runtime.block_on(all.try_collect())
    }

    async fn read_part(&self, part: &mut [u8], start: u64) -> Result<(), RemoteError> {
        let range = start..start + part.len() as u64;
        let part = tokio::sync::Mutex::new(part);
        let attempt = || async {
            let mut chunks = self.part(range.clone()).await?;
            chunks.fill(&mut part.lock().await).await
        };
        self.origin.attempts(&self.key, attempt).await
    }

    /// What turned out to be another is to be found again.
    fn noted(&self, error: RemoteError) -> RemoteError {
        if matches!(error, RemoteError::Changed | RemoteError::Absent) {
            self.known.forget(&self.key, self.id);
        }
        error
    }
}

/// Copies what a block, which begins at `start`, has of the bytes of the buffer, which begins at `offset`.
fn copy(block: &[u8], start: u64, buffer: &mut [u8], offset: u64) {
    let skipped = offset.saturating_sub(start) as usize;
    let at = start.saturating_sub(offset) as usize;
    let length = (block.len() - skipped).min(buffer.len() - at);
    buffer[at..at + length].copy_from_slice(&block[skipped..skipped + length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_copied_where_they_belong() {
        let bytes: Vec<u8> = (0..10).collect();
        let mut buffer = [99; 6];
        for (start, block) in bytes.chunks(4).enumerate() {
            copy(block, 4 * start as u64, &mut buffer, 3);
        }
        assert_eq!(buffer, [3, 4, 5, 6, 7, 8]);
    }
}
