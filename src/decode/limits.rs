//! Every ceiling on decoding, checked from the header before anything is allocated (K04).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DecodeError, PdfLimits};
use crate::config::byte_size::{self, ByteSize};
use crate::geometry::Dimensions;

/// What one decoding may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most pixels, width times height, of an underlying image. Larger ones are not served.
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub source_pixels: u64,

    /// Bytes of decoded samples that one decode holds at once. Formats that cannot be decoded in part (PNG, GIF, WebP,
    /// BMP) need the whole image.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub decoded_bytes: u64,

    /// Bytes of code-blocks that a decoder keeps of an image for the neighbours of a window, and as many of where others lie.
    /// Of the cache's settings.
    #[serde(skip)]
    pub kept_bytes: u64,

    pub pdf: PdfLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    pub const DEFAULT: Self = Self {
        source_pixels: 2_000_000_000,
        decoded_bytes: 2 << 30,
        kept_bytes: 32 << 20,
        pdf: PdfLimits::DEFAULT,
    };

    /// Stands for what changes the size of an image, and so its header and its pixels: only pages of documents have one that is
    /// not their own.
    pub fn tag(&self) -> String {
        let PdfLimits {
            resolution, scans, ..
        } = self.pdf;
        format!("{resolution} {scans:?} {}", self.source_pixels)
    }

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

/// # Errors
/// If the value is above the limit.
pub fn check(what: &'static str, value: u64, limit: u64) -> Result<(), DecodeError> {
    if value > limit {
        return Err(DecodeError::TooLarge { what, value, limit });
    }
    Ok(())
}
