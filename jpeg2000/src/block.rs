//! Code-blocks: the bit-plane coding passes (ISO/IEC 15444-1, annex D) over the MQ coder (annex C).

use crate::{Band, Error};

/// The code-block style (table A.19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes(pub u8);

/// Coding passes of a code-block that end together: all of them, unless passes are terminated (D.4, D.6).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub passes: u32,
    pub bytes: &'a [u8],
}

/// A code-block as the packets have it.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Samples; at most 1024 each and 4096 together.
    pub width: usize,
    pub height: usize,
    pub band: Band,
    pub modes: Modes,
    /// Magnitude bit-planes that are coded: those of the sub-band (E-2) less those that are empty.
    pub planes: u8,
    pub segments: &'a [Segment<'a>],
}

/// What is kept from one code-block to the next.
#[derive(Default)]
pub struct Decoder {}

impl Decoder {
    /// Decodes the coefficients of a code-block, row by row, into `samples`.
    ///
    /// They have one bit after the binary point: half of the weight of the last bit-plane that was decoded of a coefficient is added to
    /// the magnitude of those that are not zero (E.1.1.2, with r = 1/2).
    ///
    /// # Errors
    /// If the block cannot be what an encoder writes.
    pub fn decode(&mut self, block: &Block<'_>, samples: &mut [i32]) -> Result<(), Error> {
        let _ = (block, samples);
        Err(Error("not written yet"))
    }
}
