//! The decoder as the flow charts of the standard draw it (ISO/IEC 15444-1, figures C.15 to C.20), a byte and a bit at a time, to compare
//! the fast one with.

use super::{Mq, ROWS, State};

#[allow(dead_code, reason = "raw bits are for the tests of whole code-blocks")]
#[path = "../../../tests/encoder/mq.rs"]
mod encoder;

/// I(CX) and MPS(CX).
#[derive(Clone, Copy)]
struct Context {
    row: usize,
    likely: u32,
}

/// The registers: C with Chigh in its upper 16 bits, BP as an index.
struct Charts<'a> {
    a: u32,
    c: u32,
    ct: u32,
    bytes: &'a [u8],
    bp: usize,
}

impl<'a> Charts<'a> {
    /// INITDEC, figure C.20.
    fn new(bytes: &'a [u8]) -> Self {
        let mut charts = Self {
            a: 0x8000,
            c: 0,
            ct: 0,
            bytes,
            bp: 0,
        };
        charts.c = charts.byte(0) << 16;
        charts.byte_in();
        charts.c <<= 7;
        charts.ct -= 7;
        charts
    }

    /// The byte so far after BP. After the end of a segment stand two that are full (D.4.1).
    fn byte(&self, after: usize) -> u32 {
        u32::from(self.bytes.get(self.bp + after).copied().unwrap_or(0xFF))
    }

    /// BYTEIN, figure C.19.
    fn byte_in(&mut self) {
        if self.byte(0) != 0xFF {
            self.bp += 1;
            self.c = self.c.wrapping_add(self.byte(0) << 8);
            self.ct = 8;
        } else if self.byte(1) > 0x8F {
            self.c = self.c.wrapping_add(0xFF00);
            self.ct = 8;
        } else {
            self.bp += 1;
            self.c = self.c.wrapping_add(self.byte(0) << 9);
            self.ct = 7;
        }
    }

    /// DECODE, figure C.15, with MPS_EXCHANGE and LPS_EXCHANGE, figures C.16 and C.17.
    fn decode(&mut self, context: &mut Context) -> u32 {
        let (qe, after_likely, after_unlikely, switch) = ROWS[context.row];
        let before = *context;
        self.a -= qe;
        let is_likely = if self.c >> 16 < qe {
            let is_likely = self.a < qe;
            self.a = qe;
            is_likely
        } else {
            self.c -= qe << 16;
            if self.a & 0x8000 != 0 {
                return before.likely;
            }
            self.a >= qe
        };
        if is_likely {
            context.row = after_likely as usize;
        } else {
            context.row = after_unlikely as usize;
            context.likely ^= u32::from(switch);
        }
        self.renormalise();
        before.likely ^ u32::from(!is_likely)
    }

    /// RENORMD, figure C.18.
    fn renormalise(&mut self) {
        loop {
            if self.ct == 0 {
                self.byte_in();
            }
            self.a <<= 1;
            self.c <<= 1;
            self.ct -= 1;
            if self.a & 0x8000 != 0 {
                return;
            }
        }
    }
}

/// Rows of table C.2 that contexts begin with (table D.7).
const START: [usize; 19] = [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 46];

/// The context after a symbol.
fn following(context: usize, symbol: u64) -> usize {
    (context * 2 + symbol as usize + 1) % START.len()
}

/// Decodes so many symbols in contexts that depend on those before, by both decoders.
fn decoded(bytes: &[u8], symbols: usize) -> Vec<u64> {
    let (mut mq, mut charts) = (Mq::new(bytes), Charts::new(bytes));
    let mut states = START.map(State::new);
    let mut contexts = START.map(|row| Context { row, likely: 0 });
    let mut context = 0;
    let next = |number| {
        let symbol = mq.decide(&mut states[context]);
        let expected = charts.decode(&mut contexts[context]);
        assert_eq!(symbol, u64::from(expected), "{number} of {bytes:02X?}");
        context = following(context, symbol);
        symbol
    };
    (0..symbols).map(next).collect()
}

/// Numbers that seem random, each below the one that is asked for.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 11_u32;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    }
}

/// Compares the decoders on bytes of which every third one is full, with one of these behind it, and beyond their end.
fn assert_same_after_full_bytes(followers: impl Iterator<Item = u8>) {
    let followers: Vec<_> = followers.collect();
    let mut random = random();
    for _ in 0..2000 {
        let mut bytes = Vec::new();
        for _ in 0..random(40) {
            if random(3) > 0 {
                bytes.push(random(0xFF) as u8);
                continue;
            }
            bytes.extend([0xFF, followers[random(followers.len())]]);
        }
        decoded(&bytes, bytes.len() * 16 + 200);
    }
}

#[test]
fn a_byte_after_a_full_one_has_seven_bits() {
    assert_same_after_full_bytes(0..0x80);
}

#[test]
fn a_marker_ends_the_bytes() {
    assert_same_after_full_bytes((0..0x80).chain(0x90..=0xFF));
}

/// What an encoder writes for these symbols.
fn encoded(symbols: &[u64]) -> Vec<u8> {
    let (mut mq, mut register) = (encoder::Mq::new(), encoder::Register::new());
    let mut context = 0;
    for symbol in symbols {
        mq.encode(&mut register, context, *symbol == 1);
        context = following(context, *symbol);
    }
    register.flush()
}

/// After a full byte the highest bit is added to what was read before. Of other bytes than an encoder's the decoders differ there: the fast
/// one adds it earlier.
#[test]
fn a_carry_after_a_full_byte_is_added() {
    let mut random = random();
    let mut carries = 0;
    for _ in 0..2000 {
        let rarity = 2 + random(40);
        let symbols: Vec<_> = (0..2000).map(|_| u64::from(random(rarity) == 0)).collect();
        let bytes = encoded(&symbols);
        assert!(decoded(&bytes, symbols.len()) == symbols);
        let carries_over = |pair: &&[u8]| pair[0] == 0xFF && pair[1] >= 0x80;
        carries += bytes.windows(2).filter(carries_over).count();
    }
    assert!(carries > 10, "{carries}");
}
