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

/// The columns that a word has itself.
const OWN: u64 = LOWEST * 0b11_1111;

/// One bit for each sample of a code-block. Of a word only its own bits are set; around the block there are empty words.
pub struct Bits<'a> {
    pub words: &'a mut [u64],
    /// Words from one stripe to the next.
    pub row: usize,
}

impl Bits<'_> {
    /// The words of a stripe with those above and below.
    #[inline(always)]
    pub fn stripe(&mut self, stripe: usize, sees_below: bool) -> Stripe<'_> {
        let (above, rest) = self.words.split_at_mut(self.row * (stripe + 1));
        let (own, below) = rest.split_at_mut(self.row);
        Stripe {
            above: &above[self.row * stripe..],
            own,
            below: &below[..self.row],
            below_mask: if sees_below { BELOW } else { 0 },
        }
    }
}

/// A row of words and its neighbours.
pub struct Stripe<'a> {
    above: &'a [u64],
    pub own: &'a mut [u64],
    below: &'a [u64],
    /// Nothing, where samples below count as insignificant (D.7).
    below_mask: u64,
}

impl Stripe<'_> {
    /// A word with the rows above and below, but without the columns beside it.
    #[inline(always)]
    fn columns(&self, word: usize) -> u64 {
        self.own[word]
            | self.above[word] >> ROWS & ABOVE
            | self.below[word] << ROWS & self.below_mask
    }
}

/// Goes over the words of a stripe, each with its neighbours.
pub struct Walk {
    left: u64,
    here: u64,
    right: u64,
}

impl Walk {
    #[inline(always)]
    pub fn new(stripe: &Stripe<'_>) -> Self {
        Self {
            left: 0,
            here: 0,
            right: stripe.columns(1),
        }
    }

    /// The next word; `word` is its number.
    #[inline(always)]
    pub fn next(&mut self, stripe: &Stripe<'_>, word: usize) -> u64 {
        self.here = self.right;
        self.right = stripe.columns(word + 1);
        self.left >> 48 | self.here | self.right << 48
    }

    /// What the word has become.
    #[inline(always)]
    pub fn leave(&mut self, window: u64) {
        self.left = window & OWN;
    }
}

/// The samples of a word of which so many columns and rows are in the block.
#[inline(always)]
pub fn inside(columns: usize, rows: usize) -> u64 {
    let first_rows = TOPS * ((1 << rows.min(ROWS)) - 1);
    let first_columns = (1 << (6 * (columns.min(COLUMNS) + 1))) - 1;
    first_rows & first_columns
}

/// The places that have one of `samples` beside them.
#[inline(always)]
pub fn beside(samples: u64) -> u64 {
    let vertical = samples << 1 | samples >> 1;
    let columns = samples | vertical;
    vertical | columns << 6 | columns >> 6
}

/// The places that have one of `samples` beside them, or are among them.
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
    // From 0, 6 and 12 to 61, 58 and 55: nothing else gets so high.
    (columns.wrapping_mul(1 << 61 | 1 << 52 | 1 << 43) >> 55) as usize
}

/// The index of the neighbours' signs in [`super::contexts::SIGN`].
#[inline(always)]
pub fn signs(significant: u64, negative: u64, bit: u32) -> usize {
    const CROSS: u64 = 1 | 1 << 5 | 1 << 7 | 1 << 12;
    let pairs = significant >> (bit - 6) & CROSS | (negative >> (bit - 6) & CROSS) << 1;
    ((pairs | pairs >> 10) & 0b1_1110_1111) as usize
}

/// The first samples of the columns which are, as all around them, insignificant.
#[inline(always)]
pub fn empty_columns(significant: u64) -> u64 {
    let near = spread(significant);
    let pairs = near | near >> 1;
    TOPS & !(pairs | pairs >> 2)
}

/// The first sample of the column after that of `bit`, and others that have been scanned or are none.
#[inline(always)]
pub fn next_top(bit: u32) -> u64 {
    0b111_1111 << bit
}
