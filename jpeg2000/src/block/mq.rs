//! The MQ decoder (ISO/IEC 15444-1, annex C.3).
//!
//! The interval A and the code register C are kept in 64 bits, with the 16 bits that are compared on top, so that several bytes are read at once.

use std::hint::select_unpredictable;

/// Where the lowest of the 16 bits stands that A and Qe have.
const POINT: u32 = 48;
/// A is renormalised below it: 0.75 in the standard's numbers (C.1.1).
const HALF: u64 = 0x8000 << POINT;

/// A context: its row of table C.2 and the more probable symbol.
///
/// The lower 16 bits are Qe. The next are the symbol, and above it the row: together an index of [`NEXT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u32);

impl State {
    /// The row of table C.2, with 0 as the more probable symbol.
    pub const fn new(row: usize) -> Self {
        Self::with(row as u32, 0)
    }

    const fn with(row: u32, symbol: u32) -> Self {
        Self((2 * row + symbol) << 16 | ROWS[row as usize].0)
    }

    #[inline(always)]
    fn qe(self) -> u64 {
        u64::from(self.0) << POINT
    }

    #[inline(always)]
    fn symbol(self) -> u64 {
        u64::from(self.0 >> 16 & 1)
    }

    /// The states after the more probable symbol and after the other.
    #[inline(always)]
    fn next(self) -> (Self, Self) {
        let both = NEXT[(self.0 >> 16) as usize & 127];
        (Self(both as u32), Self((both >> 32) as u32))
    }
}

/// Table C.2: Qe, the next row after the more probable symbol, the next after the other, and whether the symbols change places then.
const ROWS: [(u32, u32, u32, bool); 47] = [
    (0x5601, 1, 1, true),
    (0x3401, 2, 6, false),
    (0x1801, 3, 9, false),
    (0x0AC1, 4, 12, false),
    (0x0521, 5, 29, false),
    (0x0221, 38, 33, false),
    (0x5601, 7, 6, true),
    (0x5401, 8, 14, false),
    (0x4801, 9, 14, false),
    (0x3801, 10, 14, false),
    (0x3001, 11, 17, false),
    (0x2401, 12, 18, false),
    (0x1C01, 13, 20, false),
    (0x1601, 29, 21, false),
    (0x5601, 15, 14, true),
    (0x5401, 16, 14, false),
    (0x5101, 17, 15, false),
    (0x4801, 18, 16, false),
    (0x3801, 19, 17, false),
    (0x3401, 20, 18, false),
    (0x3001, 21, 19, false),
    (0x2801, 22, 19, false),
    (0x2401, 23, 20, false),
    (0x2201, 24, 21, false),
    (0x1C01, 25, 22, false),
    (0x1801, 26, 23, false),
    (0x1601, 27, 24, false),
    (0x1401, 28, 25, false),
    (0x1201, 29, 26, false),
    (0x1101, 30, 27, false),
    (0x0AC1, 31, 28, false),
    (0x09C1, 32, 29, false),
    (0x08A1, 33, 30, false),
    (0x0521, 34, 31, false),
    (0x0441, 35, 32, false),
    (0x02A1, 36, 33, false),
    (0x0221, 37, 34, false),
    (0x0141, 38, 35, false),
    (0x0111, 39, 36, false),
    (0x0085, 40, 37, false),
    (0x0049, 41, 38, false),
    (0x0025, 42, 39, false),
    (0x0015, 43, 40, false),
    (0x0009, 44, 41, false),
    (0x0005, 45, 42, false),
    (0x0001, 45, 43, false),
    (0x5601, 46, 46, false),
];

/// The state after the more probable symbol, and above it the one after the other: one word, so that both are there before it is known
/// which one is needed. The rest of the table is never reached.
const NEXT: &[u64; 128] = &{
    let mut next = [0; 128];
    let mut index = 0;
    while index < 2 * ROWS.len() {
        let (_, likely, unlikely, switch) = ROWS[index / 2];
        let symbol = index as u32 % 2;
        let after_likely = State::with(likely, symbol);
        let after_unlikely = State::with(unlikely, symbol ^ switch as u32);
        next[index] = (after_unlikely.0 as u64) << 32 | after_likely.0 as u64;
        index += 1;
    }
    next
};

/// The decoder of a segment.
#[derive(Clone, Copy)]
pub struct Mq<'a> {
    /// A and C.
    interval: u64,
    code: u64,
    /// Bits of the segment that are in C below [`POINT`].
    spare: i32,
    bytes: &'a [u8],
    /// The next of them.
    at: usize,
}

impl<'a> Mq<'a> {
    /// C.3.5.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut empty = Self {
            interval: HALF,
            code: 0,
            spare: -15,
            bytes,
            at: 0,
        };
        empty.fill();
        empty
    }

    /// Decodes a symbol, which is 0 or 1 (figures C.15 to C.18), without a branch on it: it is hard to guess.
    #[inline(always)]
    pub fn decide(&mut self, state: &mut State) -> u64 {
        let before = *state;
        let qe = before.qe();
        let rest = self.interval - qe;
        let (above, low) = self.code.overflowing_sub(qe);
        let unlikely = low ^ (rest < qe);
        let interval = select_unpredictable(low, qe, rest);
        let code = select_unpredictable(low, self.code, above);
        let (likely_next, unlikely_next) = before.next();
        let next = select_unpredictable(unlikely, unlikely_next, likely_next);
        *state = select_unpredictable(interval >= HALF, before, next);
        let shift = interval.leading_zeros();
        self.interval = interval << shift;
        self.code = code << shift;
        self.spare -= shift as i32;
        if self.spare < 0 {
            self.fill();
        }
        before.symbol() ^ unlikely as u64
    }

    /// Decodes so many symbols in the context if they are all 0 and need no renormalisation; otherwise nothing.
    #[inline(always)]
    pub fn skip(&mut self, state: &State, count: u32) -> bool {
        let qe = (state.0 & 0xFFFF) * count;
        let all = u64::from(qe) << POINT;
        let skips =
            state.symbol() == 0 && qe < 0x8000 && self.code >= all && self.interval - all >= HALF;
        if skips {
            self.interval -= all;
            self.code -= all;
        }
        skips
    }

    /// Reads bytes until C is full.
    #[inline(always)]
    fn fill(&mut self) {
        let (code, spare, at) = read(self.bytes, self.at, self.spare);
        // After a full byte hostile bytes have a bit that carries beyond C.
        self.code = self.code.wrapping_add(code);
        self.spare = spare;
        self.at = at;
    }
}

/// What is added to C, how much is spare then, and the next byte (C.3.4). Bits after the end, or after a marker, are ones.
#[cold]
#[inline(never)]
fn read(bytes: &[u8], mut at: usize, mut spare: i32) -> (u64, i32, usize) {
    let byte_at = |at: usize| bytes.get(at).copied().unwrap_or(0xFF);
    let mut code = 0;
    while spare <= POINT as i32 - 8 {
        let stuffed = at > 0 && byte_at(at - 1) == 0xFF;
        let byte = byte_at(at);
        let marker = stuffed && byte > 0x8F;
        let bits = if stuffed && !marker { 7 } else { 8 };
        let byte = if marker { 0xFF } else { u64::from(byte) };
        code = u64::wrapping_add(code, byte << (POINT as i32 - spare - bits));
        spare += bits;
        at += usize::from(!marker);
    }
    (code, spare, at)
}

#[cfg(test)]
mod flow_charts;
#[cfg(test)]
mod tests {
    use super::*;

    /// The test sequence of J.1.
    #[test]
    fn the_sequence_of_the_standard_is_decoded() {
        let coded = [
            0x84, 0xC7, 0x3B, 0xFC, 0xE1, 0xA1, 0x43, 0x04, 0x02, 0x20, 0x00, 0x00, 0x41, 0x0D,
            0xBB, 0x86, 0xF4, 0x31, 0x7F, 0xFF, 0x88, 0xFF, 0x37, 0x47, 0x1A, 0xDB, 0x6A, 0xDF,
            0xFF, 0xAC,
        ];
        let plain = [
            0x00u8, 0x02, 0x00, 0x51, 0x00, 0x00, 0x00, 0xC0, 0x03, 0x52, 0x87, 0x2A, 0xAA, 0xAA,
            0xAA, 0xAA, 0x82, 0xC0, 0x20, 0x00, 0xFC, 0xD7, 0x9E, 0xF6, 0xBF, 0x7F, 0xED, 0x90,
            0x4F, 0x46, 0xA3, 0xBF,
        ];
        let mut mq = Mq::new(&coded);
        let mut state = State::new(0);
        let mut byte = || (0..8).fold(0, |byte, _| byte << 1 | mq.decide(&mut state) as u8);
        assert_eq!([(); 32].map(|()| byte()), plain);
    }
}
