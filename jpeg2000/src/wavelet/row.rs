//! Horizontal synthesis (HOR_SR, F.3.4) of one row.

use super::{Direction, Filter};

/// The samples of a row while they are worked on: those of the low and of the high sub-band by themselves, for the loops to be plain ones.
pub struct Row<'a, F: Filter> {
    across: &'a Direction,
    low: Vec<F::Sample>,
    high: Vec<F::Sample>,
}

impl<'a, F: Filter> Row<'a, F> {
    pub fn new(across: &'a Direction) -> Self {
        let [low, high] =
            [&across.low, &across.high].map(|band| vec![F::Sample::default(); band.len()]);
        Self { across, low, high }
    }

    /// Makes the window of a row of its samples in the two sub-bands; `gain` is that of the vertical direction.
    pub fn synthesize(
        &mut self,
        low: &[F::Sample],
        high: &[F::Sample],
        gain: i8,
        window: &mut [F::Sample],
    ) {
        F::load(gain + self.across.gain(false), low, &mut self.low);
        F::load(gain + self.across.gain(true), high, &mut self.high);
        if self.across.len > 1 {
            for step in (0..F::STEPS).step_by(2) {
                lift_line::<F>(step, &mut self.low, &self.high, !self.across.odd);
                lift_line::<F>(step + 1, &mut self.high, &self.low, self.across.odd);
            }
        } else if self.across.odd {
            F::halve(&mut self.high);
        }
        self.interleave(window);
    }

    /// 1D_INTERLEAVE (F.3.3), of the window only.
    fn interleave(&self, window: &mut [F::Sample]) {
        let start = self.across.window.start;
        let lead = usize::from(self.across.is_high(start));
        let (first, rest) = window.split_at_mut(lead);
        first.copy_from_slice(&self.high[start / 2..][..lead]);
        let (low, high) = (
            &self.low[(start + lead) / 2..],
            &self.high[(start + lead).div_ceil(2)..],
        );
        let (pairs, last) = rest.as_chunks_mut();
        for ((pair, low), high) in pairs.iter_mut().zip(low).zip(high) {
            *pair = [*low, *high];
        }
        last.copy_from_slice(&low[pairs.len()..][..last.len()]);
    }
}

/// A step along a line. `leads` says whether the line begins with a sample of `target`.
fn lift_line<F: Filter>(step: usize, target: &mut [F::Sample], source: &[F::Sample], leads: bool) {
    let (edge, target) = target.split_at_mut(usize::from(leads));
    let first = &source[..edge.len()];
    F::lift(step, edge, first, first);
    let (inner, edge) = target.split_at_mut(target.len().min(source.len() - 1));
    F::lift(step, inner, source, &source[1..]);
    let last = &source[source.len() - 1..];
    F::lift(step, edge, last, last);
}
