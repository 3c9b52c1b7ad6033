//! The bytes of an underlying image, read by position.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

/// Bytes that can be read at any position, by several threads at once.
///
/// Decoders ask for just the ranges that they need; what a range costs (a disk read, an HTTP request) is the source's
/// business.
pub trait ReadAt: Send + Sync {
    /// Bytes in all.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the bytes end before the buffer is full.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// [`Self::read_exact_at`], if it need not wait for a disk or another machine: whether it was done. Otherwise the buffer may hold
    /// anything.
    fn read_at_once(&self, _buffer: &mut [u8], _offset: u64) -> bool {
        false
    }

    /// Whether what is read is of the state that was opened, as far as can be seen: nobody has written to it since. Where every read
    /// makes sure of that by itself, it is.
    fn is_unchanged(&self) -> bool {
        true
    }

    /// Says which ranges will be read next: where each read is a request, all are fetched at once.
    ///
    /// # Errors
    /// If they cannot be fetched.
    fn read_ahead(&self, _ranges: &[Range<u64>]) -> io::Result<()> {
        Ok(())
    }
}

/// A shared handle on such bytes.
pub type Input = Arc<dyn ReadAt>;

/// Reads at most `length` bytes from `offset`: fewer where the input ends.
///
/// # Errors
/// Whatever the input reports.
pub fn read_up_to(input: &dyn ReadAt, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let available = input.size().saturating_sub(offset);
    let mut buffer = vec![0; length.min(usize::try_from(available).unwrap_or(usize::MAX))];
    input.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}

/// Reads exactly `length` bytes from `offset`.
///
/// # Errors
/// `UnexpectedEof` if there are fewer, before anything is allocated.
pub fn read_range(input: &dyn ReadAt, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let end = offset.checked_add(length as u64);
    if end.is_none_or(|end| end > input.size()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut buffer = vec![0; length];
    input.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}

/// Says which ranges will be read next, in any order; they may overlap, and what lies beyond the end is left out.
///
/// # Errors
/// If they cannot be fetched.
pub fn read_ahead(input: &dyn ReadAt, ranges: Vec<Range<u64>>) -> io::Result<()> {
    let joined = joined(ranges, input.size());
    if joined.is_empty() {
        return Ok(());
    }
    input.read_ahead(&joined)
}

/// In their order, those that touch as one, up to `end`.
fn joined(mut ranges: Vec<Range<u64>>, end: u64) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        let range = range.start..range.end.min(end);
        match joined.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let range = start..start.saturating_add(buffer.len());
        let bytes = self.get(range).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// A position in an input, for libraries that want `Read + Seek`.
pub struct Reader {
    input: Input,
    position: u64,
}

impl Reader {
    pub fn new(input: Input) -> Self {
        Self { input, position: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.input.size().saturating_sub(self.position);
        let length = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        self.input
            .read_exact_at(&mut buffer[..length], self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.input.size().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_beyond_the_end_is_an_error_before_it_is_allocated() {
        let input = vec![1_u8, 2, 3];
        assert!(read_range(&input, 1, usize::MAX / 2).is_err());
        assert_eq!(read_range(&input, 1, 2).unwrap(), [2, 3]);
        assert_eq!(read_up_to(&input, 2, 10).unwrap(), [3]);
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let ranges = vec![40..90, 10..20, 5..10, 30..31, 7..8, 60..60, 50..60, 70..80];
        assert_eq!(joined(ranges, 75), [5..20, 30..31, 40..75]);
    }

    #[test]
    fn a_reader_seeks_and_stops_at_the_end() {
        let mut reader = Reader::new(Arc::new(vec![1_u8, 2, 3]));
        reader.seek(SeekFrom::End(-1)).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, [3]);
    }
}
