//! An encoder of code-blocks for tests: slow, and as near to the words of ISO/IEC 15444-1 as can be.

pub mod mq;

use azulejo_jpeg2000::Band;
use azulejo_jpeg2000::block::{Modes, Segment};
use mq::{Bits, Mq};

/// Bytes of passes that end together, and how many passes.
pub struct Coded {
    pub passes: u32,
    pub bytes: Vec<u8>,
}

/// What an encoder made of a code-block, and what a decoder can know of it then.
pub struct Encoded {
    pub segments: Vec<Coded>,
    pub known: Vec<i32>,
    /// Binary decisions that were coded.
    pub decisions: usize,
}

impl Encoded {
    pub fn segments(&self) -> Vec<Segment<'_>> {
        self.segments
            .iter()
            .map(|coded| Segment {
                passes: coded.passes,
                bytes: &coded.bytes,
            })
            .collect()
    }
}

/// A code-block to be encoded; `values` row by row.
pub struct Source<'a> {
    pub width: usize,
    pub height: usize,
    pub band: Band,
    pub modes: Modes,
    pub planes: u8,
    pub values: &'a [i32],
}

/// Encodes the first `passes` passes.
pub fn encode(source: &Source<'_>, passes: u32) -> Encoded {
    let count = source.values.len();
    let mut encoder = Encoder {
        source,
        significant: vec![false; count],
        refined: vec![false; count],
        visited: vec![false; count],
        last_plane: vec![None; count],
        mq: Mq::new(),
        output: Output::Coded(mq::Register::new()),
        decisions: 0,
    };
    let mut segments = Vec::new();
    let mut held = 0;
    for index in 0..passes {
        encoder.pass(index);
        held += 1;
        if encoder.ends_after(index) || index + 1 == passes {
            segments.push(Coded {
                passes: held,
                bytes: encoder.terminate(index + 1),
            });
            held = 0;
        }
    }
    Encoded {
        segments,
        known: encoder.known(),
        decisions: encoder.decisions,
    }
}

enum Output {
    Coded(mq::Register),
    Raw(Bits),
}

struct Encoder<'a> {
    source: &'a Source<'a>,
    significant: Vec<bool>,
    refined: Vec<bool>,
    visited: Vec<bool>,
    /// The last bit-plane that was coded of a significant sample.
    last_plane: Vec<Option<u32>>,
    mq: Mq,
    output: Output,
    decisions: usize,
}

const RUN: usize = 17;
const UNIFORM: usize = 18;

impl Encoder<'_> {
    fn mode(&self, mode: u8) -> bool {
        self.source.modes.0 & mode != 0
    }

    /// Table D.9: which passes are raw.
    fn is_raw(&self, index: u32) -> bool {
        self.mode(Modes::BYPASS) && index >= 10 && !index.is_multiple_of(3)
    }

    /// Table D.9: where the coders are terminated.
    fn ends_after(&self, index: u32) -> bool {
        self.mode(Modes::TERMINATE) || self.is_raw(index) != self.is_raw(index + 1)
    }

    fn terminate(&mut self, next: u32) -> Vec<u8> {
        let fresh = match self.is_raw(next) {
            true => Output::Raw(Bits::default()),
            false => Output::Coded(mq::Register::new()),
        };
        match std::mem::replace(&mut self.output, fresh) {
            Output::Coded(register) => register.flush(),
            Output::Raw(bits) => bits.flush(),
        }
    }

    fn pass(&mut self, index: u32) {
        let plane = u32::from(self.source.planes) - 1 - index.div_ceil(3);
        match index % 3 {
            1 => self.propagate(plane),
            2 => self.refine(plane),
            _ => self.clean_up(plane),
        }
        if self.mode(Modes::RESET) {
            self.mq = Mq::new();
        }
    }

    fn put(&mut self, context: usize, bit: bool) {
        self.decisions += 1;
        match &mut self.output {
            Output::Coded(register) => self.mq.encode(register, context, bit),
            Output::Raw(bits) => bits.put(bit),
        }
    }

    /// D.1: stripes of four rows, column by column.
    fn order(&self) -> Vec<(usize, usize)> {
        let (width, height) = (self.source.width, self.source.height);
        let stripes = (0..height).step_by(4);
        stripes
            .flat_map(|top| (0..width).map(move |x| (x, top)))
            .flat_map(|(x, top)| (top..height.min(top + 4)).map(move |y| (x, y)))
            .collect()
    }

    fn at(&self, x: usize, y: usize) -> usize {
        y * self.source.width + x
    }

    fn bit(&self, at: usize, plane: u32) -> bool {
        self.source.values[at].unsigned_abs() >> plane & 1 == 1
    }

    /// The neighbour of a sample, if it is significant as seen from there.
    fn neighbour(&self, x: usize, y: usize, right: isize, down: isize) -> Option<usize> {
        let column = x
            .checked_add_signed(right)
            .filter(|&column| column < self.source.width)?;
        let row = y
            .checked_add_signed(down)
            .filter(|&row| row < self.source.height)?;
        let hidden = self.mode(Modes::CAUSAL) && row / 4 > y / 4;
        let at = self.at(column, row);
        (self.significant[at] && !hidden).then_some(at)
    }

    fn count(&self, x: usize, y: usize, around: &[(isize, isize)]) -> usize {
        let seen = |&&(right, down): &&(isize, isize)| self.neighbour(x, y, right, down).is_some();
        around.iter().filter(seen).count()
    }

    /// Table D.1.
    fn significance_context(&self, x: usize, y: usize) -> usize {
        let h = self.count(x, y, &[(-1, 0), (1, 0)]);
        let v = self.count(x, y, &[(0, -1), (0, 1)]);
        let d = self.count(x, y, &[(-1, -1), (1, -1), (-1, 1), (1, 1)]);
        let (h, v) = if self.source.band == Band::HL {
            (v, h)
        } else {
            (h, v)
        };
        if self.source.band == Band::HH {
            return match d {
                0 => (h + v).min(2),
                1 => 3 + (h + v).min(2),
                2 => 6 + (h + v).min(1),
                _ => 8,
            };
        }
        match h {
            2 => 8,
            1 if v > 0 => 7,
            1 if d > 0 => 6,
            1 => 5,
            _ if v > 0 => 2 + v,
            _ => d.min(2),
        }
    }

    /// Tables D.2 and D.3.
    fn sign_context(&self, x: usize, y: usize) -> (usize, bool) {
        let one = |right, down| match self.neighbour(x, y, right, down) {
            Some(at) => self.source.values[at].signum(),
            None => 0,
        };
        let h = (one(-1, 0) + one(1, 0)).clamp(-1, 1);
        let v = (one(0, -1) + one(0, 1)).clamp(-1, 1);
        let flip = h < 0 || (h == 0 && v < 0);
        let (h, v) = if flip { (-h, -v) } else { (h, v) };
        ((9 + 3 * h + v) as usize, flip)
    }

    fn put_sign(&mut self, x: usize, y: usize, plane: u32) {
        let at = self.at(x, y);
        let negative = self.source.values[at] < 0;
        let (context, flip) = self.sign_context(x, y);
        let flip = flip && matches!(self.output, Output::Coded(_));
        self.put(context, negative != flip);
        self.significant[at] = true;
        self.last_plane[at] = Some(plane);
    }

    fn put_significance(&mut self, x: usize, y: usize, plane: u32) {
        let bit = self.bit(self.at(x, y), plane);
        self.put(self.significance_context(x, y), bit);
        if bit {
            self.put_sign(x, y, plane);
        }
    }

    fn neighbours(&self, x: usize, y: usize) -> usize {
        let around = (-1..2).flat_map(|right| (-1..2).map(move |down| (right, down)));
        let around: Vec<_> = around.filter(|&place| place != (0, 0)).collect();
        self.count(x, y, &around)
    }

    /// D.3.1.
    fn propagate(&mut self, plane: u32) {
        for (x, y) in self.order() {
            let at = self.at(x, y);
            if !self.significant[at] && self.neighbours(x, y) > 0 {
                self.put_significance(x, y, plane);
                self.visited[at] = true;
            }
        }
    }

    /// D.3.3.
    fn refine(&mut self, plane: u32) {
        for (x, y) in self.order() {
            let at = self.at(x, y);
            if !self.significant[at] || self.visited[at] {
                continue;
            }
            let context = match self.refined[at] {
                true => 16,
                false => 14 + self.neighbours(x, y).min(1),
            };
            self.put(context, self.bit(at, plane));
            self.refined[at] = true;
            self.last_plane[at] = Some(plane);
        }
    }

    /// D.3.4.
    fn clean_up(&mut self, plane: u32) {
        for (x, y) in self.order() {
            if y % 4 == 0 && self.is_run(x, y) {
                self.run(x, y, plane);
                continue;
            }
            let at = self.at(x, y);
            if !self.significant[at] && !self.visited[at] {
                self.put_significance(x, y, plane);
                self.visited[at] = true;
            }
        }
        self.visited.fill(false);
        if self.mode(Modes::SYMBOLS) {
            for bit in [true, false, true, false] {
                self.put(UNIFORM, bit);
            }
        }
    }

    fn is_run(&self, x: usize, y: usize) -> bool {
        let plain = |y| {
            let at = self.at(x, y);
            !self.significant[at] && !self.visited[at] && self.neighbours(x, y) == 0
        };
        y + 4 <= self.source.height && (y..y + 4).all(plain)
    }

    /// Codes as much of the column as a run-length says, and marks it as visited.
    fn run(&mut self, x: usize, top: usize, plane: u32) {
        let first = (0..4).find(|row| self.bit(self.at(x, top + row), plane));
        self.put(RUN, first.is_some());
        let told = first.map_or(4, |row| row + 1);
        for row in 0..told {
            let at = self.at(x, top + row);
            self.visited[at] = true;
        }
        if let Some(row) = first {
            self.put(UNIFORM, row & 2 != 0);
            self.put(UNIFORM, row & 1 != 0);
            self.put_sign(x, top + row, plane);
        }
    }

    /// What a decoder has with one bit after the binary point.
    fn known(&self) -> Vec<i32> {
        let known = |(&value, &plane): (&i32, &Option<u32>)| match plane {
            Some(plane) => (((value.abs() >> plane << 1) + 1) << plane) * value.signum(),
            None => 0,
        };
        self.source
            .values
            .iter()
            .zip(&self.last_plane)
            .map(known)
            .collect()
    }
}
