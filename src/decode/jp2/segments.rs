//! Marker segments, one after the other (ISO/IEC 15444-1, A.1).

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use super::fields::malformed;
use crate::decode::DecodeError;
use crate::input::Input;

pub const SOC: u16 = 0xFF4F;
pub const CAP: u16 = 0xFF50;
pub const SIZ: u16 = 0xFF51;
pub const COD: u16 = 0xFF52;
pub const COC: u16 = 0xFF53;
pub const TLM: u16 = 0xFF55;
pub const PLT: u16 = 0xFF58;
pub const QCD: u16 = 0xFF5C;
pub const QCC: u16 = 0xFF5D;
pub const RGN: u16 = 0xFF5E;
pub const POC: u16 = 0xFF5F;
pub const PPM: u16 = 0xFF60;
pub const COM: u16 = 0xFF64;
pub const SOT: u16 = 0xFF90;
pub const SOD: u16 = 0xFF93;
pub const EOC: u16 = 0xFFD9;

/// A reader of marker segments.
pub struct Segments {
    bytes: BufReader<Stretch>,
}

/// Part of an input as a reader that ends where the part does.
struct Stretch {
    input: Input,
    position: u64,
    end: u64,
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

impl Segments {
    /// Reads `buffer` bytes of the input at once, and none beyond the range.
    pub fn new(input: &Input, range: Range<u64>, buffer: usize) -> Self {
        let stretch = Stretch {
            input: Input::clone(input),
            position: range.start,
            end: range.end.min(input.size()),
        };
        Self {
            bytes: BufReader::with_capacity(buffer, stretch),
        }
    }

    /// Where in the input the next byte lies.
    pub fn position(&self) -> u64 {
        self.bytes.get_ref().position - self.bytes.buffer().len() as u64
    }

    pub fn marker(&mut self) -> Result<u16, DecodeError> {
        let mut bytes = [0; 2];
        self.bytes.read_exact(&mut bytes).map_err(truncated)?;
        let marker = u16::from_be_bytes(bytes);
        if marker < 0xFF00 {
            return Err(malformed("no marker where one must be"));
        }
        Ok(marker)
    }

    /// The bytes after the length of the segment, which counts itself.
    fn length(&mut self) -> Result<usize, DecodeError> {
        let mut bytes = [0; 2];
        self.bytes.read_exact(&mut bytes).map_err(truncated)?;
        usize::from(u16::from_be_bytes(bytes))
            .checked_sub(2)
            .ok_or_else(|| malformed("a marker segment shorter than its length"))
    }

    pub fn content(&mut self) -> Result<Vec<u8>, DecodeError> {
        let mut content = vec![0; self.length()?];
        self.bytes.read_exact(&mut content).map_err(truncated)?;
        Ok(content)
    }

    /// Where the content of the segment lies. What is not in the buffer yet is not read: a hostile header has thousands
    /// of segments of 64 KiB.
    pub fn skip(&mut self) -> Result<Range<u64>, DecodeError> {
        let length = self.length()?;
        let start = self.position();
        let buffered = length.min(self.bytes.buffer().len());
        self.bytes.consume(buffered);
        let left = (length - buffered) as u64;
        self.bytes.get_mut().skip(left).map_err(truncated)?;
        Ok(start..start + length as u64)
    }
}

/// The end of the codestream is the file's fault; other errors are the source's.
pub fn truncated(error: io::Error) -> DecodeError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return malformed("the codestream ends too early");
    }
    DecodeError::Io(error)
}
