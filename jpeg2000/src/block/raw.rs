//! Segments that bypass the MQ coder (ISO/IEC 15444-1, D.6).

/// Reads bits, the highest of a byte first. After a byte 0xFF, the highest bit of the next is none.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    bytes: &'a [u8],
    at: usize,
    byte: u8,
    /// Those that are left in `byte`.
    bits: u32,
}

impl<'a> Raw<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            byte: 0,
            bits: 0,
        }
    }

    /// The next bit, 0 or 1. After the end, or after a marker, it is 1.
    #[inline(always)]
    pub fn bit(&mut self) -> u64 {
        if self.bits == 0 {
            self.read();
        }
        self.bits -= 1;
        u64::from(self.byte >> self.bits & 1)
    }

    fn read(&mut self) {
        let next = self.bytes.get(self.at).copied().unwrap_or(0xFF);
        let stuffed = self.byte == 0xFF;
        let marker = stuffed && next > 0x8F;
        self.bits = if stuffed && !marker { 7 } else { 8 };
        if !marker {
            self.byte = next;
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(bytes: &[u8], count: usize) -> Vec<u64> {
        let mut raw = Raw::new(bytes);
        (0..count).map(|_| raw.bit()).collect()
    }

    #[test]
    fn the_bit_after_ff_is_left_out() {
        let expected = [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0];
        assert_eq!(bits(&[0xFF, 0x2A, 0x80], 17)[..16], expected[..16]);
    }

    #[test]
    fn bits_after_the_end_are_ones() {
        assert_eq!(
            bits(&[0x00], 28),
            [vec![0; 8], vec![1; 20]].concat(),
            "then comes 0xFF again and again"
        );
    }
}
