//! Which context a decision is coded in (ISO/IEC 15444-1, tables D.1 to D.4, D.7), as tables over the samples around.
//!
//! The indices are made by [`super::window`].

use super::mq::State;
use crate::Band;

/// Contexts 0 to 8 are for significance, 9 to 13 for signs, 14 to 16 for refinement.
pub const REFINEMENT: usize = 14;
pub const RUN: usize = 17;
/// The uniform context, whose state never changes (table D.7).
pub const UNIFORM: State = State::new(46);

/// The states of the contexts 0 to 17; the rest makes an index of five bits one that needs no check.
pub type States = [State; 32];

/// Table D.7.
pub const INITIAL: States = {
    let mut states = [State::new(0); 32];
    states[0] = State::new(4);
    states[RUN] = State::new(3);
    states
};

/// A context for each set of significant neighbours.
///
/// Bits of the index from the lowest: the column to the right from top to bottom, the own column, the column to the left.
pub type Significance = [u8; 512];

pub fn significance(band: Band) -> &'static Significance {
    static LL_LH: Significance = table(Band::LL);
    static HL: Significance = table(Band::HL);
    static HH: Significance = table(Band::HH);
    match band {
        Band::LL | Band::LH => &LL_LH,
        Band::HL => &HL,
        Band::HH => &HH,
    }
}

const fn table(band: Band) -> Significance {
    let mut contexts = [0; 512];
    let mut index = 0;
    while index < contexts.len() {
        let horizontal = bit(index, 1) + bit(index, 7);
        let vertical = bit(index, 3) + bit(index, 5);
        let diagonal = bit(index, 0) + bit(index, 2) + bit(index, 6) + bit(index, 8);
        contexts[index] = match band {
            Band::LL | Band::LH => straight(horizontal, vertical, diagonal),
            Band::HL => straight(vertical, horizontal, diagonal),
            Band::HH => crossed(horizontal + vertical, diagonal),
        };
        index += 1;
    }
    contexts
}

const fn bit(index: usize, bit: u32) -> u8 {
    (index >> bit & 1) as u8
}

/// Table D.1 for LL and LH; for HL with the directions exchanged.
const fn straight(horizontal: u8, vertical: u8, diagonal: u8) -> u8 {
    match (horizontal, vertical, diagonal) {
        (2, _, _) => 8,
        (1, 1.., _) => 7,
        (1, 0, 1..) => 6,
        (1, 0, 0) => 5,
        (_, 2, _) => 4,
        (_, 1, _) => 3,
        (_, _, 2..) => 2,
        (_, _, few) => few,
    }
}

/// Table D.1 for HH.
const fn crossed(straight: u8, diagonal: u8) -> u8 {
    match (diagonal, straight) {
        (3.., _) => 8,
        (2, 1..) => 7,
        (2, 0) => 6,
        (1, 2..) => 5,
        (1, one) => 3 + one,
        (_, 2..) => 2,
        (_, one) => one,
    }
}

/// The context of a sign, and in the highest bit what it is exclusive-ored with, for each set of neighbours.
///
/// Bits of the index in pairs, whether significant and whether negative: left, right, (one bit not used,) above, below.
pub const SIGN: &[u8; 512] = &signs();

const fn signs() -> [u8; 512] {
    let mut contexts = [0; 512];
    let mut index = 0;
    while index < contexts.len() {
        contexts[index] = sign(
            contribution(index) + contribution(index >> 2),
            contribution(index >> 5) + contribution(index >> 7),
        );
        index += 1;
    }
    contexts
}

const fn contribution(pair: usize) -> i32 {
    match pair & 3 {
        1 => 1,
        3 => -1,
        _ => 0,
    }
}

/// Table D.3.
const fn sign(horizontal: i32, vertical: i32) -> u8 {
    const FLIP: u8 = 0x80;
    match (horizontal.signum(), vertical.signum()) {
        (1, 1) => 13,
        (1, 0) => 12,
        (1, _) => 11,
        (0, 1) => 10,
        (0, 0) => 9,
        (0, _) => 10 | FLIP,
        (_, 1) => 11 | FLIP,
        (_, 0) => 12 | FLIP,
        (_, _) => 13 | FLIP,
    }
}
