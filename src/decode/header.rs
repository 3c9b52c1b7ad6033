//! What a decoder learns of an image without decoding pixels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Unit;
use crate::geometry::{Dimensions, ScaleFactor};
use crate::orientation::Orientation;

/// A format that is read; found by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    Jpeg,
    Png,
    Tiff,
    Jp2,
    Webp,
    Gif,
    Bmp,
    Pdf,
}

impl SourceFormat {
    /// Whether it can only be decoded as a whole, at full size.
    pub const fn is_decoded_whole(self) -> bool {
        match self {
            Self::Png | Self::Gif | Self::Webp | Self::Bmp => true,
            Self::Jpeg | Self::Tiff | Self::Jp2 | Self::Pdf => false,
        }
    }

    /// Whether its tiles are kept one by one, for other windows that touch them: the decoder of JPEG 2000 keeps code-blocks.
    pub const fn shares_tiles(self) -> bool {
        matches!(self, Self::Tiff)
    }
}

/// The colour model as stored, for people and for `info.json`; what comes out of a decoder is a
/// [`Layout`](crate::raster::Layout).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorModel {
    Bilevel,
    Gray,
    Palette,
    Rgb,
    #[serde(rename = "ycbcr")]
    YCbCr,
    Cmyk,
    Lab,
}

impl ColorModel {
    /// Whether images of this model have no colour, so that `color` need not be offered (Q06).
    pub const fn is_gray(self) -> bool {
        matches!(self, Self::Bilevel | Self::Gray)
    }
}

/// One stored resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// As stored, before orientation.
    pub dimensions: Dimensions,
    /// How many times smaller than the full image; a pixel of the level stands for a square of this side whose corner
    /// is at a multiple of it.
    pub scale_factor: ScaleFactor,
    /// The unit that can be decoded by itself: a TIFF tile, a JPEG 2000 tile (at this level's scale) or precinct.
    /// `None` if the level is stored as strips or as a whole.
    pub tile: Option<Dimensions>,
    /// What has to be decoded together.
    pub unit: Unit,
    /// How its units are coded, if [`Decoder::stored`](super::Decoder::stored) can give them as files.
    pub coding: Option<Coding>,
}

/// A coding that is a file format, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    Jpeg,
    Webp,
}

/// Pixels per inch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    pub x: f64,
    pub y: f64,
}

impl Resolution {
    /// Files say 0 or nonsense where they do not know.
    pub fn is_sensible(&self) -> bool {
        const PIXELS_PER_INCH: std::ops::RangeInclusive<f64> = 1.0..=60_000.0;
        PIXELS_PER_INCH.contains(&self.x) && PIXELS_PER_INCH.contains(&self.y)
    }
}

/// What is known of an image before its pixels are decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub format: SourceFormat,
    /// Largest first, never empty; the first has scale factor one.
    pub levels: Vec<Level>,
    /// What brings the stored pixels upright.
    pub orientation: Orientation,
    pub color: ColorModel,
    pub alpha: bool,
    /// Bits per sample of the deepest channel.
    pub bit_depth: u8,
    /// Images in the file that are not levels of this one, and this one.
    pub pages: u32,
    pub resolution: Option<Resolution>,
    /// The embedded ICC profile, which describes the samples that the decoder returns.
    #[serde(with = "profile")]
    pub profile: Option<Arc<[u8]>>,
    /// How the pixels are coded, for people: `baseline`, `Deflate`, `HTJ2K, reversible`…
    pub coding: String,
}

/// As text, which is a third longer than the bytes.
mod profile {
    use std::sync::Arc;

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        profile: &Option<Arc<[u8]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = profile
            .as_ref()
            .map(|profile| BASE64_STANDARD.encode(profile));
        text.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<[u8]>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let bytes = text.map(|text| BASE64_STANDARD.decode(text)).transpose();
        Ok(bytes.map_err(D::Error::custom)?.map(Arc::from))
    }
}

impl Header {
    /// Width and height of the full image, upright: what `info.json` declares.
    pub fn dimensions(&self) -> Dimensions {
        self.orientation.apply_to(self.stored_dimensions())
    }

    /// Width and height of the full image as stored.
    pub fn stored_dimensions(&self) -> Dimensions {
        self.levels[0].dimensions
    }

    /// Channels of the pixels that are decoded.
    pub fn channels(&self) -> u64 {
        let color = match self.color {
            ColorModel::Bilevel | ColorModel::Gray => 1,
            ColorModel::Palette | ColorModel::Rgb | ColorModel::YCbCr | ColorModel::Lab => 3,
            ColorModel::Cmyk => 4,
        };
        color + u64::from(self.alpha)
    }

    /// Bytes of a sample that is decoded.
    pub fn sample_bytes(&self) -> u64 {
        if self.bit_depth > 8 { 2 } else { 1 }
    }

    /// Bytes of the embedded profile.
    pub fn profile_bytes(&self) -> u64 {
        let profile = self.profile.as_ref();
        profile.map_or(0, |profile| profile.len() as u64)
    }

    /// The header for people and tests.
    pub fn summary(&self) -> Value {
        let sides = |d: Dimensions| json!({ "width": d.width(), "height": d.height() });
        let levels: Vec<Value> = self
            .levels
            .iter()
            .map(|level| {
                json!({
                    "width": level.dimensions.width(),
                    "height": level.dimensions.height(),
                    "scale_factor": level.scale_factor.get(),
                    "tile": level.tile.map(sides),
                    "unit": level.unit.to_string(),
                })
            })
            .collect();
        json!({
            "format": self.format,
            "coding": self.coding,
            "width": self.dimensions().width(),
            "height": self.dimensions().height(),
            "orientation": self.orientation.tag(),
            "levels": levels,
            "color": self.color,
            "alpha": self.alpha,
            "bit_depth": self.bit_depth,
            "pages": self.pages,
            "resolution": self.resolution.map(|r| json!({ "x": r.x, "y": r.y })),
            "profile_bytes": self.profile.as_ref().map(|profile| profile.len()),
        })
    }
}

#[cfg(test)]
pub mod sample {
    use super::*;

    /// A level without tiles.
    pub fn level(dimensions: Dimensions, scale_factor: ScaleFactor) -> Level {
        Level {
            dimensions,
            scale_factor,
            tile: None,
            unit: Unit::Pixel,
            coding: None,
        }
    }

    /// An upright 8-bit RGB TIFF with these levels.
    pub fn header(levels: Vec<Level>) -> Header {
        Header {
            format: SourceFormat::Tiff,
            levels,
            orientation: Orientation::UPRIGHT,
            color: ColorModel::Rgb,
            alpha: false,
            bit_depth: 8,
            pages: 1,
            resolution: None,
            profile: None,
            coding: "Deflate".to_owned(),
        }
    }
}
