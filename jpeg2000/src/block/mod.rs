//! Code-blocks: the bit-plane coding passes (ISO/IEC 15444-1, annex D) over the MQ coder (annex C).

mod canvas;
mod coder;
mod contexts;
mod mq;
mod passes;
mod raw;
mod window;

use crate::{Band, Error};
use canvas::Canvas;
use coder::Arithmetic;
use contexts::States;
use mq::Mq;

use raw::Raw;
use window::Bits;

/// The code-block style (table A.19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes(pub u8);

impl Modes {
    pub const BYPASS: u8 = 1;
    pub const RESET: u8 = 2;
    pub const TERMINATE: u8 = 4;
    pub const CAUSAL: u8 = 8;
    pub const PREDICTABLE: u8 = 16;
    pub const SYMBOLS: u8 = 32;

    const fn has(self, mode: u8) -> bool {
        self.0 & mode != 0
    }
}

/// Coding passes of a code-block that end together: all of them, unless passes are terminated (D.4, D.6).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub passes: u32,
    pub bytes: &'a [u8],
}

/// A code-block as the packets have it.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Samples; at most 1024 each and 4096 together.
    pub width: usize,
    pub height: usize,
    pub band: Band,
    pub modes: Modes,
    /// Magnitude bit-planes that are coded: those of the sub-band (E-2) less those that are empty. At most 30.
    pub planes: u8,
    pub segments: &'a [Segment<'a>],
}

impl Block<'_> {
    fn check(&self, samples: usize) -> Result<(), Error> {
        let passes = self
            .segments
            .iter()
            .fold(0, |sum: u32, segment| sum.saturating_add(segment.passes));
        if !(1..=1024).contains(&self.width) || !(1..=1024).contains(&self.height) {
            return Err(Error(
                "a code-block has no samples, or more than 1024 in a direction",
            ));
        }
        if self.width * self.height > 4096 {
            return Err(Error("a code-block has more than 4096 samples"));
        }
        if samples != self.width * self.height {
            return Err(Error("there is not one sample for each of the code-block"));
        }
        if self.planes > 30 {
            return Err(Error("a code-block has more than 30 bit-planes"));
        }
        if passes > (3 * u32::from(self.planes)).saturating_sub(2) {
            return Err(Error(
                "a code-block has more coding passes than its bit-planes",
            ));
        }
        if self.modes.0 > 0b11_1111 {
            return Err(Error("a code-block style is unknown"));
        }
        Ok(())
    }
}

/// Which pass of a bit-plane it is (D.3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Propagation,
    Refinement,
    CleanUp,
}

/// A coding pass.
struct Pass {
    kind: Kind,
    plane: u32,
    raw: bool,
}

impl Pass {
    /// The pass of that number, from 0; the first bit-plane has a clean-up only.
    fn new(index: u32, block: &Block<'_>) -> Self {
        let kind = [Kind::Propagation, Kind::Refinement, Kind::CleanUp][(index as usize + 2) % 3];
        Self {
            kind,
            plane: u32::from(block.planes) - 1 - index.div_ceil(3),
            raw: block.modes.has(Modes::BYPASS) && index >= 10 && kind != Kind::CleanUp,
        }
    }
}

/// What is kept from one code-block to the next: memory.
#[derive(Default)]
pub struct Decoder {
    words: Vec<u64>,
}

impl Decoder {
    /// Decodes the coefficients of a code-block, row by row, into `samples`.
    ///
    /// They have one bit after the binary point: half of the weight of the last bit-plane that was decoded of a coefficient is added to
    /// the magnitude of those that are not zero (E.1.1.2, with r = 1/2).
    ///
    /// # Errors
    /// If the block cannot be what an encoder writes.
    pub fn decode(&mut self, block: &Block<'_>, samples: &mut [i32]) -> Result<(), Error> {
        block.check(samples.len())?;
        samples.fill(0);
        let count = canvas::words(block.width, block.height);
        self.words.clear();
        self.words.resize(4 * count, 0);
        let mut parts = self.words.chunks_exact_mut(count);
        let mut bits = || Bits {
            words: parts.next().unwrap_or_default(),
            row: canvas::row(block.width),
        };
        let canvas = Canvas {
            significant: bits(),
            negative: bits(),
            visited: bits(),
            refined: bits(),
            samples,
            width: block.width,
            height: block.height,
            sees_below: !block.modes.has(Modes::CAUSAL),
            offsets: canvas::offsets(block.width),
        };
        let mut passes = Passes {
            block,
            canvas,
            states: contexts::INITIAL,
            index: 0,
        };
        block
            .segments
            .iter()
            .try_for_each(|segment| passes.segment(segment))
    }
}

/// The passes of a code-block in their order.
struct Passes<'a> {
    block: &'a Block<'a>,
    canvas: Canvas<'a>,
    states: States,
    /// The number of the next one.
    index: u32,
}

impl Passes<'_> {
    fn segment(&mut self, segment: &Segment<'_>) -> Result<(), Error> {
        if segment.passes == 0 {
            return Ok(());
        }
        let passes = self.index..self.index + segment.passes;
        self.index = passes.end;
        let block = self.block;
        let mut passes = passes.map(|index| Pass::new(index, block)).peekable();
        if passes.peek().is_some_and(|first| first.raw) {
            self.raw(Raw::new(segment.bytes), passes)
        } else {
            self.coded(Mq::new(segment.bytes), passes)
        }
    }

    fn raw(&mut self, mut raw: Raw<'_>, passes: impl Iterator<Item = Pass>) -> Result<(), Error> {
        for pass in passes {
            match pass.kind {
                Kind::Propagation => self
                    .canvas
                    .propagate(&mut raw, &mut self.states, pass.plane),
                Kind::Refinement => self.canvas.refine(&mut raw, &mut self.states, pass.plane),
                Kind::CleanUp => return Err(MIXED),
            }
            self.reset();
        }
        Ok(())
    }

    fn coded(&mut self, mq: Mq<'_>, passes: impl Iterator<Item = Pass>) -> Result<(), Error> {
        let mut mq = mq;
        for pass in passes {
            if pass.raw {
                return Err(MIXED);
            }
            mq = self.coded_pass(mq, &pass)?;
            self.reset();
        }
        Ok(())
    }

    /// Gives the MQ decoder back as it is after the pass.
    fn coded_pass<'a>(&mut self, mq: Mq<'a>, pass: &Pass) -> Result<Mq<'a>, Error> {
        let states = &mut self.states;
        let mut coder = Arithmetic {
            mq,
            significance: contexts::significance(self.block.band),
        };
        match pass.kind {
            Kind::Propagation => self.canvas.propagate(&mut coder, states, pass.plane),
            Kind::Refinement => self.canvas.refine(&mut coder, states, pass.plane),
            Kind::CleanUp => {
                self.canvas.clean_up(&mut coder, states, pass.plane);
                if self.block.modes.has(Modes::SYMBOLS) && coder.segmentation_symbol() != 0b1010 {
                    return Err(Error("a segmentation symbol is wrong"));
                }
            }
        }
        Ok(coder.mq)
    }

    fn reset(&mut self) {
        if self.block.modes.has(Modes::RESET) {
            self.states = contexts::INITIAL;
        }
    }
}

const MIXED: Error = Error("a segment has both raw and coded passes");
