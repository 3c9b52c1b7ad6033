//! Where the decisions of a coding pass come from: the MQ decoder, or raw bits (ISO/IEC 15444-1, D.4 and D.6).

use super::contexts::{REFINEMENT, RUN, SIGN, Significance, States, UNIFORM};
use super::mq::Mq;
use super::raw::Raw;

/// Where the decisions of a pass come from: the MQ decoder, or raw bits.
pub trait Coder: Copy {
    /// Whether a sample with these neighbours ([`window::neighbours`]) is significant.
    fn significance(&mut self, states: &mut States, neighbours: usize) -> u64;
    /// Whether a sample with these neighbours ([`window::signs`]) is negative.
    fn sign(&mut self, states: &mut States, neighbours: usize) -> u64;
    /// The bit of a sample; `context` is counted from [`REFINEMENT`] on.
    fn refinement(&mut self, states: &mut States, context: usize) -> u64;
}

/// Decisions of the MQ decoder in the contexts of a code-block.
#[derive(Clone, Copy)]
pub struct Arithmetic<'a> {
    pub mq: Mq<'a>,
    pub significance: &'static Significance,
}

impl Arithmetic<'_> {
    #[inline(always)]
    fn uniform(&mut self) -> u64 {
        let mut state = UNIFORM;
        self.mq.decide(&mut state)
    }

    /// How many samples of an empty column are insignificant before one that is not, if there is one (D.3.4).
    #[inline(always)]
    pub fn run(&mut self, states: &mut States) -> Option<u32> {
        if self.mq.decide(&mut states[RUN]) == 0 {
            return None;
        }
        Some((self.uniform() << 1 | self.uniform()) as u32)
    }

    /// Takes so many empty columns at once, if that is easy.
    #[inline(always)]
    pub fn skip_runs(&mut self, states: &States, columns: u32) -> bool {
        self.mq.skip(&states[RUN], columns)
    }

    /// The segmentation symbol (D.5), which is 1010.
    pub fn segmentation_symbol(&mut self) -> u64 {
        (0..4).fold(0, |symbol, _| symbol << 1 | self.uniform())
    }
}

impl Coder for Arithmetic<'_> {
    #[inline(always)]
    fn significance(&mut self, states: &mut States, neighbours: usize) -> u64 {
        let context = self.significance[neighbours & 511] & 31;
        self.mq.decide(&mut states[usize::from(context)])
    }

    #[inline(always)]
    fn sign(&mut self, states: &mut States, neighbours: usize) -> u64 {
        let entry = SIGN[neighbours & 511];
        let bit = self.mq.decide(&mut states[usize::from(entry & 31)]);
        bit ^ u64::from(entry >> 7)
    }

    #[inline(always)]
    fn refinement(&mut self, states: &mut States, context: usize) -> u64 {
        self.mq.decide(&mut states[(REFINEMENT + context) & 31])
    }
}

impl Coder for Raw<'_> {
    #[inline(always)]
    fn significance(&mut self, _: &mut States, _: usize) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn sign(&mut self, _: &mut States, _: usize) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn refinement(&mut self, _: &mut States, _: usize) -> u64 {
        self.bit()
    }
}
