//! A remote file as the bytes of an image.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::ahead::Ahead;
use super::blocks::{BLOCK, covering};
use super::error::RemoteError;
use super::file::{GAP, RemoteFile};
use crate::input::ReadAt;
use crate::source::FileInput;

/// Reads of more bytes do not pass through the blocks, where they would leave little else; of smaller files there are no copies.
const LARGE: u64 = 8 << 20;

pub struct RemoteInput {
    file: Arc<RemoteFile>,
    ahead: Mutex<Ahead>,
    copy: OnceLock<Arc<FileInput>>,
    /// Whether it turned out that no copy can be made: who tries again fetches all of it in vain.
    is_refused: AtomicBool,
}

impl RemoteInput {
    pub fn new(file: RemoteFile) -> Self {
        let copy = OnceLock::new();
        if file.state.size > LARGE {
            file.copies.open(file.id).map(|found| copy.set(found));
        }
        Self {
            file: Arc::new(file),
            ahead: Mutex::new(Ahead::new()),
            copy,
            is_refused: AtomicBool::new(false),
        }
    }

    /// Who decodes does not wait for a copy, but for the bytes that are read.
    fn read(&self, buffer: &mut [u8], bytes: Range<u64>) -> io::Result<()> {
        if let Some(copy) = self.copy.get() {
            return copy.read_exact_at(buffer, bytes.start);
        }
        let read = if buffer.len() as u64 > LARGE {
            self.file.read_directly(buffer, bytes.start)
        } else {
            self.read_blocks(buffer, bytes)
        };
        Ok(read?)
    }

    /// Copies all of it; `false` where that cannot be done, so that ranges have to do.
    fn copy_all(&self) -> Result<bool, RemoteError> {
        let can_be = self.file.copies.can_keep(self.file.state.size);
        if !can_be || self.is_refused.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match self.file.copied() {
            Ok(copy) => {
                self.copy.get_or_init(|| copy);
                Ok(true)
            }
            Err(RemoteError::Refused(_) | RemoteError::Broken(_)) => {
                self.is_refused.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether so many bytes are (nearly) all of a large file.
    fn is_most(&self, bytes: u64) -> bool {
        let size = self.file.state.size;
        size > LARGE && bytes >= size - size / 8
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
            copy_block(&self.file.get(piece)?, index * BLOCK, buffer, bytes.start);
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
        self.read(buffer, offset..end)
    }

    /// Waits, so that who decodes need not. Of more than a quarter of what may be kept only the first is fetched. A copy that takes longer
    /// is made all the same: whoever asks later finds it.
    fn read_ahead(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        let within = |range: &Range<u64>| range.start.min(self.size())..range.end.min(self.size());
        let ranges = ranges.iter().map(within);
        let total: u64 = ranges
            .clone()
            .map(|range| range.end.saturating_sub(range.start))
            .sum();
        if self.copy.get().is_some() {
            return Ok(());
        }
        if self.is_most(total) && self.copy_all()? {
            return Ok(());
        }
        Ok(self.file.fetch_all(ranges, GAP)?)
    }
}

/// Copies what a block, which begins at `start`, has of the bytes of the buffer, which begins at `offset`.
fn copy_block(block: &[u8], start: u64, buffer: &mut [u8], offset: u64) {
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
            copy_block(block, 4 * start as u64, &mut buffer, 3);
        }
        assert_eq!(buffer, [3, 4, 5, 6, 7, 8]);
    }
}
