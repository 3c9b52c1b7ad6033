//! Settings of the encoders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::hex_color::HexColor;

/// How derivatives are encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EncodeConfig {
    /// Quality of JPEG, and of the JPEG data in PDF.
    #[schemars(range(min = 1, max = 100))]
    pub jpeg_quality: u8,

    /// Quality of lossy WebP.
    #[schemars(range(min = 1, max = 100))]
    pub webp_quality: u8,

    /// Send stored bytes as they are where they already are what is asked for: JPEG and WebP tiles of TIFFs, whole
    /// JPEGs. They keep the quality in which they are stored.
    pub passthrough: bool,

    /// Colour behind transparent pixels and in the corners of a rotated image, in formats without transparency.
    pub background: HexColor,
}

impl Default for EncodeConfig {
    fn default() -> Self {
        Self {
            jpeg_quality: 85,
            webp_quality: 80,
            passthrough: true,
            background: HexColor::WHITE,
        }
    }
}
