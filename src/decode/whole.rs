//! Formats that can only be decoded as a whole: decode everything, then cut the window out.

use std::io::{self, BufReader, ErrorKind};

use super::{DecodeError, Decoder, Header, Limits, Window};
use crate::geometry::Rect;
use crate::input::{Input, Reader, read_ahead};
use crate::raster::Raster;

/// An image of such a format.
pub struct Whole {
    input: Input,
    header: Header,
    decode: Decode,
}

/// Decodes the whole image that the header describes.
type Decode = fn(Input) -> Result<Raster, DecodeError>;

impl Whole {
    /// Checks the header against the limits, before any pixel is allocated (K04). `bytes_per_pixel` is all that
    /// decoding needs for a pixel.
    pub fn open(
        input: Input,
        limits: &Limits,
        header: Header,
        bytes_per_pixel: u64,
        decode: Decode,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        limits.check_dimensions(header.stored_dimensions())?;
        limits.check_decoded(header.stored_dimensions(), bytes_per_pixel)?;
        Ok(Box::new(Self {
            input,
            header,
            decode,
        }))
    }
}

impl Decoder for Whole {
    fn header(&self) -> &Header {
        &self.header
    }

    fn read_ahead(&self, _window: &Window) -> Result<(), DecodeError> {
        read_ahead_all(&self.input)
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        let raster = (self.decode)(self.input.clone())?;
        if raster.dimensions() != self.header.stored_dimensions() {
            let problem = "the file has changed since its header was read";
            return Err(DecodeError::Io(io::Error::other(problem)));
        }
        if window.rect == Rect::whole(raster.dimensions()) {
            return Ok(raster);
        }
        Ok(raster.crop(window.rect))
    }
}

/// For formats that are decoded from their first byte.
pub fn read_ahead_all(input: &Input) -> Result<(), DecodeError> {
    let all = 0..input.size();
    Ok(read_ahead(&**input, vec![all])?)
}

/// The input as the libraries want it.
pub fn buffered(input: Input) -> BufReader<Reader> {
    const BLOCK: usize = 16 * 1024;
    BufReader::with_capacity(BLOCK, Reader::new(input))
}

/// An error of reading: the file ended too early, or the source failed.
pub fn read_error(format: &'static str, error: io::Error) -> DecodeError {
    match error.kind() {
        ErrorKind::UnexpectedEof => DecodeError::malformed(format, "the file ends too early"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
            DecodeError::malformed(format, error.to_string())
        }
        _ => DecodeError::Io(error),
    }
}
