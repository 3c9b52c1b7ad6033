//! The qualities `gray` and `bitonal` (Image API 3.0, section 4.4).

use crate::raster::{Layout, Raster, Samples};

use super::color::plain;

/// Half of the brightness: from here on a pixel is white.
const THRESHOLD: u8 = 128;

/// One channel of luminance (Q03, Q10); alpha stays (Q08).
pub fn gray(raster: Raster) -> Raster {
    let raster = plain(raster);
    let samples = raster.as_u8().unwrap_or_default();
    let (layout, gray) = match raster.layout() {
        Layout::Rgb => {
            let pixels = samples.as_chunks().0.iter();
            (Layout::Gray, pixels.map(|&rgb| luminance(rgb)).collect())
        }
        Layout::Rgba => {
            let pixels = samples.as_chunks().0.iter();
            let gray = pixels.flat_map(|&[r, g, b, alpha]| [luminance([r, g, b]), alpha]);
            (Layout::GrayAlpha, gray.collect())
        }
        _ => return raster,
    };
    Raster::new(raster.dimensions(), layout, Samples::U8(gray))
}

/// Black and white by a fixed threshold (Q04, Q10). Alpha stays (Q08), but by the same threshold: a pixel that is half
/// transparent, as rotation makes them at edges, would become gray on a background.
pub fn bitonal(raster: Raster) -> Raster {
    let raster = gray(raster);
    let (dimensions, layout) = (raster.dimensions(), raster.layout());
    let mut samples = match raster.into_samples() {
        Samples::U8(samples) => samples,
        Samples::U16(_) => unreachable!("gray is 8 bits"),
    };
    for value in &mut samples {
        *value = if *value < THRESHOLD { 0 } else { 255 };
    }
    Raster::new(dimensions, layout, Samples::U8(samples))
}

/// The luma of ITU-R BT.601, which is also the Y of JPEG: a JPEG source asked for gray gives its own Y. The weights are
/// 0.299, 0.587 and 0.114 in units of 1/65536 and sum up to one.
pub(super) fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((sum + (1 << 15)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::flatten::flatten;
    use crate::transform::testing::{raster, raster16};

    #[test]
    fn colours_weigh_as_in_bt601() {
        let source = raster(
            4,
            1,
            Layout::Rgb,
            &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
        );
        assert_eq!(
            gray(source),
            raster(4, 1, Layout::Gray, &[76, 150, 29, 255])
        );
    }

    #[test]
    fn neutral_colours_keep_their_value() {
        for value in 0..=255 {
            assert_eq!(luminance([value; 3]), value);
        }
    }

    #[test]
    fn alpha_survives() {
        let source = raster(2, 1, Layout::Rgba, &[200, 200, 200, 7, 10, 10, 10, 0]);
        let wanted = raster(2, 1, Layout::GrayAlpha, &[200, 7, 10, 0]);
        assert_eq!(gray(source), wanted);
    }

    #[test]
    fn bitonal_pixels_are_opaque_or_transparent() {
        let source = raster(3, 1, Layout::GrayAlpha, &[200, 255, 10, 128, 10, 127]);
        let bitonal = bitonal(source);
        let wanted = raster(3, 1, Layout::GrayAlpha, &[255, 255, 0, 255, 0, 0]);
        assert_eq!(bitonal, wanted);
        let wanted = raster(3, 1, Layout::Gray, &[255, 0, 255]);
        assert_eq!(flatten(bitonal, [255; 3]), wanted);
    }

    #[test]
    fn gray_sources_are_gray_already() {
        let source = raster(3, 1, Layout::Gray, &[0, 127, 128]);
        assert_eq!(gray(source.clone()), source);
        assert_eq!(bitonal(source), raster(3, 1, Layout::Gray, &[0, 0, 255]));
    }

    #[test]
    fn deep_and_printed_colours_work_too() {
        let deep = raster16(1, 1, Layout::Rgb, &[65_535, 65_535, 65_535]);
        assert_eq!(gray(deep), raster(1, 1, Layout::Gray, &[255]));
        let inks = raster(1, 1, Layout::Cmyk, &[0, 0, 0, 255]);
        assert_eq!(bitonal(inks), raster(1, 1, Layout::Gray, &[0]));
    }
}
