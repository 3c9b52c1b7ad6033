//! Where pixels and component samples lie on the reference grid (ISO/IEC 15444-1, B.2 and B.5).
//!
//! The pixels of an image are the samples of its finest component. At a reduction of `r`, sample `i` of a component
//! with step `s` lies at grid position `i * s * 2^r`.

use std::ops::Range;

/// One direction of the reference grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Grid positions of the image area, the far end excluded.
    pub start: u32,
    pub end: u32,
    /// Grid positions from one pixel to the next.
    pub step: u32,
}

impl Axis {
    /// The samples of a component with this step at a reduction (B-12, B-15).
    pub fn samples(&self, step: u32, reduction: u8) -> Range<u64> {
        samples_within(self.start, self.end, step, reduction)
    }

    /// Pixels of the level.
    pub fn pixels(&self, reduction: u8) -> u32 {
        let pixels = self.samples(self.step, reduction);
        u32::try_from(pixels.end - pixels.start).unwrap_or(u32::MAX)
    }

    /// Which sample of a component each pixel of a window shows: the one at the pixel's grid position or else the
    /// nearest before it, within the image.
    pub fn shown(
        &self,
        step: u32,
        reduction: u8,
        window: &Range<u32>,
    ) -> impl Iterator<Item = u64> + use<> {
        let samples = self.samples(step, reduction);
        let first_pixel = self.samples(self.step, reduction).start;
        let pixel_step = u64::from(self.step);
        window.clone().map(move |pixel| {
            let position = (first_pixel + u64::from(pixel)) * pixel_step;
            let last = samples.end.saturating_sub(1);
            (position / u64::from(step)).min(last).max(samples.start)
        })
    }

    /// The grid positions that must be decoded for a window, so that each component of these steps has every sample
    /// that the window shows.
    pub fn needed(
        &self,
        steps: impl Iterator<Item = u32>,
        reduction: u8,
        window: &Range<u32>,
    ) -> Range<u32> {
        let ends = [window.start, window.end.max(1) - 1].map(|pixel| pixel..pixel + 1);
        let (mut from, mut to) = (self.end, self.start);
        for step in steps {
            let [first, last] = ends
                .each_ref()
                .map(|end| self.shown(step, reduction, end).next().unwrap_or(0));
            let grid = |sample: u64| {
                let position = (sample * u64::from(step)) << reduction;
                u32::try_from(position).unwrap_or(u32::MAX)
            };
            from = from.min(grid(first));
            to = to.max(grid(last + 1));
        }
        from.max(self.start)..to.min(self.end)
    }
}

/// The samples of a component whose grid positions lie from `start` to `end`, at a reduction.
pub fn samples_within(start: u32, end: u32, step: u32, reduction: u8) -> Range<u64> {
    let sample = |grid: u32| u64::from(grid.div_ceil(step)).div_ceil(1 << reduction);
    sample(start)..sample(end)
}

/// The same in 32 bits, which are always enough: there are no more samples than grid positions.
pub fn samples_of(range: &Range<u32>, step: u32, reduction: u8) -> Range<u32> {
    let samples = samples_within(range.start, range.end, step, reduction);
    samples.start as u32..samples.end as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Axis = Axis {
        start: 0,
        end: 101,
        step: 1,
    };
    const OFFSET: Axis = Axis {
        start: 5,
        end: 106,
        step: 1,
    };

    #[test]
    fn levels_round_up_from_the_origin_of_the_grid() {
        let sides = |axis: Axis| [0, 1, 2].map(|reduction| axis.pixels(reduction));
        assert_eq!(sides(PLAIN), [101, 51, 26]);
        // 5..106 is 3..53, then 2..27.
        assert_eq!(sides(OFFSET), [101, 50, 25]);
    }

    #[test]
    fn a_window_needs_its_own_square_of_the_grid() {
        let needed =
            |axis: Axis, reduction, window| axis.needed([1].into_iter(), reduction, &window);
        assert_eq!(needed(PLAIN, 0, 10..20), 10..20);
        assert_eq!(needed(PLAIN, 1, 10..20), 20..40);
        assert_eq!(needed(PLAIN, 1, 0..51), 0..101);
        assert_eq!(needed(OFFSET, 1, 0..10), 6..26);
    }

    #[test]
    fn subsampled_components_need_the_sample_before_the_window() {
        let needed = PLAIN.needed([1, 2].into_iter(), 0, &(11..13));
        assert_eq!(needed, 10..14);
        let shown: Vec<_> = PLAIN.shown(2, 0, &(11..13)).collect();
        assert_eq!(shown, [5, 6]);
    }

    #[test]
    fn a_pixel_before_the_first_sample_shows_the_first() {
        // The samples of step 2 from position 5 on are at 6, 8…; the pixel at 5 has none before it.
        let shown: Vec<_> = OFFSET.shown(2, 0, &(0..3)).collect();
        assert_eq!(shown, [3, 3, 3]);
    }

    #[test]
    fn no_range_has_more_samples_than_32_bits_count() {
        assert_eq!(samples_of(&(5..106), 2, 1), 2..27);
        assert_eq!(
            samples_of(&(u32::MAX - 1..u32::MAX), 1, 0),
            u32::MAX - 1..u32::MAX
        );
        assert_eq!(samples_of(&(0..u32::MAX), 1, 32), 0..1);
    }

    #[test]
    fn pixels_are_the_samples_of_the_finest_component() {
        let axis = Axis {
            start: 0,
            end: 100,
            step: 2,
        };
        assert_eq!(axis.pixels(0), 50);
        assert_eq!(axis.needed([2, 4].into_iter(), 0, &(3..5)), 4..12);
    }
}
