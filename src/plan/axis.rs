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
    /// A pixel of the level stands for this many of the full image.
    pub factor: u32,
    /// Pixels of the level; rounded up or down from `full / factor`.
    pub level: u32,
    /// Pixels that the extent is scaled to.
    pub target: u32,
}

/// A level may be enlarged by a sixteenth: edge tiles, whose size is rounded up, stay on the level of their neighbours.
const TOLERANCE: u64 = 16;

impl Axis {
    /// Whether the level has the detail that is asked for.
    pub fn is_enough(self) -> bool {
        let has_pixels = self.first() < self.level;
        has_pixels && (self.is_exact() || self.has_detail())
    }

    fn has_detail(self) -> bool {
        let wanted = u64::from(self.factor) * u64::from(self.target);
        wanted * TOLERANCE <= u64::from(self.extent) * (TOLERANCE + 1)
    }

    /// Whether the level's own pixels are the answer: the region starts and ends at pixels of the level, or at the
    /// image's edge, and as many are asked for as there are.
    fn is_exact(self) -> bool {
        self.is_aligned() && (self.target == self.spanned() || self.is_all_there_is())
    }

    fn is_aligned(self) -> bool {
        let end = self.end();
        self.start.is_multiple_of(self.factor)
            && (end.is_multiple_of(self.factor) || end == self.full)
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
        self.start / self.factor
    }

    /// Pixels of the level that the region touches, had the level been rounded up.
    fn spanned(self) -> u32 {
        self.end().div_ceil(self.factor) - self.first()
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
        let factor = f64::from(self.factor);
        (
            f64::from(self.start % self.factor) / factor,
            f64::from(self.extent) / factor,
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
            factor: 8,
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

    #[test]
    fn more_detail_than_the_level_has_is_not_taken_from_it() {
        assert!(!axis(0, 2048, 512, 1001).is_enough());
        // The last pixel of the image is not on a level that was rounded down.
        assert!(!axis(FULL - 1, 1, 1, 1000).is_enough());
    }
}
