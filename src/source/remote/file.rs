//! One state of a remote file: how its bytes are fetched.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::runtime::Handle;

use super::ask::{Answer, Ask, Condition, State};
use super::blocks::{BLOCK, BlockKey, BlockLanding, Blocks, Place, bytes_of, covering, grouped};
use super::chunks::Chunks;
use super::copies::Copies;
use super::error::RemoteError;
use super::flights::Flight;
use super::known::Known;
use super::origin::Origin;
use super::run::Run;
use crate::source::FileInput;

/// Blocks that nobody asked for are fetched with those around them, if there are not more of them: a request takes as long as so many
/// bytes.
pub const GAP: u64 = (128 << 10) / BLOCK;
/// Bytes of the longest request, and requests at once for one read: a single one seldom gets all that the line can do.
const LONGEST: u64 = 4 << 20;
const AT_ONCE: usize = 4;

/// What is needed to read it.
pub struct RemoteFile {
    pub origin: Arc<Origin>,
    pub blocks: Arc<Blocks>,
    pub copies: Arc<Copies>,
    pub known: Arc<Known>,
    pub runtime: Handle,
    pub key: String,
    pub state: State,
    pub version: String,
    /// The digest of location and version.
    pub id: u128,
}

/// A block, now or soon.
pub enum Piece {
    Here(Bytes),
    Soon(Arc<Flight<Bytes>>),
}

impl RemoteFile {
    /// What there is of these blocks, and the duty to fetch those that are missing.
    pub fn find(&self, blocks: Range<u64>) -> (Vec<Piece>, BTreeMap<u64, BlockLanding>) {
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

    pub fn get(&self, piece: Piece) -> Result<Bytes, RemoteError> {
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
    pub fn extend(&self, missing: &mut BTreeMap<u64, BlockLanding>, blocks: Range<u64>) {
        for index in blocks {
            let Some(landing) = self.claim(index) else {
                return;
            };
            missing.insert(index, landing);
        }
    }

    /// Fetches what is missing of all these ranges; of more than a quarter of what may be kept only the first.
    pub fn fetch_all(
        self: &Arc<Self>,
        ranges: impl Iterator<Item = Range<u64>>,
        gap: u64,
    ) -> Result<(), RemoteError> {
        let mut left = self.blocks.size() / 4 / BLOCK;
        let mut missing = BTreeMap::new();
        let mut pieces = Vec::new();
        for range in ranges {
            let blocks = covering(&range);
            let blocks = blocks.start..blocks.end.min(blocks.start + left);
            left -= blocks.end.saturating_sub(blocks.start);
            let (found, mut absent) = self.find(blocks);
            pieces.extend(found);
            missing.append(&mut absent);
        }
        self.fetch(missing, gap);
        pieces
            .into_iter()
            .try_for_each(|piece| self.get(piece).map(drop))
    }

    /// Begins to fetch, with as few requests as is reasonable.
    pub fn fetch(self: &Arc<Self>, mut missing: BTreeMap<u64, BlockLanding>, gap: u64) {
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
            run.fail(&self.blocks, &self.noted(error));
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
    pub fn read_directly(&self, buffer: &mut [u8], offset: u64) -> Result<(), RemoteError> {
        let starts = (offset..).step_by(LONGEST as usize);
        let parts = buffer.chunks_mut(LONGEST as usize).zip(starts);
        let reads = parts.map(|(part, start)| self.read_part(part, start));
        let all = stream::iter(reads).buffer_unordered(AT_ONCE);
        let all = self.runtime.block_on(all.try_collect());
        all.map_err(|error| self.noted(error))
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

    /// The copy of the whole file, made by one at a time.
    pub fn copied(self: &Arc<Self>) -> Result<Arc<FileInput>, RemoteError> {
        self.begin_copy().wait(self.origin.limits().patience())
    }

    /// Begins to copy, if nobody has.
    pub fn begin_copy(self: &Arc<Self>) -> Arc<Flight<Arc<FileInput>>> {
        let (flight, landing) = self.copies.flights().board(&self.id);
        if let Some(landing) = landing {
            let file = Arc::clone(self);
            self.runtime.spawn(async move {
                let copy = match file.copies.open(file.id) {
                    Some(copy) => Ok(copy),
                    None => file.copy().await,
                };
                landing.land(copy.map_err(|error| file.noted(error)));
            });
        }
        flight
    }

    async fn copy(&self) -> Result<Arc<FileInput>, RemoteError> {
        let ask = Ask {
            key: self.key.clone(),
            range: None,
            condition: Condition::Only(self.state.clone()),
        };
        let attempt = || async {
            let unfinished = self.copies.begin(Some(self.state.size)).await?;
            let Answer::Whole {
                validators, body, ..
            } = self.origin.ask(&ask).await?
            else {
                return Err(RemoteError::Changed);
            };
            let fetched = self.copies.fetch(unfinished, Chunks::new(body)).await?;
            let is_whole = fetched.length == self.state.size;
            if !is_whole || fetched.version(validators) != self.version {
                return Err(RemoteError::Changed);
            }
            self.copies.publish(self.id, fetched).await
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
