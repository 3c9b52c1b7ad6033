//! Painting over.

use super::color::plain;
use super::quality::luminance;
use crate::geometry::Rect;
use crate::raster::{Layout, Raster, Samples};

/// Fills a rectangle of a plain raster with an opaque sRGB colour; on a gray one, with its luminance.
///
/// # Panics
/// If the rectangle is not within the raster: never is less painted than was asked for.
pub fn paint(raster: Raster, rect: Rect, [red, green, blue]: [u8; 3]) -> Raster {
    let raster = plain(raster);
    let (dimensions, layout) = (raster.dimensions(), raster.layout());
    assert!(rect.is_within(dimensions), "painting outside the raster");
    let gray = luminance([red, green, blue]);
    let pixel: &[u8] = match layout {
        Layout::Gray => &[gray],
        Layout::GrayAlpha => &[gray, 255],
        Layout::Rgb => &[red, green, blue],
        Layout::Rgba => &[red, green, blue, 255],
        Layout::Cmyk => unreachable!("a plain raster has no inks"),
    };
    let Samples::U8(mut samples) = raster.into_samples() else {
        unreachable!("a plain raster has 8 bits")
    };
    let stride = dimensions.width() as usize * pixel.len();
    let across = rect.x() as usize * pixel.len()..rect.right() as usize * pixel.len();
    let lines = samples.chunks_exact_mut(stride).skip(rect.y() as usize);
    for line in lines.take(rect.height() as usize) {
        for place in line[across.clone()].chunks_exact_mut(pixel.len()) {
            place.copy_from_slice(pixel);
        }
    }
    Raster::new(dimensions, layout, Samples::U8(samples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::{raster, raster16};

    fn rect() -> Rect {
        Rect::new(1, 0, 1, 2).unwrap()
    }

    #[test]
    fn only_the_rectangle_changes() {
        let source = raster(3, 2, Layout::Gray, &[1, 2, 3, 4, 5, 6]);
        let wanted = raster(3, 2, Layout::Gray, &[1, 255, 3, 4, 255, 6]);
        assert_eq!(paint(source, rect(), [255; 3]), wanted);
    }

    #[test]
    fn what_was_transparent_becomes_opaque() {
        let source = raster(2, 2, Layout::Rgba, &[9; 16]);
        let painted = paint(source, rect(), [1, 2, 3]);
        let (seen, hidden) = ([9; 4], [1, 2, 3, 255]);
        let wanted = [seen, hidden, seen, hidden];
        assert_eq!(painted, raster(2, 2, Layout::Rgba, wanted.as_flattened()));
        let gray = paint(raster(2, 2, Layout::GrayAlpha, &[9; 8]), rect(), [1; 3]);
        let wanted = [9, 9, 1, 255, 9, 9, 1, 255];
        assert_eq!(gray, raster(2, 2, Layout::GrayAlpha, &wanted));
    }

    #[test]
    fn deep_and_printed_pixels_are_plain_afterwards() {
        let deep = paint(raster16(2, 2, Layout::Gray, &[0x1234; 4]), rect(), [0; 3]);
        assert_eq!(deep, raster(2, 2, Layout::Gray, &[18, 0, 18, 0]));
        let inks = paint(raster(2, 2, Layout::Cmyk, &[0; 16]), rect(), [0; 3]);
        let wanted = [255, 255, 255, 0, 0, 0].repeat(2);
        assert_eq!(inks, raster(2, 2, Layout::Rgb, &wanted));
    }
}
