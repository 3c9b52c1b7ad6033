//! JPEG 2000 codestreams by OpenJPEG: decoding of an area at a reduction, and encoding.
//!
//! Only codestreams go through OpenJPEG. The boxes of the JP2 family around them are read and written by our own code,
//! so that palettes, channel definitions and colour are the same for every level and window.

mod assembly;
mod decoder;
mod encoder;
mod log;
mod stream;

pub use assembly::Assembly;
pub use decoder::{Component, Image, Part, decode};
pub use encoder::{Coded, Encoding, Plane, encode};

use std::io;

/// Why OpenJPEG failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What OpenJPEG reported, in its own words.
    #[error("{0}")]
    Codec(String),
    #[error("the codestream could not be read")]
    Io(#[from] io::Error),
}

impl Error {
    fn codec(problem: impl Into<String>) -> Self {
        Self::Codec(problem.into())
    }
}
