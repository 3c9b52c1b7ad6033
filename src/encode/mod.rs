//! From a raster to the bytes of a derivative (Image API 3.0, section 4.5).
//!
//! What is encoded is plain: 8 bits, gray or sRGB, with or without alpha, as
//! [`to_srgb`](crate::transform::color::to_srgb) leaves it.

pub mod config;
mod gif;
mod jp2;
mod jpg;
mod palette;
mod pdf;
mod png;
mod tif;
mod webp;

use std::fmt::Display;
use std::sync::LazyLock;

use self::config::EncodeConfig;
use crate::decode::Resolution;
use crate::geometry::Dimensions;
use crate::iiif::format::Format;
use crate::raster::{Layout, Raster};
use crate::transform::flatten::flatten;

/// What is chosen once for all derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// 1 to 100. From 90 on, colour is stored as finely as brightness.
    pub jpeg_quality: u8,
    /// 1 to 100.
    pub webp_quality: u8,
    /// Stored bytes that are the answer are not decoded.
    pub passthrough: bool,
    /// What shows through transparent pixels where the format has none.
    pub background: [u8; 3],
}

/// Why a raster could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("{dimensions} is too large for {}, which ends at {longest}", format.name())]
    TooLarge {
        format: Format,
        dimensions: Dimensions,
        longest: u32,
    },
    #[error("only 8-bit gray and RGB are encoded")]
    NotPlain,
    #[error("encoding {} failed: {problem}", format.name())]
    Codec { format: Format, problem: String },
}

/// Encodes a plain raster, which it takes: nobody needs it afterwards, and a copy of a large one is expensive. Where the format has no alpha, the raster is flattened on the background (F06).
///
/// # Errors
/// If a side is longer than the format can say, or the raster is not plain.
pub fn encode(
    raster: Raster,
    format: Format,
    resolution: Option<Resolution>,
    settings: &Settings,
) -> Result<Vec<u8>, EncodeError> {
    check_size(raster.dimensions(), format)?;
    let raster = fitted(raster, format, settings);
    let plain = Plain::new(&raster).ok_or(EncodeError::NotPlain)?;
    let resolution = resolution.filter(Resolution::is_sensible);
    match format {
        Format::Jpg => named(format, jpg::encode(plain, resolution, settings)),
        Format::Png => named(format, png::encode(plain, resolution)),
        Format::Webp => named(format, webp::encode(plain, settings)),
        Format::Tif => named(format, tif::encode(plain, resolution)),
        Format::Gif => named(format, gif::encode(plain)),
        Format::Jp2 => named(format, jp2::encode(&raster, resolution.map(dots_per_inch))),
        Format::Pdf => named(format, pdf::encode(plain, resolution, settings)),
    }
}

fn named(format: Format, result: Result<Vec<u8>, impl Display>) -> Result<Vec<u8>, EncodeError> {
    result.map_err(|error| EncodeError::Codec {
        format,
        problem: error.to_string(),
    })
}

fn check_size(dimensions: Dimensions, format: Format) -> Result<(), EncodeError> {
    let longest = format.capabilities().longest_side;
    if dimensions.width().max(dimensions.height()) > longest {
        return Err(EncodeError::TooLarge {
            format,
            dimensions,
            longest,
        });
    }
    Ok(())
}

fn fitted(raster: Raster, format: Format, settings: &Settings) -> Raster {
    if format.capabilities().alpha {
        raster
    } else {
        flatten(raster, settings.background)
    }
}

/// For formats with one whole number for both directions.
fn dots_per_inch(resolution: Resolution) -> u32 {
    resolution.x.round() as u32
}

impl From<&EncodeConfig> for Settings {
    fn from(config: &EncodeConfig) -> Self {
        Self {
            jpeg_quality: config.jpeg_quality,
            webp_quality: config.webp_quality,
            passthrough: config.passthrough,
            background: config.background.rgb(),
        }
    }
}

/// A raster that is known to have 8 bits and no inks.
#[derive(Clone, Copy)]
struct Plain<'a> {
    dimensions: Dimensions,
    samples: &'a [u8],
    color: bool,
    alpha: bool,
}

impl<'a> Plain<'a> {
    fn new(raster: &'a Raster) -> Option<Self> {
        let color = match raster.layout() {
            Layout::Gray | Layout::GrayAlpha => false,
            Layout::Rgb | Layout::Rgba => true,
            Layout::Cmyk => return None,
        };
        Some(Self {
            dimensions: raster.dimensions(),
            samples: raster.as_u8()?,
            color,
            alpha: raster.layout().has_alpha(),
        })
    }
}

/// The ICC profile of sRGB, for the formats that do not mean sRGB when they say nothing.
fn srgb_profile() -> &'static [u8] {
    static PROFILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        moxcms::ColorProfile::new_srgb()
            .encode()
            .unwrap_or_default()
    });
    &PROFILE
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::raster::Samples;

    pub const SETTINGS: Settings = Settings {
        jpeg_quality: 85,
        webp_quality: 80,
        passthrough: true,
        background: [255, 255, 255],
    };

    pub const RESOLUTION: Option<Resolution> = Some(Resolution { x: 300.0, y: 150.0 });

    pub fn raster(width: u32, height: u32, layout: Layout, samples: Vec<u8>) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        Raster::new(dimensions, layout, Samples::U8(samples))
    }

    /// Forty columns by thirty rows in which all samples differ from their neighbours, alpha too.
    pub fn pattern(layout: Layout) -> Raster {
        let samples = (0..40 * 30 * layout.channels()).map(|i| (i * 37 % 256) as u8);
        raster(40, 30, layout, samples.collect())
    }

    /// Four flat squares of 50 pixels; the last is transparent if there is alpha.
    pub fn squares(layout: Layout) -> Raster {
        const COLORS: [[u8; 4]; 4] = [
            [200, 30, 60, 255],
            [20, 180, 90, 255],
            [250, 240, 10, 255],
            [13, 13, 200, 0],
        ];
        let samples = (0..100 * 100).flat_map(|i| {
            let [r, g, b, alpha] = COLORS[(i / 100 / 50) * 2 + i % 100 / 50];
            match layout {
                Layout::Gray => vec![r],
                Layout::GrayAlpha => vec![r, alpha],
                Layout::Rgb => vec![r, g, b],
                _ => vec![r, g, b, alpha],
            }
        });
        raster(100, 100, layout, samples.collect())
    }

    pub fn encode_to(format: Format, raster: &Raster) -> Vec<u8> {
        encode(raster.clone(), format, RESOLUTION, &SETTINGS).unwrap()
    }

    /// The largest difference in the middle of the squares, where no 16x16 block reaches into a neighbour.
    pub fn worst_in_squares(found: &[u8], wanted: &[u8], channels: usize) -> u8 {
        let at = |x: usize, y: usize| (y * 100 + x) * channels;
        let middles = (0..10_000).filter(|i| {
            let inside = |v: usize| (16..34).contains(&(v % 50));
            inside(i % 100) && inside(i / 100)
        });
        middles
            .flat_map(|i| at(i % 100, i / 100)..at(i % 100, i / 100) + channels)
            .map(|index| found[index].abs_diff(wanted[index]))
            .max()
            .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{SETTINGS, encode_to, raster};
    use super::*;
    use crate::raster::Samples;

    const LAYOUTS: [Layout; 4] = [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba];

    fn signature(format: Format) -> &'static [u8] {
        match format {
            Format::Jpg => b"\xFF\xD8\xFF",
            Format::Png => b"\x89PNG\r\n\x1A\n",
            Format::Webp => b"RIFF",
            Format::Tif => b"II*\0",
            Format::Gif => b"GIF89a",
            Format::Jp2 => b"\0\0\0\x0CjP  ",
            Format::Pdf => b"%PDF-",
        }
    }

    /// F03, and the smallest images there are.
    #[test]
    fn one_pixel_of_every_layout_is_encoded_in_every_format() {
        for format in Format::ALL {
            for layout in LAYOUTS {
                let pixel = raster(1, 1, layout, vec![99; layout.channels()]);
                let encoded = encode_to(format, &pixel);
                assert!(
                    encoded.starts_with(signature(format)),
                    "{format:?} {layout:?}"
                );
            }
        }
    }

    #[test]
    fn the_same_raster_gives_the_same_bytes() {
        let source = testing::squares(Layout::Rgba);
        for format in Format::ALL {
            assert_eq!(
                encode_to(format, &source),
                encode_to(format, &source),
                "{format:?}"
            );
        }
    }

    #[test]
    fn sides_that_a_format_cannot_say_are_refused() {
        let wide = raster(16_384, 1, Layout::Gray, vec![0; 16_384]);
        let error = encode(wide.clone(), Format::Webp, None, &SETTINGS).unwrap_err();
        assert!(matches!(
            error,
            EncodeError::TooLarge {
                longest: 16_383,
                ..
            }
        ));
        assert_eq!(
            error.to_string(),
            "16384x1 is too large for webp, which ends at 16383"
        );
        assert!(encode(wide, Format::Gif, None, &SETTINGS).is_ok());
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        let dimensions = Dimensions::new(1, 1).unwrap();
        let deep = Raster::new(dimensions, Layout::Gray, Samples::U16(vec![1]));
        let inks = raster(1, 1, Layout::Cmyk, vec![0; 4]);
        for source in [deep, inks] {
            let error = encode(source, Format::Png, None, &SETTINGS).unwrap_err();
            assert!(matches!(error, EncodeError::NotPlain));
        }
    }

    #[test]
    fn nonsense_for_a_resolution_is_left_out() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let nonsense = Resolution { x: value, y: 300.0 };
            assert!(!nonsense.is_sensible(), "{value}");
        }
        assert!(Resolution { x: 72.0, y: 300.0 }.is_sensible());
    }
}
