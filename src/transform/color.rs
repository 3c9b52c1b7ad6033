//! From whatever a file holds to plain 8-bit gray or sRGB (F07).

use moxcms::{CmsError, Transform8BitExecutor, Transform16BitExecutor};

use super::TransformError;
use crate::geometry::Dimensions;
use crate::raster::{Layout, Raster, Samples};

mod profile;

/// Converts by the embedded ICC profile, if there is one that fits. The result has 8 bits and is gray or RGB, with
/// alpha if there was one.
///
/// A profile that is broken, or made for another kind of samples, is ignored: the image is shown as if it had none.
///
/// # Errors
/// If the colour library refuses samples that it announced to accept.
pub fn to_srgb(raster: Raster, profile: Option<&[u8]>) -> Result<Raster, TransformError> {
    let kind = profile::Kind {
        layout: raster.layout(),
        deep: matches!(raster.samples(), Samples::U16(_)),
    };
    match profile.and_then(|bytes| profile::conversion(bytes, kind)) {
        Some(conversion) => convert(&raster, &conversion),
        None => Ok(plain(raster)),
    }
}

/// Whether 8-bit samples with this profile are what [`to_srgb`] gives, as they are.
pub fn is_srgb(profile: &[u8], layout: Layout) -> bool {
    let kind = profile::Kind {
        layout,
        deep: false,
    };
    profile::conversion(profile, kind).is_none()
}

fn convert(raster: &Raster, conversion: &Conversion) -> Result<Raster, TransformError> {
    let layout = without_inks(raster.layout());
    let samples = conversion
        .apply(raster.samples(), raster.dimensions(), layout)
        .map_err(|error| TransformError::Color(error.to_string()))?;
    Ok(plain(Raster::new(raster.dimensions(), layout, samples)))
}

const fn without_inks(layout: Layout) -> Layout {
    match layout {
        Layout::Cmyk => Layout::Rgb,
        other => other,
    }
}

/// A ready conversion to sRGB or to gray with the tone curve of sRGB.
#[derive(Clone)]
enum Conversion {
    U8(std::sync::Arc<Transform8BitExecutor>),
    U16(std::sync::Arc<Transform16BitExecutor>),
}

impl Conversion {
    fn apply(
        &self,
        samples: &Samples,
        dimensions: Dimensions,
        layout: Layout,
    ) -> Result<Samples, CmsError> {
        let length = dimensions.area() as usize * layout.channels();
        match (self, samples) {
            (Self::U8(executor), Samples::U8(from)) => {
                let mut into = vec![0; length];
                executor.transform(from, &mut into)?;
                Ok(Samples::U8(into))
            }
            (Self::U16(executor), Samples::U16(from)) => {
                let mut into = vec![0; length];
                executor.transform(from, &mut into)?;
                Ok(Samples::U16(into))
            }
            _ => Err(CmsError::InvalidLayout),
        }
    }
}

/// The same without a profile: samples are taken for sRGB, and rounded to 8 bits.
pub(super) fn plain(raster: Raster) -> Raster {
    let (dimensions, layout) = (raster.dimensions(), raster.layout());
    let samples = match raster.into_samples() {
        Samples::U8(samples) => samples,
        Samples::U16(samples) => samples.into_iter().map(to_u8).collect(),
    };
    let samples = match layout {
        Layout::Cmyk => {
            let pixels = samples.as_chunks().0.iter();
            pixels.flat_map(|&inks| without_profile(inks)).collect()
        }
        _ => samples,
    };
    Raster::new(dimensions, without_inks(layout), Samples::U8(samples))
}

fn to_u8(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_767) / 65_535) as u8
}

/// Ink amounts without a profile mean no certain colour. The simplest reading: each ink takes its share of the light
/// and black takes its share of what is left, `(1 - c)(1 - k)`.
fn without_profile([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|ink| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        ((light + 127) / 255) as u8
    })
}

#[cfg(test)]
mod tests {
    use moxcms::{
        ColorProfile, DataColorSpace, LutDataType, LutStore, LutType, LutWarehouse, Matrix3d,
    };

    use super::*;
    use crate::transform::testing::{pixel, raster, raster16};

    fn adobe_rgb() -> Vec<u8> {
        ColorProfile::new_adobe_rgb().encode().unwrap()
    }

    fn gray_gamma(gamma: f32) -> Vec<u8> {
        ColorProfile::new_gray_with_gamma(gamma).encode().unwrap()
    }

    /// Four gray inks of which each takes its share of the lightness of white paper, as a table from ink to Lab
    /// (ICC.1, section 10.10): two grid points an ink, of which the first varies slowest.
    fn gray_inks() -> Vec<u8> {
        const NEUTRAL: u16 = 0x8000;
        const WHITE: u16 = 0xFF00;
        let ramp = |channels| [0, 65_535].repeat(channels);
        let clut = (0..16_u16).flat_map(|inks| {
            let lightness = WHITE / 4 * (4 - inks.count_ones() as u16);
            [lightness, NEUTRAL, NEUTRAL]
        });
        let table = LutDataType {
            num_input_channels: 4,
            num_output_channels: 3,
            num_clut_grid_points: 2,
            matrix: Matrix3d::IDENTITY,
            num_input_table_entries: 2,
            num_output_table_entries: 2,
            input_table: LutStore::Store16(ramp(4)),
            clut_table: LutStore::Store16(clut.collect()),
            output_table: LutStore::Store16(ramp(3)),
            lut_type: LutType::Lut16,
        };
        let mut profile = ColorProfile::new_gray_with_gamma(1.0);
        profile.gray_trc = None;
        profile.color_space = DataColorSpace::Cmyk;
        profile.pcs = DataColorSpace::Lab;
        profile.lut_a_to_b_perceptual = Some(LutWarehouse::Lut(table));
        profile.encode().unwrap()
    }

    fn near(found: &[u8], wanted: &[u8]) -> bool {
        within(2, found, wanted)
    }

    fn within(levels: u8, found: &[u8], wanted: &[u8]) -> bool {
        let mut pairs = found.iter().zip(wanted);
        found.len() == wanted.len() && pairs.all(|(a, b)| a.abs_diff(*b) <= levels)
    }

    #[test]
    fn sixteen_bits_round_to_eight() {
        let source = raster16(4, 1, Layout::Gray, &[0, 128, 129, 65_535]);
        let converted = to_srgb(source, None).unwrap();
        assert_eq!(converted, raster(4, 1, Layout::Gray, &[0, 0, 1, 255]));
        assert!((0..=255_u8).all(|value| to_u8(u16::from(value) * 257) == value));
    }

    #[test]
    fn inks_without_a_profile_take_light_away() {
        let inks = [0, 0, 0, 0, 255, 0, 0, 0, 0, 51, 255, 0, 0, 0, 0, 255];
        let converted = to_srgb(raster(4, 1, Layout::Cmyk, &inks), None).unwrap();
        let wanted = [255, 255, 255, 0, 255, 255, 255, 204, 0, 0, 0, 0];
        assert_eq!(converted, raster(4, 1, Layout::Rgb, &wanted));
    }

    /// Adobe RGB (1998) and sRGB share white, red and blue but not green: computed from both definitions,
    /// (64, 128, 192) is (0, 129, 196) and (200, 150, 100) is (217, 151, 97).
    #[test]
    fn an_embedded_profile_is_applied() {
        let source = raster(
            3,
            1,
            Layout::Rgb,
            &[64, 128, 192, 200, 150, 100, 255, 255, 255],
        );
        let converted = to_srgb(source, Some(&adobe_rgb())).unwrap();
        assert!(
            near(pixel(&converted, 0, 0), &[0, 129, 196]),
            "{converted:?}"
        );
        assert!(
            near(pixel(&converted, 1, 0), &[217, 151, 97]),
            "{converted:?}"
        );
        assert!(near(pixel(&converted, 2, 0), &[255, 255, 255]));
    }

    #[test]
    fn deep_samples_convert_like_shallow_ones() {
        let shallow: Vec<u8> = vec![200, 150, 100, 20, 220, 90];
        let deep: Vec<u16> = shallow
            .iter()
            .map(|&value| u16::from(value) * 257)
            .collect();
        let profile = adobe_rgb();
        let wanted = to_srgb(raster(2, 1, Layout::Rgb, &shallow), Some(&profile)).unwrap();
        let found = to_srgb(raster16(2, 1, Layout::Rgb, &deep), Some(&profile)).unwrap();
        assert!(near(found.as_u8().unwrap(), wanted.as_u8().unwrap()));
    }

    #[test]
    fn alpha_passes_through() {
        let source = raster(2, 1, Layout::Rgba, &[200, 150, 100, 7, 200, 150, 100, 255]);
        let converted = to_srgb(source, Some(&adobe_rgb())).unwrap();
        assert_eq!(converted.layout(), Layout::Rgba);
        assert_eq!(
            (pixel(&converted, 0, 0)[3], pixel(&converted, 1, 0)[3]),
            (7, 255)
        );
        let source = raster16(2, 1, Layout::GrayAlpha, &[0, 257 * 9, 65_535, 65_535]);
        let converted = to_srgb(source, Some(&gray_gamma(1.8))).unwrap();
        assert_eq!(converted.as_u8().unwrap(), [0, 9, 255, 255]);
    }

    /// Lightness 75, 50 and 25 are 185, 119 and 59 in sRGB. The library interpolates tables within three levels.
    #[test]
    fn inks_with_a_profile_become_its_colours() {
        let inks = [0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 255];
        let wanted = [255, 185, 119, 59].map(|value| [value; 3]);
        let profile = gray_inks();
        let converted = to_srgb(raster(4, 1, Layout::Cmyk, &inks), Some(&profile)).unwrap();
        assert_eq!(converted.layout(), Layout::Rgb);
        assert!(
            within(3, converted.as_u8().unwrap(), wanted.as_flattened()),
            "{converted:?}"
        );
        let deep = inks.map(|ink| u16::from(ink) * 257);
        let converted = to_srgb(raster16(4, 1, Layout::Cmyk, &deep), Some(&profile)).unwrap();
        assert!(
            within(3, converted.as_u8().unwrap(), wanted.as_flattened()),
            "{converted:?}"
        );
    }

    /// Linear 0.5 is 188 in sRGB (IEC 61966-2-1: 1.055 * 0.5^(1/2.4) - 0.055 = 0.735).
    #[test]
    fn gray_stays_gray_with_the_tone_curve_of_srgb() {
        let source = raster(3, 1, Layout::Gray, &[0, 128, 255]);
        let converted = to_srgb(source, Some(&gray_gamma(1.0))).unwrap();
        assert_eq!(converted.layout(), Layout::Gray);
        assert!(
            near(converted.as_u8().unwrap(), &[0, 188, 255]),
            "{converted:?}"
        );
    }

    #[test]
    fn profiles_that_are_srgb_change_nothing() {
        let profile = ColorProfile::new_srgb().encode().unwrap();
        let source = raster(2, 1, Layout::Rgb, &[1, 2, 3, 250, 99, 7]);
        assert_eq!(to_srgb(source.clone(), Some(&profile)).unwrap(), source);
    }

    #[test]
    fn profiles_that_do_not_fit_are_ignored() {
        let source = raster(2, 1, Layout::Rgb, &[1, 2, 3, 250, 99, 7]);
        let truncated = &adobe_rgb()[..200];
        for profile in [&gray_gamma(1.0)[..], truncated, b"", b"not a profile"] {
            assert_eq!(to_srgb(source.clone(), Some(profile)).unwrap(), source);
        }
        let inks = raster(1, 1, Layout::Cmyk, &[255, 0, 0, 0]);
        let converted = to_srgb(inks, Some(&adobe_rgb())).unwrap();
        assert_eq!(converted, raster(1, 1, Layout::Rgb, &[0, 255, 255]));
    }
}
