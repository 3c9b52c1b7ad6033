//! Marker segments, one after the other (ISO/IEC 15444-1, A.1).

use std::io::{self, Read};
use std::ops::Range;

use super::fields::malformed;
use super::skim::Skim;
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
    bytes: Skim,
}

impl Segments {
    /// Reads `buffer` bytes of the input at once, and none beyond the range.
    pub fn new(input: &Input, range: Range<u64>, buffer: usize) -> Self {
        Self {
            bytes: Skim::new(input, range, buffer),
        }
    }

    /// Where in the input the next byte lies.
    pub fn position(&self) -> u64 {
        self.bytes.position()
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

    /// Where the content of the segment lies. It is not read.
    pub fn skip(&mut self) -> Result<Range<u64>, DecodeError> {
        let length = self.length()? as u64;
        let start = self.position();
        self.bytes.skip(length).map_err(truncated)?;
        Ok(start..start + length)
    }
}

/// The end of the codestream is the file's fault; other errors are the source's.
pub fn truncated(error: io::Error) -> DecodeError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return malformed("the codestream ends too early");
    }
    DecodeError::Io(error)
}
