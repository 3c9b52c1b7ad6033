//! What is known of the samples of a code-block, packed so that neighbours are found by shifts.
//!
//! A word has 8 columns of a stripe (D.1) and their neighbours: 10 columns of 6 bits, the lowest for the row above the stripe and the highest for
//! the row below it. So the bits are in the order in which samples are scanned, and the neighbours of the one at `bit` are at `bit` ± 1
//! (above, below), ± 6 (left, right), ± 5 and ± 7.

pub const COLUMNS: usize = 8;
pub const ROWS: usize = 4;

/// The lowest bit of each of the columns 1 to 8 of a word, which are its own.
const LOWEST: u64 = 0x0001_0410_4104_1040;
const ABOVE: u64 = LOWEST;
const BELOW: u64 = LOWEST << 5;
/// The first sample of each column.
pub const TOPS: u64 = LOWEST << 1;
/// A column, from its first sample on.
pub const COLUMN: u64 = 0b1111;

/// What is known of the samples of a word; only their own bits are set.
#[derive(Clone, Copy, Default)]
pub struct Cell {
    pub significant: u64,
    pub negative: u64,
    /// Coded in the significance propagation pass of this bit-plane.
    pub visited: u64,
    /// Coded in a magnitude refinement pass before.
    pub refined: u64,
}

/// A row of words and its neighbours. There is an empty word at either end.
pub struct Stripe<'a> {
    pub above: &'a [Cell],
    pub own: &'a mut [Cell],
    pub below: &'a [Cell],
    /// False where samples below count as insignificant (D.7).
    pub sees_below: bool,
}

impl Stripe<'_> {
    /// The word with its neighbours: whether they are significant, and whether they are negative.
    #[inline(always)]
    pub fn window(&self, word: usize) -> (u64, u64) {
        (
            self.around(word, |cell| cell.significant),
            self.around(word, |cell| cell.negative),
        )
    }

    #[inline(always)]
    fn around(&self, word: usize, bits: impl Fn(&Cell) -> u64 + Copy) -> u64 {
        self.columns(word, bits)
            | self.columns(word - 1, bits) >> 48
            | self.columns(word + 1, bits) << 48
    }

    #[inline(always)]
    fn columns(&self, word: usize, bits: impl Fn(&Cell) -> u64) -> u64 {
        let below = if self.sees_below { BELOW } else { 0 };
        bits(&self.own[word])
            | bits(&self.above[word]) >> ROWS & ABOVE
            | bits(&self.below[word]) << ROWS & below
    }
}

/// The samples of a word of which so many columns and rows are in the block.
pub fn inside(columns: usize, rows: usize) -> u64 {
    let first_rows = TOPS * ((1 << rows.min(ROWS)) - 1);
    let first_columns = (1 << (6 * (columns.min(COLUMNS) + 1))) - 1;
    first_rows & first_columns
}

/// The samples that have one of `samples` beside them, or are among them.
#[inline(always)]
pub fn spread(samples: u64) -> u64 {
    let columns = samples | samples << 1 | samples >> 1;
    columns | columns << 6 | columns >> 6
}

/// Those beside the sample at `bit` that are scanned after it.
#[inline(always)]
pub fn later_neighbours(bit: u32) -> u64 {
    0b1110_0010 << bit
}

/// The index of the neighbours' significance in [`super::contexts::Significance`].
#[inline(always)]
pub fn neighbours(significant: u64, bit: u32) -> usize {
    let columns = significant >> (bit - 7) & 0b111_000_111_000_111;
    // From 0, 6 and 12 to 18, 15 and 12.
    let packed = columns * (1 << 18 | 1 << 9 | 1);
    (packed >> 12 & 511) as usize
}

/// The index of the neighbours' signs in [`super::contexts::SIGN`].
#[inline(always)]
pub fn signs(significant: u64, negative: u64, bit: u32) -> usize {
    const CROSS: u64 = 1 | 1 << 5 | 1 << 7 | 1 << 12;
    let pairs = significant >> (bit - 6) & CROSS | (negative >> (bit - 6) & CROSS) << 1;
    ((pairs | pairs >> 10) & 0b1_1110_1111) as usize
}

/// Whether the column that begins at `bit`, and all around it, are insignificant.
#[inline(always)]
pub fn is_empty(significant: u64, bit: u32) -> bool {
    significant >> (bit - 7) & 0x3_FFFF == 0
}
