//! JPEG: one component for gray (Q07), no alpha.
//!
//! No colour profile is embedded: viewers take a JPEG without one for sRGB, and 600 bytes in every tile would be
//! for nothing. TIFF and PDF, which are kept and printed, carry one.

use super::{Plain, Settings};
use crate::decode::Resolution;
use crate::ffi::turbojpeg::{self, Encoding, Error, Pixels, Subsampling};

/// From this quality on, colour is stored at full resolution. Below it, a quarter of the colour samples is enough for
/// the eye; flat colours stay right either way (F12).
const FULL_COLOR_QUALITY: u8 = 90;

/// Encodes a raster without alpha.
pub fn encode(
    plain: Plain<'_>,
    resolution: Option<Resolution>,
    settings: &Settings,
) -> Result<Vec<u8>, Error> {
    let encoding = Encoding {
        quality: settings.jpeg_quality.clamp(1, 100),
        subsampling: if settings.jpeg_quality >= FULL_COLOR_QUALITY {
            Subsampling::S444
        } else {
            Subsampling::S420
        },
        density: resolution.map(|r| (r.x.round() as u16, r.y.round() as u16)),
        profile: None,
    };
    let pixels = if plain.color {
        Pixels::Rgb
    } else {
        Pixels::Gray
    };
    turbojpeg::encode(plain.samples, plain.dimensions, pixels, &encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{
        RESOLUTION, SETTINGS, encode_to, pattern, raster, squares, worst_in_squares,
    };
    use crate::encode::{encode, srgb_profile};
    use crate::ffi::turbojpeg::{ColorSpace, Scale, decode, read_frame};
    use crate::iiif::format::Format;
    use crate::raster::Layout;

    /// F12: also with a quarter of the colour samples, at any default that is likely.
    #[test]
    fn flat_colours_stay_within_five_levels() {
        let source = squares(Layout::Rgb);
        for jpeg_quality in [75, 80, 85, 90, 95, 100] {
            let settings = Settings {
                jpeg_quality,
                ..SETTINGS
            };
            let jpeg = encode(source.clone(), Format::Jpg, None, &settings).unwrap();
            let decoded = decode(&jpeg, Pixels::Rgb, Scale::Full, None).unwrap();
            let worst = worst_in_squares(&decoded, source.as_u8().unwrap(), 3);
            assert!(worst <= 5, "{worst} levels at quality {jpeg_quality}");
        }
    }

    #[test]
    fn gray_has_one_component() {
        let frame = read_frame(&encode_to(Format::Jpg, &pattern(Layout::Gray))).unwrap();
        assert_eq!(frame.color_space, ColorSpace::Gray);
        let frame = read_frame(&encode_to(Format::Jpg, &pattern(Layout::Rgb))).unwrap();
        assert_eq!(frame.color_space, ColorSpace::YCbCr);
    }

    #[test]
    fn colour_is_fine_from_quality_90_on() {
        for (jpeg_quality, side) in [(89, 16), (90, 8)] {
            let settings = Settings {
                jpeg_quality,
                ..SETTINGS
            };
            let jpeg = encode(squares(Layout::Rgb), Format::Jpg, None, &settings).unwrap();
            assert_eq!(read_frame(&jpeg).unwrap().mcu.width(), side);
        }
    }

    /// F06: the background, not black, shows through.
    #[test]
    fn alpha_is_flattened_on_the_background() {
        let transparent = raster(8, 8, Layout::Rgba, [0, 0, 0, 0].repeat(64));
        let settings = Settings {
            background: [255, 128, 0],
            ..SETTINGS
        };
        let jpeg = encode(transparent, Format::Jpg, None, &settings).unwrap();
        let decoded = decode(&jpeg, Pixels::Rgb, Scale::Full, None).unwrap();
        for (sample, wanted) in decoded.iter().zip([255, 128, 0_u8].repeat(64)) {
            assert!(sample.abs_diff(wanted) <= 2);
        }
    }

    /// JFIF 1.02: units 1 (per inch), then horizontal and vertical density, at offset 13.
    #[test]
    fn the_resolution_stands_in_the_jfif_header() {
        let source = pattern(Layout::Gray);
        let jpeg = encode(source, Format::Jpg, RESOLUTION, &SETTINGS).unwrap();
        assert_eq!(&jpeg[6..11], b"JFIF\0");
        assert_eq!(jpeg[13..18], [1, 1, 44, 0, 150]);
    }

    #[test]
    fn no_profile_is_embedded() {
        let jpeg = encode_to(Format::Jpg, &pattern(Layout::Rgb));
        assert!(!jpeg.windows(11).any(|window| window == b"ICC_PROFILE"));
        assert!(!srgb_profile().is_empty());
    }
}
