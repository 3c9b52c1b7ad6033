//! Fields of boxes and marker segments.

use crate::decode::DecodeError;

/// Big-endian fields from the front of a slice.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (field, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*field)
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (field, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(field)
    }

    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.take().map(u8::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.take().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.take().map(u32::from_be_bytes)
    }
}

fn too_short() -> DecodeError {
    malformed("a field beyond its end")
}

/// A file that breaks the rules of JPEG 2000.
pub fn malformed(problem: impl Into<String>) -> DecodeError {
    DecodeError::malformed("JPEG 2000", problem)
}
