//! The three coding passes of a bit-plane (ISO/IEC 15444-1, D.3).

use super::canvas::{Canvas, Word};
use super::coder::{Arithmetic, Coder};
use super::contexts::States;
use super::window::{self, COLUMN, COLUMNS, ROWS, TOPS};

impl Canvas<'_> {
    /// The significance propagation pass (D.3.1).
    #[inline(never)]
    pub fn propagate<C: Coder>(&mut self, coder: &mut C, states: &mut States, plane: u32) {
        // A copy is kept in registers.
        let mut local = *coder;
        self.scan::<true>(|word| word.propagate(&mut local, states, plane));
        *coder = local;
    }

    /// The magnitude refinement pass (D.3.3).
    #[inline(never)]
    pub fn refine<C: Coder>(&mut self, coder: &mut C, states: &mut States, plane: u32) {
        let mut local = *coder;
        self.scan::<false>(|word| word.refine(&mut local, states, plane));
        *coder = local;
    }

    /// The clean-up pass (D.3.4).
    #[inline(never)]
    pub fn clean_up(&mut self, coder: &mut Arithmetic<'_>, states: &mut States, plane: u32) {
        let mut local = *coder;
        self.scan::<true>(|word| word.clean_up(&mut local, states, plane));
        *coder = local;
    }
}

impl Word<'_> {
    #[inline(always)]
    fn propagate(&mut self, coder: &mut impl Coder, states: &mut States, plane: u32) {
        let insignificant = self.inside & !self.significant;
        let mut next = window::spread(self.significant) & insignificant;
        let mut visited = next;
        while next != 0 {
            let bit = next.trailing_zeros();
            next &= next - 1;
            if coder.significance(states, window::neighbours(self.significant, bit)) == 0 {
                continue;
            }
            let more = window::later_neighbours(bit) & insignificant;
            next |= more;
            visited |= more;
            self.begin(bit, coder, states, plane);
        }
        *self.visited = visited;
    }

    /// The sample at `bit` becomes significant.
    #[inline(always)]
    fn begin(&mut self, bit: u32, coder: &mut impl Coder, states: &mut States, plane: u32) {
        let signs = window::signs(self.significant, self.negative, bit);
        let sign = coder.sign(states, signs);
        self.significant |= 1 << bit;
        self.negative |= sign << bit;
        self.samples.begin(bit, sign, plane);
    }

    #[inline(always)]
    fn refine(&mut self, coder: &mut impl Coder, states: &mut States, plane: u32) {
        let members = self.significant & self.inside & !*self.visited;
        let crowded = window::beside(self.significant);
        let before = *self.refined;
        let mut next = members;
        while next != 0 {
            let bit = next.trailing_zeros();
            next &= next - 1;
            // Table D.4.
            let context = match before >> bit & 1 {
                1 => 2,
                _ => crowded >> bit & 1,
            };
            let value = coder.refinement(states, context as usize);
            self.samples.refine(bit, value, plane);
        }
        *self.refined = before | members;
    }

    #[inline(always)]
    fn clean_up(&mut self, coder: &mut Arithmetic<'_>, states: &mut States, plane: u32) {
        let mut runs = window::empty_columns(self.significant) & self.inside >> (ROWS - 1);
        if runs == TOPS && coder.skip_runs(states, COLUMNS as u32) {
            return;
        }
        let mut next = self.inside & !self.significant & !*self.visited;
        while next != 0 {
            let mut bit = next.trailing_zeros();
            if runs >> bit & 1 == 1 {
                let Some(zeros) = coder.run(states) else {
                    next &= !(COLUMN << bit);
                    continue;
                };
                bit += zeros;
                next = next >> bit << bit;
            } else if coder.significance(states, window::neighbours(self.significant, bit)) == 0 {
                next &= next - 1;
                continue;
            }
            next &= next - 1;
            runs &= !window::next_top(bit);
            self.begin(bit, coder, states, plane);
        }
    }
}
