//! Mirroring and quarter turns: exact permutations of the pixels (T10).

use crate::geometry::Dimensions;
use crate::orientation::{Orientation, QuarterTurn};
use crate::raster::{Raster, Samples};

/// Side of the squares in which rows become columns: small enough that the rows read and the rows written stay in the
/// first-level cache together.
const BLOCK: usize = 32;

/// Mirrors and turns: for EXIF orientation as well as for the rotation of a request.
pub fn orient(raster: Raster, orientation: Orientation) -> Raster {
    if orientation == Orientation::UPRIGHT {
        return raster;
    }
    let stored = raster.dimensions();
    let layout = raster.layout();
    let samples = match raster.into_samples() {
        Samples::U8(samples) => {
            Samples::U8(permute(samples, layout.channels(), stored, orientation))
        }
        Samples::U16(samples) => {
            Samples::U16(permute(samples, layout.channels(), stored, orientation))
        }
    };
    Raster::new(orientation.apply_to(stored), layout, samples)
}

fn permute<T: Copy + Default>(
    samples: Vec<T>,
    channels: usize,
    stored: Dimensions,
    orientation: Orientation,
) -> Vec<T> {
    match channels {
        1 => permute_pixels::<T, 1>(samples, stored, orientation),
        2 => permute_pixels::<T, 2>(samples, stored, orientation),
        3 => permute_pixels::<T, 3>(samples, stored, orientation),
        _ => permute_pixels::<T, 4>(samples, stored, orientation),
    }
}

fn permute_pixels<T: Copy + Default, const N: usize>(
    mut samples: Vec<T>,
    stored: Dimensions,
    orientation: Orientation,
) -> Vec<T> {
    if orientation.transposes() {
        return transposed::<T, N>(&samples, stored, orientation);
    }
    let pixels = samples.as_chunks_mut::<N>().0;
    if orientation.turn == QuarterTurn::Half {
        // A half turn reverses all pixels, that is the rows and the pixels in each.
        pixels.reverse();
    }
    if orientation.mirrored {
        for row in pixels.chunks_exact_mut(stored.width() as usize) {
            row.reverse();
        }
    }
    samples
}

/// Row `y` of the result is a column of the stored pixels. Reading rows and writing columns of a large image would miss
/// the cache at every pixel, so it is done square by square.
fn transposed<T: Copy + Default, const N: usize>(
    samples: &[T],
    stored: Dimensions,
    orientation: Orientation,
) -> Vec<T> {
    let (width, height) = (stored.width() as usize, stored.height() as usize);
    let clockwise = orientation.turn == QuarterTurn::Quarter;
    let flip_rows = clockwise;
    let flip_columns = clockwise == orientation.mirrored;
    let pixels = samples.as_chunks::<N>().0;
    let mut turned = vec![[T::default(); N]; pixels.len()];
    for block_y in (0..width).step_by(BLOCK) {
        for block_x in (0..height).step_by(BLOCK) {
            for y in block_y..width.min(block_y + BLOCK) {
                let column = if flip_columns { width - 1 - y } else { y };
                for x in block_x..height.min(block_x + BLOCK) {
                    let row = if flip_rows { height - 1 - x } else { x };
                    turned[y * height + x] = pixels[row * width + column];
                }
            }
        }
    }
    turned.into_flattened()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::Rect;
    use crate::raster::Layout;
    use crate::transform::testing::{raster, raster16};

    /// TIFF 6.0, page 36, by hand for
    /// ```text
    /// 1 2 3
    /// 4 5 6
    /// ```
    #[test]
    fn each_orientation_lays_six_pixels_as_the_standard_says() {
        let expected: [(u16, u32, [u8; 6]); 8] = [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ];
        for (tag, width, pixels) in expected {
            let stored = raster(3, 2, Layout::Gray, &[1, 2, 3, 4, 5, 6]);
            let upright = orient(stored, Orientation::from_tag(tag));
            let wanted = raster(width, 6 / width, Layout::Gray, &pixels);
            assert_eq!(upright, wanted, "orientation {tag}");
        }
    }

    #[test]
    fn channels_and_depth_stay_together() {
        let stored = raster16(2, 1, Layout::Rgb, &[1, 2, 300, 4, 5, 600]);
        let upright = orient(stored, Orientation::from_tag(6));
        assert_eq!(
            upright,
            raster16(1, 2, Layout::Rgb, &[1, 2, 300, 4, 5, 600])
        );
        let stored = raster(2, 1, Layout::Cmyk, &[1, 2, 3, 4, 5, 6, 7, 8]);
        let mirrored = orient(stored, Orientation::from_tag(2));
        assert_eq!(mirrored.as_u8().unwrap(), [5, 6, 7, 8, 1, 2, 3, 4]);
    }

    fn numbered(width: u32, height: u32) -> Raster {
        let samples: Vec<u16> = (0..width * height).map(|i| i as u16).collect();
        raster16(width, height, Layout::Gray, &samples)
    }

    proptest! {
        /// The decoder finds a rectangle with `stored_rect`; both must mean the same.
        #[test]
        fn the_upright_rectangle_is_the_stored_rectangle_oriented(
            width in 1..70_u32, height in 1..70_u32, tag in 1..=8_u16, seed in any::<[u32; 4]>()
        ) {
            let orientation = Orientation::from_tag(tag);
            let stored = numbered(width, height);
            let upright = orient(stored.clone(), orientation);
            let extent = upright.dimensions();
            let (x, y) = (seed[0] % extent.width(), seed[1] % extent.height());
            let rect = Rect::new(x, y, 1 + seed[2] % (extent.width() - x), 1 + seed[3] % (extent.height() - y)).unwrap();
            let window = stored.crop(orientation.stored_rect(rect, stored.dimensions()));
            prop_assert_eq!(orient(window, orientation), upright.crop(rect));
        }

        /// T04, O02: `!n` is the mirror first, then the turn.
        #[test]
        fn both_at_once_equal_one_after_the_other(width in 1..70_u32, height in 1..70_u32, quarters in 0..4_u8) {
            let turn = QuarterTurn::from_count(quarters);
            let mirror = Orientation { mirrored: true, turn: QuarterTurn::None };
            let stored = numbered(width, height);
            let stepwise = orient(orient(stored.clone(), mirror), Orientation { mirrored: false, turn });
            prop_assert_eq!(orient(stored, Orientation { mirrored: true, turn }), stepwise);
        }

        #[test]
        fn turning_back_restores(width in 1..70_u32, height in 1..70_u32, quarters in 0..4_u8) {
            let turn = |count| Orientation { mirrored: false, turn: QuarterTurn::from_count(count) };
            let stored = numbered(width, height);
            let there = orient(stored.clone(), turn(quarters));
            prop_assert_eq!(orient(there, turn(4 - quarters)), stored);
        }
    }
}
