//! The decoder of JPEG 2000 codestreams, Part 1 (ISO/IEC 15444-1), for windows of large images.
//!
//! Where packets lie in a file is known to who calls. What they hold is read here ([`Precinct`]), code-blocks are decoded ([`block`]), and the
//! wavelet transform ([`wavelet`]) and that of the colours are undone for the window that is wanted ([`Tile`]).
#![forbid(unsafe_code)]

mod bits;
pub mod block;
pub mod color;
mod finish;
mod geometry;
mod needed;
mod packet;
mod parallel;
mod quantization;
mod samples;
mod tag_tree;
mod tile;
pub mod wavelet;

pub use finish::Depth;
pub use geometry::{Division, Place};
pub use needed::{BlockId, Needed, PrecinctId, Window};
pub use packet::{Coded, Markers, Precinct};
pub use quantization::Quantization;
pub use samples::Samples;
pub use tile::{Blocks, Component, Piece, Tile};

use std::fmt;

/// A sub-band (B.5). The first letter is for the horizontal direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Band {
    LL,
    HL,
    LH,
    HH,
}

/// What is wrong with a codestream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(pub &'static str);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Error {}
