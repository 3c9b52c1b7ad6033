//! The bits of packet headers (ISO/IEC 15444-1, B.10.1).

use std::io::{self, Read};

/// A byte of all ones is followed by one of seven bits.
const FULL: u8 = 0xFF;

/// A reader of bits, the highest of each byte first.
pub struct Bits<'a, R> {
    bytes: &'a mut R,
    byte: u8,
    left: u8,
    /// Bytes that were read already, the next one last.
    ahead: [u8; 2],
    waiting: usize,
}

impl<'a, R: Read> Bits<'a, R> {
    pub fn new(bytes: &'a mut R) -> Self {
        Self::after([], bytes)
    }

    /// The same if up to two bytes of it were read already.
    pub fn after<const N: usize>(read: [u8; N], bytes: &'a mut R) -> Self {
        let mut ahead = [0; 2];
        for (ahead, byte) in ahead.iter_mut().zip(read.iter().rev()) {
            *ahead = *byte;
        }
        Self {
            bytes,
            byte: 0,
            left: 0,
            ahead,
            waiting: N,
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        if self.waiting > 0 {
            self.waiting -= 1;
            return Ok(self.ahead[self.waiting]);
        }
        byte(self.bytes)
    }

    pub fn bit(&mut self) -> io::Result<bool> {
        if self.left == 0 {
            self.left = if self.byte == FULL { 7 } else { 8 };
            self.byte = self.byte()?;
        }
        self.left -= 1;
        Ok(self.byte >> self.left & 1 == 1)
    }

    pub fn number(&mut self, bits: u32) -> io::Result<u32> {
        let mut number = 0;
        for _ in 0..bits {
            number = number << 1 | u32::from(self.bit()?);
        }
        Ok(number)
    }

    /// How many ones there are before the next zero, at most so many.
    pub fn ones(&mut self, most: u32) -> io::Result<u32> {
        let mut ones = 0;
        while ones < most && self.bit()? {
            ones += 1;
        }
        Ok(ones)
    }

    /// Goes to the end of the byte, and over the one that follows a full one.
    pub fn finish(mut self) -> io::Result<()> {
        if self.byte == FULL {
            self.byte()?;
        }
        Ok(())
    }
}

/// The next byte.
pub fn byte(bytes: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    bytes.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_stuffed_after_a_full_byte() {
        let mut bytes = &[0b1010_0000, 0xFF, 0b0100_0000, 7][..];
        let mut bits = Bits::new(&mut bytes);
        assert_eq!(bits.number(3).unwrap(), 0b101);
        assert_eq!(bits.number(5).unwrap(), 0);
        assert_eq!(bits.ones(20).unwrap(), 9);
        bits.finish().unwrap();
        assert_eq!(bytes, [7]);
    }

    #[test]
    fn a_full_byte_at_the_end_has_a_follower() {
        let mut bytes = &[0xFF, 0, 7][..];
        let mut bits = Bits::new(&mut bytes);
        assert_eq!(bits.number(8).unwrap(), 0xFF);
        bits.finish().unwrap();
        assert_eq!(bytes, [7]);
    }
}
