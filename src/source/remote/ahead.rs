//! How much is read ahead where a file is read straight on.

use super::blocks::BLOCK;

/// Blocks read ahead when a file begins to be read straight on, and at most.
const FIRST: u64 = (128 << 10) / BLOCK;
const MOST: u64 = (2 << 20) / BLOCK;

/// Where the next block is expected.
#[derive(Debug)]
pub struct Ahead {
    next: u64,
    length: u64,
}

impl Ahead {
    /// After the first block of a file, which came when it was found.
    pub fn new() -> Self {
        Self {
            next: 1,
            length: FIRST,
        }
    }

    /// How many blocks to fetch after those up to `end`, of which the first that is missing is `start`. Each time that a file is read on
    /// where the last fetch ended it is twice as many.
    pub fn after(&mut self, start: u64, end: u64) -> u64 {
        let is_straight_on = start == self.next;
        let length = if is_straight_on { self.length } else { 0 };
        self.next = end + length;
        self.length = if is_straight_on {
            (2 * self.length).min(MOST)
        } else {
            FIRST
        };
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_straight_on_fetches_more_and_more() {
        let mut ahead = Ahead::new();
        let mut at = 1;
        let mut lengths = Vec::new();
        for _ in 0..6 {
            let length = ahead.after(at, at + 1);
            at += 1 + length;
            lengths.push(length);
        }
        assert_eq!(lengths, [2, 4, 8, 16, 32, 32]);
    }

    #[test]
    fn a_jump_begins_anew() {
        let mut ahead = Ahead::new();
        assert_eq!(ahead.after(1, 2), 2);
        assert_eq!(ahead.after(70, 71), 0);
        assert_eq!(ahead.after(71, 72), 2);
    }
}
