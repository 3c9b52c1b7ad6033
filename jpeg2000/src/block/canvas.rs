//! What is known of the samples of a code-block, and the order in which a pass visits them (ISO/IEC 15444-1, D.1).

use super::window::{self, Bits, COLUMNS, ROWS, Walk};

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
    /// False where the samples of the next stripe count as insignificant (D.7).
    pub sees_below: bool,
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

/// A word of a stripe; see [`window`].
pub struct Word<'a> {
    /// With the neighbours.
    pub significant: u64,
    /// With the neighbours; only where samples may become significant.
    pub negative: u64,
    /// The samples that are in the code-block.
    pub inside: u64,
    pub visited: &'a mut u64,
    pub refined: &'a mut u64,
    pub samples: Samples<'a>,
}

impl Canvas<'_> {
    /// Visits each word. `GROWS` says that samples may become significant.
    #[inline(always)]
    pub fn scan<const GROWS: bool>(&mut self, mut visit: impl FnMut(&mut Word<'_>)) {
        for stripe in 0..self.height.div_ceil(ROWS) {
            let significance = self.significant.stripe(stripe, self.sees_below);
            let signs = self.negative.stripe(stripe, self.sees_below);
            let visited = self.visited.stripe(stripe, false).own;
            let refined = self.refined.stripe(stripe, false).own;
            let row = significance.own.len();
            assert!(row > 2 && [signs.own.len(), visited.len(), refined.len()] == [row; 3]);
            let mut walk = Walk::new(&significance);
            let mut sign_walk = Walk::new(&signs);
            for word in 1..row - 1 {
                let (x, y) = ((word - 1) * COLUMNS, stripe * ROWS);
                let mut here = Word {
                    significant: walk.next(&significance, word),
                    negative: if GROWS {
                        sign_walk.next(&signs, word)
                    } else {
                        0
                    },
                    inside: window::inside(self.width - x, self.height - y),
                    visited: &mut visited[word],
                    refined: &mut refined[word],
                    samples: Samples {
                        samples: &mut self.samples[y * self.width + x..],
                        offsets: &self.offsets,
                    },
                };
                visit(&mut here);
                walk.leave(here.significant);
                if GROWS {
                    sign_walk.leave(here.negative);
                    significance.own[word] = here.significant & here.inside;
                    signs.own[word] = here.negative & here.inside;
                }
            }
        }
    }
}

/// The samples from the first of a word on.
pub struct Samples<'a> {
    samples: &'a mut [i32],
    offsets: &'a [u16; 64],
}

impl Samples<'_> {
    /// The sample becomes significant: one and a half of the weight of the bit-plane.
    #[inline(always)]
    pub fn begin(&mut self, bit: u32, sign: u64, plane: u32) {
        let sign = -(sign as i32);
        self.samples[usize::from(self.offsets[bit as usize & 63])] = ((3 << plane) ^ sign) - sign;
    }

    /// The half that stood for what was not known becomes the bit of this bit-plane and a half of its weight.
    #[inline(always)]
    pub fn refine(&mut self, bit: u32, value: u64, plane: u32) {
        let sample = &mut self.samples[usize::from(self.offsets[bit as usize & 63])];
        let sign = *sample >> 31 ^ (value as i32 - 1);
        *sample += ((1 << plane) ^ sign) - sign;
    }
}
