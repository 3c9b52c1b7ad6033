//! Entropy-coded data as bits (ITU-T T.81, F.1.2.3): without the zero bytes that follow bytes of ones.

/// Data without stuffing, and as many bytes after their end as one look needs.
pub struct Bits {
    bytes: Vec<u8>,
    /// Bits that are data.
    pub length: usize,
}

const LOOK: usize = 8;

impl Bits {
    /// `None` if there is a marker in the data.
    pub fn unstuffed(data: &[u8]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(data.len() + LOOK);
        let mut rest = data;
        while let Some(at) = rest.iter().position(|byte| *byte == 0xFF) {
            bytes.extend_from_slice(&rest[..=at]);
            rest = rest[at + 1..].strip_prefix(&[0])?;
        }
        bytes.extend_from_slice(rest);
        let length = bytes.len() * 8;
        bytes.extend([0xFF; LOOK]);
        Some(Self { bytes, length })
    }

    /// The bits from a position on, the first of them the highest; at least 57 are valid. Beyond the end are ones.
    pub fn look(&self, position: usize) -> u64 {
        match self
            .bytes
            .get(position / 8..)
            .and_then(|rest| rest.first_chunk())
        {
            Some(bytes) => u64::from_be_bytes(*bytes) << (position % 8),
            None => u64::MAX,
        }
    }
}

/// Bits in the order in which they are written.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Bits that are not yet in `bytes`, the last of them the lowest.
    pending: u64,
    count: u32,
}

impl Writer {
    /// The lowest `count` bits, at most 32, of a number that has no others.
    pub fn push(&mut self, bits: u64, count: u32) {
        self.pending = self.pending << count | bits;
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            let word = (self.pending >> self.count) as u32;
            self.bytes.extend_from_slice(&word.to_be_bytes());
        }
    }

    /// The bits of `from` from one position to before another.
    pub fn copy(&mut self, from: &Bits, start: usize, end: usize) {
        const STEP: usize = 32;
        let mut at = start;
        while at + STEP <= end {
            self.push(from.look(at) >> (64 - STEP), STEP as u32);
            at += STEP;
        }
        if at < end {
            let count = (end - at) as u32;
            self.push(from.look(at) >> (64 - count), count);
        }
    }

    /// All of them, filled up with ones to whole bytes, with a zero after each byte of ones.
    pub fn finish(mut self) -> Vec<u8> {
        while !self.count.is_multiple_of(8) {
            self.push(1, 1);
        }
        while self.count > 0 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
        let mut stuffed = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 64);
        for part in self.bytes.split_inclusive(|byte| *byte == 0xFF) {
            stuffed.extend_from_slice(part);
            if part.ends_with(&[0xFF]) {
                stuffed.push(0);
            }
        }
        stuffed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_is_taken_out_and_put_in() {
        let data = [1, 0xFF, 0, 2, 0xFF, 0, 0xFF, 0];
        let bits = Bits::unstuffed(&data).unwrap();
        assert_eq!(bits.length, 5 * 8);
        let mut writer = Writer::default();
        writer.copy(&bits, 0, bits.length);
        assert_eq!(writer.finish(), data);
        assert!(Bits::unstuffed(&[1, 0xFF, 0xD0, 2]).is_none(), "a restart");
        assert!(Bits::unstuffed(&[1, 0xFF]).is_none());
    }

    #[test]
    fn bits_are_copied_from_anywhere_to_anywhere() {
        let bytes: Vec<u8> = (0..40_u8).map(|i| i.wrapping_mul(37) & 0x7F).collect();
        let bits = Bits::unstuffed(&bytes).unwrap();
        let bit = |at: usize| u64::from(bytes[at / 8] >> (7 - at % 8) & 1);
        for (before, start, end) in [(0, 0, 320), (3, 5, 300), (7, 9, 10), (5, 8, 8), (1, 31, 64)] {
            let mut copied = Writer::default();
            copied.push(0, before);
            copied.copy(&bits, start, end);
            let mut expected = Writer::default();
            expected.push(0, before);
            (start..end).for_each(|at| expected.push(bit(at), 1));
            assert_eq!(copied.finish(), expected.finish(), "{start}..{end}");
        }
    }

    #[test]
    fn beyond_the_end_are_ones() {
        let bits = Bits::unstuffed(&[0]).unwrap();
        assert_eq!(bits.look(8), u64::MAX);
        assert_eq!(bits.look(80_000), u64::MAX);
    }
}
