//! Horizontal synthesis (HOR_SR, F.3.4) of one row.

use super::{Direction, Filter, lift};

/// The samples of a row while they are worked on: those of the low and of the high sub-band by themselves, for the loops to be plain ones.
pub struct Row<'a, F: Filter> {
    across: &'a Direction,
    low: Line<F>,
    high: Line<F>,
}

impl<'a, F: Filter> Row<'a, F> {
    pub fn new(across: &'a Direction) -> Self {
        Self {
            across,
            low: Line::new(across.low.len()),
            high: Line::new(across.high.len()),
        }
    }

    /// Makes the window of a row of its samples in the two sub-bands; `gain` is that of the vertical direction.
    pub fn synthesize(
        &mut self,
        low: &[F::Sample],
        high: &[F::Sample],
        gain: i8,
        window: &mut [F::Sample],
    ) {
        F::load(gain + self.across.gain(false), low, self.low.samples());
        F::load(gain + self.across.gain(true), high, self.high.samples());
        if self.across.len == 1 {
            self.only(window);
            return;
        }
        for step in 0..F::STEPS - 1 {
            if step % 2 == 0 {
                self.low.lift(step, &mut self.high, !self.across.odd);
            } else {
                self.high.lift(step, &mut self.low, self.across.odd);
            }
        }
        self.finish(window);
    }

    fn only(&mut self, window: &mut [F::Sample]) {
        let line = if self.across.odd {
            &mut self.high
        } else {
            &mut self.low
        };
        window.copy_from_slice(line.samples());
        if self.across.odd {
            F::halve(window);
        }
    }

    /// The last step, and 1D_INTERLEAVE (F.3.3), of the window only.
    fn finish(&mut self, window: &mut [F::Sample]) {
        self.low.extend();
        let change = |high: &F::Sample, before: &F::Sample, after: &F::Sample| {
            F::change(F::STEPS - 1, *high, *before, *after)
        };
        let start = self.across.window.start;
        let lead = usize::from(self.across.is_high(start));
        // From the first sample of the high sub-band in the window on, and from the one of the low sub-band before the first pair.
        let (high, low) = (
            &self.high.samples()[(start + 1 - lead) / 2..],
            &self.low.0[(start + lead) / 2..],
        );
        let (first, rest) = window.split_at_mut(lead);
        if let [first] = first {
            *first = change(&high[0], &low[0], &low[1]);
        }
        let (high, low, after) = (&high[lead..], &low[1..], &low[2..]);
        let (pairs, last) = rest.as_chunks_mut();
        for (((pair, low), after), high) in pairs.iter_mut().zip(low).zip(after).zip(high) {
            *pair = [*low, change(high, low, after)];
        }
        last.copy_from_slice(&low[pairs.len()..][..last.len()]);
    }
}

/// The samples of one sub-band in a row, with room for one more at each end.
struct Line<F: Filter>(Vec<F::Sample>);

impl<F: Filter> Line<F> {
    fn new(len: usize) -> Self {
        Self(vec![F::Sample::default(); len + 2])
    }

    fn samples(&mut self) -> &mut [F::Sample] {
        let end = self.0.len() - 1;
        &mut self.0[1..end]
    }

    /// A step that changes these samples by those of the other sub-band; `leads` says whether the row begins with one of these.
    fn lift(&mut self, step: usize, other: &mut Self, leads: bool) {
        other.extend();
        let before = &other.0[usize::from(!leads)..];
        lift::<F>(step, self.samples(), before, &before[1..]);
    }

    /// What the extension by reflection has next to a sample of the other sub-band at either end of the row: the sample on its other side.
    fn extend(&mut self) {
        let end = self.0.len() - 1;
        self.0[0] = self.0[1];
        self.0[end] = self.0[end - 1];
    }
}
