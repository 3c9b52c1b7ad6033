//! Laying transparent pixels on a background (F06).

use crate::raster::{Layout, Raster, Samples};

use super::color::plain;

/// Removes the alpha channel over a background colour. Gray stays gray if the background has no colour.
pub fn flatten(raster: Raster, background: [u8; 3]) -> Raster {
    if !raster.layout().has_alpha() {
        return raster;
    }
    let raster = plain(raster);
    let samples = raster.as_u8().unwrap_or_default();
    let [red, green, blue] = background;
    let neutral = red == green && green == blue;
    let (layout, flat) = match raster.layout() {
        Layout::GrayAlpha if neutral => (Layout::Gray, flat_gray(samples, red)),
        Layout::GrayAlpha => (Layout::Rgb, flat_gray_on_color(samples, background)),
        _ => (Layout::Rgb, flat_rgb(samples, background)),
    };
    Raster::new(raster.dimensions(), layout, Samples::U8(flat))
}

fn flat_gray(samples: &[u8], background: u8) -> Vec<u8> {
    let pixels = samples.as_chunks().0.iter();
    pixels
        .map(|&[value, alpha]| over(value, alpha, background))
        .collect()
}

fn flat_gray_on_color(samples: &[u8], background: [u8; 3]) -> Vec<u8> {
    let pixels = samples.as_chunks().0.iter();
    pixels
        .flat_map(|&[value, alpha]| background.map(|under| over(value, alpha, under)))
        .collect()
}

fn flat_rgb(samples: &[u8], [red, green, blue]: [u8; 3]) -> Vec<u8> {
    let pixels = samples.as_chunks().0.iter();
    pixels
        .flat_map(|&[r, g, b, alpha]| {
            [
                over(r, alpha, red),
                over(g, alpha, green),
                over(b, alpha, blue),
            ]
        })
        .collect()
}

/// One sample over another, rounded to the nearest.
fn over(sample: u8, alpha: u8, under: u8) -> u8 {
    let alpha = u32::from(alpha);
    ((u32::from(sample) * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::raster;

    #[test]
    fn opaque_stays_transparent_becomes_background_half_is_between() {
        let source = raster(
            3,
            1,
            Layout::Rgba,
            &[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 51],
        );
        let flat = flatten(source, [255, 0, 100]);
        let wanted = [10, 20, 30, 255, 0, 100, 204, 20, 120];
        assert_eq!(flat, raster(3, 1, Layout::Rgb, &wanted));
    }

    #[test]
    fn gray_stays_gray_on_a_neutral_background() {
        let source = raster(2, 1, Layout::GrayAlpha, &[40, 255, 40, 0]);
        let flat = flatten(source.clone(), [255, 255, 255]);
        assert_eq!(flat, raster(2, 1, Layout::Gray, &[40, 255]));
        let flat = flatten(source, [1, 2, 3]);
        assert_eq!(flat, raster(2, 1, Layout::Rgb, &[40, 40, 40, 1, 2, 3]));
    }

    #[test]
    fn nothing_happens_without_alpha() {
        let source = raster(1, 1, Layout::Rgb, &[1, 2, 3]);
        assert_eq!(flatten(source.clone(), [9, 9, 9]), source);
    }
}
