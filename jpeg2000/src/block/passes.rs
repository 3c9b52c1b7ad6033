//! The three coding passes of a bit-plane (ISO/IEC 15444-1, D.3).

use super::contexts::{REFINEMENT, RUN, SIGN, Significance, States, UNIFORM};
use super::mq::Mq;
use super::raw::Raw;
use super::window::{self, Bits, COLUMN, COLUMNS, ROWS, TOPS, Walk};

/// Where the decisions of a pass come from: the MQ decoder, or raw bits.
pub trait Coder: Copy {
    /// Whether a sample with these neighbours ([`window::neighbours`]) is significant.
    fn significance(&mut self, states: &mut States, neighbours: usize) -> u64;
    /// Whether a sample with these neighbours ([`window::signs`]) is negative.
    fn sign(&mut self, states: &mut States, neighbours: usize) -> u64;
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
    fn uniform(&mut self, states: &mut States) -> u64 {
        self.mq.decide(&mut states[UNIFORM])
    }

    /// The segmentation symbol (D.5), which is 1010.
    pub fn segmentation_symbol(&mut self, states: &mut States) -> u64 {
        (0..4).fold(0, |symbol, _| symbol << 1 | self.uniform(states))
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
        self.mq.decide(&mut states[context & 31])
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

/// A code-block while it is decoded.
pub struct Canvas<'a> {
    pub significant: Bits<'a>,
    pub negative: Bits<'a>,
    /// Coded in the significance propagation pass of this bit-plane.
    pub visited: Bits<'a>,
    /// Coded in a magnitude refinement pass before.
    pub refined: Bits<'a>,
    pub samples: &'a mut [i32],
    pub width: usize,
    pub height: usize,
    pub sees_below: bool,
    /// From the first sample of a word to that at a bit, in `samples`.
    pub offsets: [u16; 64],
}

/// Words of a row of one of the [`Bits`] of a code-block.
pub const fn row(width: usize) -> usize {
    width.div_ceil(COLUMNS) + 2
}

/// Words of one of the [`Bits`] of a code-block.
pub const fn words(width: usize, height: usize) -> usize {
    row(width) * (height.div_ceil(ROWS) + 2)
}

/// From the first sample of a word to that at each bit.
pub fn offsets(width: usize) -> [u16; 64] {
    std::array::from_fn(|bit| match (bit / 6, bit % 6) {
        (column @ 1..=COLUMNS, row @ 1..=ROWS) => ((row - 1) * width + column - 1) as u16,
        _ => 0,
    })
}

impl Canvas<'_> {
    fn stripes(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.height.div_ceil(ROWS)
    }

    /// The significance propagation pass (D.3.1).
    #[inline(never)]
    pub fn propagate<C: Coder>(&mut self, coder: &mut C, states: &mut States, plane: u32) {
        let mut local = *coder;
        for stripe in self.stripes() {
            let rows = self.height - (stripe - 1) * ROWS;
            let significance = self.significant.stripe(stripe, self.sees_below);
            let signs = self.negative.stripe(stripe, self.sees_below);
            let visits = self.visited.stripe(stripe, false).own;
            let row = significance.own.len();
            assert!(signs.own.len() == row && visits.len() == row && row >= 3);
            let mut walk = Walk::new(&significance);
            let mut sign_walk = Walk::new(&signs);
            for word in 1..row - 1 {
                let mut significant = walk.next(&significance, word);
                let mut negative = sign_walk.next(&signs, word);
                let first_sample = (stripe - 1) * ROWS * self.width + (word - 1) * COLUMNS;
                let inside = window::inside(self.width - (word - 1) * COLUMNS, rows);
                let insignificant = inside & !significant;
                let mut next = window::spread(significant) & insignificant;
                let mut visited = next;
                let mut samples = Samples {
                    samples: &mut self.samples[first_sample..],
                    offsets: &self.offsets,
                };
                while next != 0 {
                    let bit = next.trailing_zeros();
                    next &= next - 1;
                    if local.significance(states, window::neighbours(significant, bit)) == 0 {
                        continue;
                    }
                    let sign = local.sign(states, window::signs(significant, negative, bit));
                    significant |= 1 << bit;
                    negative |= sign << bit;
                    let more = window::later_neighbours(bit) & insignificant;
                    next |= more;
                    visited |= more;
                    samples.begin(bit, sign, plane);
                }
                significance.own[word] = significant & inside;
                signs.own[word] = negative & inside;
                visits[word] = visited;
                walk.leave(significant);
                sign_walk.leave(negative);
            }
        }
        *coder = local;
    }

    /// The magnitude refinement pass (D.3.3).
    #[inline(never)]
    pub fn refine<C: Coder>(&mut self, coder: &mut C, states: &mut States, plane: u32) {
        let mut local = *coder;
        for stripe in self.stripes() {
            let significance = self.significant.stripe(stripe, self.sees_below);
            let visits = self.visited.stripe(stripe, false).own;
            let refined = self.refined.stripe(stripe, false).own;
            let row = significance.own.len();
            assert!(visits.len() == row && refined.len() == row && row >= 3);
            let mut walk = Walk::new(&significance);
            for word in 1..row - 1 {
                let significant = walk.next(&significance, word);
                walk.leave(significant);
                let members = significance.own[word] & !visits[word];
                if members == 0 {
                    continue;
                }
                let first_sample = (stripe - 1) * ROWS * self.width + (word - 1) * COLUMNS;
                let mut samples = Samples {
                    samples: &mut self.samples[first_sample..],
                    offsets: &self.offsets,
                };
                let columns = significant << 1 | significant >> 1;
                let own = significant | columns;
                let crowded = columns | own << 6 | own >> 6;
                let before = refined[word];
                let mut next = members;
                while next != 0 {
                    let bit = next.trailing_zeros();
                    next &= next - 1;
                    let context = match before >> bit & 1 {
                        1 => 2,
                        _ => crowded >> bit & 1,
                    };
                    let value = local.refinement(states, REFINEMENT + context as usize);
                    samples.refine(bit, value, plane);
                }
                refined[word] |= members;
            }
        }
        *coder = local;
    }

    /// The clean-up pass (D.3.4).
    #[inline(never)]
    pub fn clean_up(&mut self, coder: &mut Arithmetic<'_>, states: &mut States, plane: u32) {
        let mut local = *coder;
        for stripe in self.stripes() {
            let rows = self.height - (stripe - 1) * ROWS;
            let significance = self.significant.stripe(stripe, self.sees_below);
            let signs = self.negative.stripe(stripe, self.sees_below);
            let visits = self.visited.stripe(stripe, false).own;
            let row = significance.own.len();
            assert!(signs.own.len() == row && visits.len() == row && row >= 3);
            let mut walk = Walk::new(&significance);
            let mut sign_walk = Walk::new(&signs);
            for word in 1..row - 1 {
                let mut significant = walk.next(&significance, word);
                let mut negative = sign_walk.next(&signs, word);
                let first_sample = (stripe - 1) * ROWS * self.width + (word - 1) * COLUMNS;
                let inside = window::inside(self.width - (word - 1) * COLUMNS, rows);
                let mut runs = window::empty_columns(significant) & inside >> (ROWS - 1);
                if runs == TOPS && local.mq.skip(&states[RUN], COLUMNS as u32) {
                    walk.leave(significant);
                    sign_walk.leave(negative);
                    continue;
                }
                let mut next = inside & !significant & !visits[word];
                let mut samples = Samples {
                    samples: &mut self.samples[first_sample..],
                    offsets: &self.offsets,
                };
                while next != 0 {
                    let mut bit = next.trailing_zeros();
                    if runs >> bit & 1 == 1 {
                        if local.mq.decide_likely(&mut states[RUN]) == 0 {
                            next &= !(COLUMN << bit);
                            continue;
                        }
                        let zeros = local.uniform(states) << 1 | local.uniform(states);
                        bit += zeros as u32;
                        next = next >> bit << bit;
                    } else if local.significance(states, window::neighbours(significant, bit)) == 0
                    {
                        next &= next - 1;
                        continue;
                    }
                    next &= next - 1;
                    let sign = local.sign(states, window::signs(significant, negative, bit));
                    significant |= 1 << bit;
                    runs &= !window::next_top(bit);
                    negative |= sign << bit;
                    samples.begin(bit, sign, plane);
                }
                significance.own[word] = significant & inside;
                signs.own[word] = negative & inside;
                walk.leave(significant);
                sign_walk.leave(negative);
            }
        }
        *coder = local;
    }
}

/// The samples from the first of a word on.
struct Samples<'a> {
    samples: &'a mut [i32],
    offsets: &'a [u16; 64],
}

impl Samples<'_> {
    /// The sample becomes significant: one and a half of the weight of the bit-plane.
    #[inline(always)]
    fn begin(&mut self, bit: u32, sign: u64, plane: u32) {
        let sign = -(sign as i32);
        self.samples[usize::from(self.offsets[bit as usize & 63])] = ((3 << plane) ^ sign) - sign;
    }

    /// The half that stood for what was not known becomes the bit of this bit-plane and a half of its weight.
    #[inline(always)]
    fn refine(&mut self, bit: u32, value: u64, plane: u32) {
        let sample = &mut self.samples[usize::from(self.offsets[bit as usize & 63])];
        let sign = *sample >> 31 ^ (value as i32 - 1);
        *sample += ((1 << plane) ^ sign) - sign;
    }
}
