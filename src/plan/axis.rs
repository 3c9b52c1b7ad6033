//! One side of the region on one stored level: integers until the very end, where the crop is a fraction.

/// A span of the full image, the level that it may be read from, and the length that is asked for. As stored.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// First pixel of the region on the full image.
    pub start: u32,
    /// Pixels of the region on the full image.
    pub extent: u32,
    /// Pixels of the full image.
    pub full: u32,
    pub factor: Factor,
    /// Pixels of the level; rounded up or down from `full / factor`.
    pub level: u32,
    /// Pixels that the extent is scaled to.
    pub target: u32,
}

/// So many pixels of the full image are so many of the level. Where the full image seems to be smaller than it is, one of
/// the level may be less than one of the full image.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    pub full: u64,
    pub level: u32,
}

impl Factor {
    /// The whole pixels of the level before a position on the full image, and what is left, in parts of which a pixel
    /// has `self.full`.
    fn split(self, position: u32) -> (u32, u64) {
        let parts = u64::from(position) * u64::from(self.level);
        let pixels = u32::try_from(parts / self.full).unwrap_or(u32::MAX);
        (pixels, parts % self.full)
    }

    fn as_pixels(self, parts: f64) -> f64 {
        parts / self.full as f64
    }
}

/// A level may be enlarged by a sixteenth: edge tiles, whose size is rounded up, stay on the level of their neighbours.
const TOLERANCE: u128 = 16;

impl Axis {
    /// Whether the level has the detail that is asked for.
    pub fn is_enough(self) -> bool {
        let has_pixels = self.first() < self.level;
        has_pixels && (self.is_exact() || self.has_detail())
    }

    fn has_detail(self) -> bool {
        let wanted = u128::from(self.factor.full) * u128::from(self.target);
        let there = u128::from(self.factor.level) * u128::from(self.extent);
        wanted * TOLERANCE <= there * (TOLERANCE + 1)
    }

    /// Whether the level's own pixels are the answer: the region starts and ends at pixels of the level, or at the
    /// image's edge, and as many are asked for as there are.
    fn is_exact(self) -> bool {
        self.is_aligned() && (self.target == self.spanned() || self.is_all_there_is())
    }

    fn is_aligned(self) -> bool {
        let is_border = |position| self.factor.split(position).1 == 0;
        is_border(self.start) && (self.end() == self.full || is_border(self.end()))
    }

    /// A level that was rounded down ends before the image does: up to its end it can still be taken as it is.
    fn is_all_there_is(self) -> bool {
        self.end() == self.full
            && u64::from(self.first()) + u64::from(self.target) == u64::from(self.level)
    }

    fn end(self) -> u32 {
        self.start + self.extent
    }

    /// The first pixel of the level that is read.
    pub fn first(self) -> u32 {
        self.factor.split(self.start).0
    }

    /// Pixels of the level that the region touches, had the level been rounded up.
    fn spanned(self) -> u32 {
        let (end, rest) = self.factor.split(self.end());
        end.saturating_add(u32::from(rest > 0)) - self.first()
    }

    /// Pixels that are wanted of the level.
    pub fn wanted(self) -> u32 {
        if self.is_exact() {
            self.target
        } else {
            self.spanned()
        }
    }

    /// Pixels that are read: as many as wanted, unless the level was rounded down.
    pub fn count(self) -> u32 {
        self.wanted().min(self.level - self.first())
    }

    /// Offset and length of the region in pixels of the level, from the first that is read.
    pub fn crop(self) -> (f64, f64) {
        if self.is_exact() {
            return (0.0, f64::from(self.target));
        }
        let (_, offset) = self.factor.split(self.start);
        let extent = f64::from(self.extent) * f64::from(self.factor.level);
        (
            self.factor.as_pixels(offset as f64),
            self.factor.as_pixels(extent),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: u32 = 8_001;

    fn axis(start: u32, extent: u32, target: u32, level: u32) -> Axis {
        Axis {
            start,
            extent,
            full: FULL,
            factor: Factor { full: 8, level: 1 },
            level,
            target,
        }
    }

    #[test]
    fn an_aligned_tile_is_the_level_itself() {
        let tile = axis(4096, 2048, 256, 1001);
        assert!(tile.is_enough());
        assert_eq!(
            (tile.first(), tile.count(), tile.crop()),
            (512, 256, (0.0, 256.0))
        );
    }

    #[test]
    fn s17_the_edge_tile_is_the_rest_of_a_level_rounded_up() {
        let tile = axis(6144, FULL - 6144, 233, 1001);
        assert!(tile.is_enough());
        assert_eq!(
            (tile.first(), tile.count(), tile.crop()),
            (768, 233, (0.0, 233.0))
        );
    }

    #[test]
    fn where_the_level_was_rounded_down_the_missing_pixel_is_repeated() {
        let tile = axis(6144, FULL - 6144, 233, 1000);
        assert!(tile.is_enough());
        assert_eq!((tile.count(), tile.wanted()), (232, 233));
    }

    #[test]
    fn the_whole_of_a_level_rounded_down_is_taken_as_it_is() {
        let whole = axis(0, FULL, 1000, 1000);
        assert_eq!(
            (whole.count(), whole.wanted(), whole.crop()),
            (1000, 1000, (0.0, 1000.0))
        );
    }

    #[test]
    fn elsewhere_the_crop_is_a_fraction() {
        let part = axis(12, 100, 5, 1001);
        assert!(part.is_enough());
        assert_eq!((part.first(), part.count()), (1, 13));
        assert_eq!(part.crop(), (0.5, 12.5));
    }

    /// An image of which a half is shown: what seems to be a pixel is two, or one of the level.
    #[test]
    fn where_the_image_seems_smaller_a_level_may_be_its_own_pixels() {
        let half = |stored: u64, level| Axis {
            start: 256,
            extent: 256,
            full: 501,
            factor: Factor {
                full: stored,
                level: 2,
            },
            level,
            target: 256,
        };
        let (on_full, on_level) = (half(1, 1001), half(2, 501));
        assert!(on_full.is_enough() && on_level.is_enough());
        assert!(!half(4, 251).is_enough());
        assert_eq!((on_full.first(), on_full.count()), (512, 489));
        assert_eq!((on_level.first(), on_level.count()), (256, 245));
        let third = Axis {
            start: 1,
            extent: 1,
            target: 1,
            factor: Factor { full: 2, level: 3 },
            ..on_full
        };
        assert_eq!((third.first(), third.count()), (1, 2));
        assert_eq!(third.crop(), (0.5, 1.5));
    }

    #[test]
    fn more_detail_than_the_level_has_is_not_taken_from_it() {
        assert!(!axis(0, 2048, 512, 1001).is_enough());
        // The last pixel of the image is not on a level that was rounded down.
        assert!(!axis(FULL - 1, 1, 1, 1000).is_enough());
    }
}
