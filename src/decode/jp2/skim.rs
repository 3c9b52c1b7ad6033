//! Part of an input, read here and there from its beginning to its end.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use crate::input::Input;

/// A reader that ends where the part does.
pub struct Skim(BufReader<Stretch>);

struct Stretch {
    input: Input,
    position: u64,
    end: u64,
}

impl Skim {
    /// Reads `buffer` bytes of the input at once, and none beyond the range.
    pub fn new(input: &Input, range: Range<u64>, buffer: usize) -> Self {
        let stretch = Stretch {
            input: Input::clone(input),
            position: range.start,
            end: range.end.min(input.size()),
        };
        Self(BufReader::with_capacity(buffer, stretch))
    }

    /// Where in the input the next byte lies.
    pub fn position(&self) -> u64 {
        self.0.get_ref().position - self.0.buffer().len() as u64
    }

    /// Goes on by so many bytes. What is not in the buffer yet is not read: a hostile header has thousands of segments of 64 KiB.
    ///
    /// # Errors
    /// If the part ends before.
    pub fn skip(&mut self, length: u64) -> io::Result<()> {
        let buffered = self.0.buffer().len() as u64;
        let (consumed, left) = (length.min(buffered), length.saturating_sub(buffered));
        self.0.consume(consumed as usize);
        self.0.get_mut().skip(left)
    }
}

impl Read for Skim {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        self.input
            .read_exact_at(&mut buffer[..length], self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Stretch {
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let after = self.position.saturating_add(length);
        if after > self.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = after;
        Ok(())
    }
}
