//! The inverse wavelet transform (ISO/IEC 15444-1, annex F), for windows.
//!
//! One level makes a resolution of its four sub-bands. For a window of the resolution, [`needed`] says which samples of the sub-bands it
//! depends on, and [`synthesize`] makes it of these: what the transform of the whole would give.

mod filter;
mod row;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use filter::{Filter, Irreversible, Reversible};
use row::Row;

/// Samples of a window of a sub-band or of a resolution, in the coordinates of that sub-band or resolution (B.5).
#[derive(Clone, Debug, PartialEq)]
pub struct Plane<T> {
    pub x: Range<u32>,
    pub y: Range<u32>,
    /// Row by row.
    pub samples: Vec<T>,
}

impl<T> Plane<T> {
    fn row(&self, index: usize) -> &[T] {
        let width = self.x.len();
        &self.samples[index * width..][..width]
    }
}

/// The four sub-bands that make a resolution.
pub struct Bands<T> {
    pub ll: Plane<T>,
    pub hl: Plane<T>,
    pub lh: Plane<T>,
    pub hh: Plane<T>,
}

/// The samples of the low and of the high sub-band that a window of a resolution depends on, in one direction: as few as possible.
///
/// `bounds` are those of the resolution of the tile-component (B-14), `window` lies within them. What is returned is in the coordinates of
/// the sub-bands (B-15): sample n of the low one is at position 2n of the resolution, sample n of the high one at 2n + 1.
#[must_use]
pub fn needed<F: Filter>(window: Range<u32>, bounds: Range<u32>) -> (Range<u32>, Range<u32>) {
    let low = bounds.start.div_ceil(2)..bounds.end.div_ceil(2);
    let high = bounds.start / 2..bounds.end / 2;
    if window.is_empty() {
        return (low.start..low.start, high.start..high.start);
    }
    let reach = F::STEPS as u32 / 2;
    let (start, end) = (window.start / 2, window.end / 2 + reach);
    (
        low.start.max((start + 1).saturating_sub(reach))..low.end.min(end),
        high.start.max(start.saturating_sub(reach))..high.end.min(end),
    )
}

/// Makes a window of a resolution (2D_SR, F.3.2): the columns `x` and the rows `y` of it.
///
/// `bounds_x` and `bounds_y` are those of the resolution of the tile-component (B-14); the window lies within them.
///
/// # Panics
/// If a sub-band has other ranges than [`needed`] says.
#[must_use]
pub fn synthesize<F: Filter>(
    bands: &Bands<F::Sample>,
    x: Range<u32>,
    y: Range<u32>,
    bounds_x: Range<u32>,
    bounds_y: Range<u32>,
) -> Plane<F::Sample> {
    let across = Direction::new::<F>(x.clone(), bounds_x);
    let down = Direction::new::<F>(y.clone(), bounds_y);
    for (band, x, y) in [
        (&bands.ll, &across.low, &down.low),
        (&bands.hl, &across.high, &down.low),
        (&bands.lh, &across.low, &down.high),
        (&bands.hh, &across.high, &down.high),
    ] {
        assert!(
            band.x == *x && band.y == *y,
            "a sub-band must have the ranges that are needed"
        );
        assert_eq!(
            band.samples.len(),
            x.len() * y.len(),
            "a sub-band must have as many samples as its ranges"
        );
    }
    let mut samples = vec![F::Sample::default(); x.len() * y.len()];
    if !samples.is_empty() {
        fill::<F>(bands, &across, &down, &mut samples);
    }
    Plane { x, y, samples }
}

/// One direction of a level: the needed samples of both sub-bands, interleaved, are the line that is worked on.
///
/// The line is extended by reflection at both ends, as if it were all there is (F.3.7). Where it ends before the bounds this gives
/// samples that are wrong, but none of the window depends on those: else more were needed.
struct Direction {
    low: Range<u32>,
    high: Range<u32>,
    /// Whether the line begins with a sample of the high sub-band.
    odd: bool,
    len: usize,
    /// Where the window lies in the line.
    window: Range<usize>,
}

impl Direction {
    fn new<F: Filter>(window: Range<u32>, bounds: Range<u32>) -> Self {
        let (low, high) = needed::<F>(window.clone(), bounds);
        let odd = low.is_empty() || (!high.is_empty() && high.start < low.start);
        let first = if odd {
            2 * high.start + 1
        } else {
            2 * low.start
        };
        let start = window.start.saturating_sub(first) as usize;
        Self {
            odd,
            len: low.len() + high.len(),
            window: start..start + window.len(),
            low,
            high,
        }
    }

    fn is_high(&self, index: usize) -> bool {
        (index % 2 == 1) != self.odd
    }

    /// How often a sample of the line is to be multiplied by K (F.3.8.2), for the low or the high sub-band: not if it is the only one.
    fn gain(&self, high: bool) -> i8 {
        match (self.len, high) {
            (1, _) => 0,
            (_, false) => 1,
            (_, true) => -1,
        }
    }
}

/// Horizontal synthesis of one row after the other; the vertical steps follow as soon as their rows are there, while the cache has them.
fn fill<F: Filter>(
    bands: &Bands<F::Sample>,
    across: &Direction,
    down: &Direction,
    samples: &mut [F::Sample],
) {
    let width = across.window.len();
    let mut margins = vec![F::Sample::default(); width * (down.len - down.window.len())];
    let (above, below) = margins.split_at_mut(width * down.window.start);
    let mut rows: Vec<_> = [above, samples, below]
        .into_iter()
        .flat_map(|part| part.chunks_exact_mut(width))
        .collect();
    let mut row = Row::<F>::new(across);
    for index in 0..down.len + F::STEPS {
        if index < down.len {
            let (low, high) = if down.is_high(index) {
                (&bands.lh, &bands.hh)
            } else {
                (&bands.ll, &bands.hl)
            };
            row.synthesize(
                low.row(index / 2),
                high.row(index / 2),
                down.gain(down.is_high(index)),
                rows[index],
            );
        }
        if down.is_high(index) {
            lift_rows::<F>(&mut rows, index);
        }
    }
    if down.len == 1 && down.odd {
        F::halve(rows[0]);
    }
}

/// The vertical steps that the arrival of the row `newest` of the high sub-bands makes possible: each one row behind the one before it.
fn lift_rows<F: Filter>(rows: &mut [&mut [F::Sample]], newest: usize) {
    for step in 0..F::STEPS {
        let Some(index) = newest.checked_sub(step + 1) else {
            return;
        };
        if index >= rows.len() || rows.len() == 1 {
            continue;
        }
        let (above, rest) = rows.split_at_mut(index);
        let [target, below @ ..] = rest else { return };
        match (above.last(), below.first()) {
            (Some(above), Some(below)) => lift::<F>(step, target, above, below),
            (Some(only), None) | (None, Some(only)) => lift::<F>(step, target, only, only),
            (None, None) => {}
        }
    }
}

/// Changes each sample of `target` by its neighbours in `before` and `after`, which may be longer.
#[inline]
fn lift<F: Filter>(
    step: usize,
    target: &mut [F::Sample],
    before: &[F::Sample],
    after: &[F::Sample],
) {
    for ((sample, before), after) in target.iter_mut().zip(before).zip(after) {
        *sample = F::change(step, *sample, *before, *after);
    }
}
