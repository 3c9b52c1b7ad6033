//! Every ceiling on decoding, checked from the header before anything is allocated (K04).

use super::DecodeError;
use crate::geometry::Dimensions;

/// What one decoding may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of a source image.
    pub source_pixels: u64,
    /// Bytes of decoded samples that one decode holds at once. Formats that cannot be decoded in part (PNG, GIF, WebP,
    /// BMP) need the whole image.
    pub decoded_bytes: u64,
}

impl Limits {
    /// # Errors
    /// If the image has more pixels than allowed.
    pub fn check_dimensions(&self, dimensions: Dimensions) -> Result<(), DecodeError> {
        check("an image", dimensions.area(), self.source_pixels)
    }

    /// Checks the memory for `dimensions` of `bytes_per_pixel`.
    ///
    /// # Errors
    /// If it is more than allowed.
    pub fn check_decoded(
        &self,
        dimensions: Dimensions,
        bytes_per_pixel: u64,
    ) -> Result<(), DecodeError> {
        let bytes = dimensions.area().saturating_mul(bytes_per_pixel);
        check("decoded bytes", bytes, self.decoded_bytes)
    }
}

fn check(what: &'static str, value: u64, limit: u64) -> Result<(), DecodeError> {
    if value > limit {
        return Err(DecodeError::TooLarge { what, value, limit });
    }
    Ok(())
}
