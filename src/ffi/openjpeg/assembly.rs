//! A codestream put together from stretches of an input and from bytes made here.

use std::io;
use std::ops::Range;

use crate::input::Input;

/// Bytes that OpenJPEG reads as one codestream. Stretches of the input are read when it asks for them.
pub struct Assembly {
    input: Input,
    /// All bytes that are not from the input.
    made: Vec<u8>,
    pieces: Vec<Piece>,
    length: u64,
}

/// Lies at `start` of the assembly and ends where the next one starts.
#[derive(Clone, Copy)]
struct Piece {
    start: u64,
    from: From,
}

/// The place of the first byte.
#[derive(Clone, Copy)]
enum From {
    Made(usize),
    Input(u64),
}

impl Assembly {
    pub fn new(input: Input) -> Self {
        Self {
            input,
            made: Vec::new(),
            pieces: Vec::new(),
            length: 0,
        }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.ends_with_made() && !bytes.is_empty() {
            self.push_piece(From::Made(self.made.len()));
        }
        self.made.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
    }

    fn ends_with_made(&self) -> bool {
        let last = self.pieces.last();
        last.is_some_and(|last| matches!(last.from, From::Made(_)))
    }

    /// Appends a stretch of the input.
    pub fn push_stretch(&mut self, stretch: Range<u64>) {
        if stretch.is_empty() {
            return;
        }
        if self.end_in_input() != Some(stretch.start) {
            self.push_piece(From::Input(stretch.start));
        }
        self.length += stretch.end - stretch.start;
    }

    /// What is read of the input, in the order of the assembly.
    pub fn stretches(&self) -> impl Iterator<Item = Range<u64>> {
        let next = self.pieces.iter().skip(1).map(|piece| piece.start);
        let ends = next.chain([self.length]);
        let pieces = self.pieces.iter().zip(ends);
        pieces.filter_map(|(piece, end)| match piece.from {
            From::Input(offset) => Some(offset..offset + (end - piece.start)),
            From::Made(_) => None,
        })
    }

    /// Where in the input the last piece ends.
    fn end_in_input(&self) -> Option<u64> {
        let last = self.pieces.last()?;
        match last.from {
            From::Input(offset) => Some(offset + (self.length - last.start)),
            From::Made(_) => None,
        }
    }

    fn push_piece(&mut self, from: From) {
        let start = self.length;
        self.pieces.push(Piece { start, from });
    }

    /// Fills `buffer` from `position`, as far as there are bytes, and says how far.
    ///
    /// # Errors
    /// Whatever the input reports.
    pub fn read(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut filled = 0;
        if position >= self.length {
            return Ok(0);
        }
        let after = self.pieces.partition_point(|piece| piece.start <= position);
        for index in after.saturating_sub(1)..self.pieces.len() {
            if filled == buffer.len() {
                break;
            }
            filled += self.read_piece(index, &mut buffer[filled..], position + filled as u64)?;
        }
        Ok(filled)
    }

    fn read_piece(&self, index: usize, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let piece = self.pieces[index];
        let next = self.pieces.get(index + 1);
        let end = next.map_or(self.length, |next| next.start);
        let left = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        let buffer = &mut buffer[..length];
        let within = position - piece.start;
        match piece.from {
            From::Made(at) => {
                let at = at + usize::try_from(within).unwrap_or(usize::MAX);
                buffer.copy_from_slice(&self.made[at..at + length]);
            }
            From::Input(offset) => self.input.read_exact_at(buffer, offset + within)?,
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn assembly() -> Assembly {
        let mut assembly = Assembly::new(Arc::new((0..100).collect::<Vec<u8>>()));
        assembly.push(&[200, 201]);
        assembly.push_stretch(10..12);
        assembly.push_stretch(12..14);
        assembly.push(&[]);
        assembly.push_stretch(5..5);
        assembly.push_stretch(50..51);
        assembly.push(&[202]);
        assembly.push(&[203]);
        assembly
    }

    const ALL: [u8; 9] = [200, 201, 10, 11, 12, 13, 50, 202, 203];

    #[test]
    fn pieces_are_read_as_one() {
        let assembly = assembly();
        assert_eq!(assembly.length(), 9);
        assert_eq!(assembly.read(&mut [0; 4], 9).unwrap(), 0);
        assert_eq!(assembly.read(&mut [0; 4], 1000).unwrap(), 0);
        for start in 0..ALL.len() {
            for length in 0..12 {
                let mut buffer = [0; 12];
                let read = assembly.read(&mut buffer[..length], start as u64).unwrap();
                let expected = &ALL[start..ALL.len().min(start + length)];
                assert_eq!(&buffer[..read], expected, "{length} from {start}");
            }
        }
    }

    #[test]
    fn neighbours_are_one_piece() {
        assert_eq!(assembly().pieces.len(), 4);
        let stretches: Vec<_> = assembly().stretches().collect();
        assert_eq!(stretches, [10..14, 50..51]);
    }
}
