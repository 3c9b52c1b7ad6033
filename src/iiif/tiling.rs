//! The tiles and sizes that `info.json` recommends (Image API 3.0, sections 5.3 and 5.4).

use super::limits::{SizeLimits, proportional};
use crate::geometry::{Dimensions, ScaleFactor};

/// For images that are not stored as tiles, and those whose tiles are unfit for viewers.
const DEFAULT_SIDE: u32 = 512;
/// Smaller stored tiles are asked for in multiples: each request has a price of its own.
const SMALLEST_SIDE: u32 = 256;
/// Larger stored tiles are too much to ask for at once.
const LARGEST_SIDE: u32 = 1_024;

/// What viewers are told to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiling {
    pub tile: Dimensions,
    /// Ascending powers of two, until one tile holds the image (I3.12).
    pub scale_factors: Vec<ScaleFactor>,
    /// Ascending and distinct; one for each scale factor whose size is within the limits and has as many tiles as its level.
    pub sizes: Vec<Dimensions>,
}

impl Tiling {
    /// `stored_tile` is the unit that the file can be decoded by, upright.
    pub fn new(full: Dimensions, stored_tile: Option<Dimensions>, limits: &SizeLimits) -> Self {
        let tile = within_limits(recommended(stored_tile), limits);
        let scale_factors = scale_factors(full, tile);
        let mut sizes: Vec<Dimensions> = scale_factors
            .iter()
            .rev()
            .filter_map(|factor| {
                let size = scaled(full, *factor);
                let rows = |height: u32| height.div_ceil(tile.height());
                // Viewers lay the tiles of the level over the size: they must not miss a row, nor ask for one that is outside.
                let is_covered = rows(size.height()) == rows(full.divided(*factor).height());
                (is_covered && limits.allow(size)).then_some(size)
            })
            .collect();
        // An image one pixel wide does not become narrower.
        sizes.dedup();
        Self {
            tile,
            scale_factors,
            sizes,
        }
    }
}

/// The tile that `info.json` declares, limits apart, of an image whose stored tile this is.
pub fn recommended(stored: Option<Dimensions>) -> Dimensions {
    let square = Dimensions::at_least_one(DEFAULT_SIDE, DEFAULT_SIDE);
    let Some(stored) = stored else {
        return square;
    };
    let longer = stored.width().max(stored.height());
    let shorter = stored.width().min(stored.height());
    if longer > LARGEST_SIDE || longer > 4 * shorter {
        return square;
    }
    let times = SMALLEST_SIDE.div_ceil(shorter);
    Dimensions::at_least_one(stored.width() * times, stored.height() * times)
}

/// I3.11: halves the tile until it is within the limits.
fn within_limits(tile: Dimensions, limits: &SizeLimits) -> Dimensions {
    let mut tile = tile;
    while !limits.allow(tile) && tile.area() > 1 {
        tile = Dimensions::at_least_one(tile.width() / 2, tile.height() / 2);
    }
    tile
}

fn scale_factors(full: Dimensions, tile: Dimensions) -> Vec<ScaleFactor> {
    let mut factors = vec![ScaleFactor::ONE];
    for reduction in 1..32 {
        let last = factors[factors.len() - 1];
        if full.divided(last).fits_in(tile) {
            break;
        }
        factors.extend(ScaleFactor::from_reduction(reduction));
    }
    factors
}

/// The size at a scale factor: the width rounded up as a tile's is, the height in proportion, so that 2.1's `w,`
/// gives the same (S16).
fn scaled(full: Dimensions, factor: ScaleFactor) -> Dimensions {
    let width = full.divided(factor).width();
    Dimensions::at_least_one(width, proportional(width, full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    fn tiling(full: Dimensions, tile: Option<Dimensions>) -> Tiling {
        Tiling::new(full, tile, &SizeLimits::default())
    }

    #[test]
    fn i3_12_the_document_of_section_1_22() {
        let tiling = tiling(dimensions(6000, 4000), None);
        let factors: Vec<u32> = tiling.scale_factors.iter().map(|f| f.get()).collect();
        assert_eq!(factors, [1, 2, 4, 8, 16]);
        let expected = [
            (375, 250),
            (750, 500),
            (1500, 1000),
            (3000, 2000),
            (6000, 4000),
        ];
        assert_eq!(tiling.sizes, expected.map(|(w, h)| dimensions(w, h)));
    }

    #[test]
    fn tiles_follow_the_file_where_viewers_can_use_them() {
        let full = dimensions(9000, 9000);
        let tile = |stored| tiling(full, stored).tile;
        assert_eq!(tile(Some(dimensions(256, 256))), dimensions(256, 256));
        assert_eq!(tile(Some(dimensions(128, 128))), dimensions(256, 256));
        assert_eq!(tile(Some(dimensions(1024, 1024))), dimensions(1024, 1024));
        assert_eq!(tile(Some(dimensions(4096, 4096))), dimensions(512, 512));
        assert_eq!(tile(Some(dimensions(9000, 16))), dimensions(512, 512));
    }

    #[test]
    fn i3_11_tiles_and_sizes_stay_within_the_limits() {
        let limits = SizeLimits {
            max_width: Some(300),
            ..SizeLimits::default()
        };
        let tiling = Tiling::new(dimensions(1000, 500), None, &limits);
        assert_eq!(tiling.tile, dimensions(256, 256));
        assert_eq!(tiling.sizes, [dimensions(250, 125)]);
    }

    #[test]
    fn i3_12_a_thread_has_no_size_twice() {
        let tiling = tiling(dimensions(1, 100_000), None);
        assert_eq!(tiling.sizes, [dimensions(1, 100_000)]);
    }

    /// At 16, the width is rounded up to 110 and the height that belongs to it is 514, but the level has 512 rows; at 4 it is 2049 for 2045.
    #[test]
    fn a_size_with_more_tiles_than_its_level_is_not_recommended() {
        let sizes = tiling(dimensions(1749, 8180), None).sizes;
        let expected = [(219, 1024), (875, 4092), (1749, 8180)];
        let expected: Vec<_> = expected.map(|(w, h)| dimensions(w, h)).into();
        assert_eq!(sizes, expected);
    }

    #[test]
    fn a_tiny_image_has_one_factor() {
        let tiling = tiling(dimensions(1, 1), None);
        assert_eq!(tiling.scale_factors, [ScaleFactor::ONE]);
        assert_eq!(tiling.sizes, [dimensions(1, 1)]);
    }
}
