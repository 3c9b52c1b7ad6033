//! CCITT bilevel coding: modified Huffman, Group 3 in one and two dimensions, Group 4 (ITU-T T.4, T.6; TIFF 6.0,
//! sections 10 and 11). The code tables are those of the `fax` crate.

use std::convert::Infallible;

use fax::maps::{self, Mode};
use fax::{BitReader, Bits as Code, Color};

use super::malformed;
use crate::decode::DecodeError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Compression 2: rows of T.4 codes that start at a byte, without end-of-line codes.
    ModifiedHuffman,
    /// Compression 3: rows after end-of-line codes, each followed by a tag bit if there are two dimensions.
    Group3 { two_dimensions: bool },
    /// Compression 4: two dimensions only.
    Group4,
}

/// The first `rows` rows, one bit a pixel, 1 for black; rows start at a byte.
pub fn decode(data: &[u8], scheme: Scheme, width: u32, rows: u32) -> Result<Vec<u8>, DecodeError> {
    let stride = width.div_ceil(8) as usize;
    let mut decoder = Decoder {
        bits: Bits { data, position: 0 },
        width,
        reference: Vec::new(),
        current: Vec::new(),
    };
    let mut out = vec![0; stride * rows as usize];
    for row in out.chunks_exact_mut(stride) {
        decoder.row(scheme)?;
        paint(row, &decoder.current, width);
    }
    Ok(out)
}

/// Sets the black pixels: those from each change at an even place to the next.
fn paint(row: &mut [u8], changes: &[u32], width: u32) {
    for run in changes.chunks(2) {
        let end = run.get(1).copied().unwrap_or(width);
        set_bits(row, run[0] as usize, end as usize);
    }
}

fn set_bits(row: &mut [u8], start: usize, end: usize) {
    let mut at = start;
    while at < end {
        let until = (at / 8 * 8 + 8).min(end);
        let ones = 0xFF_u16 << (8 - (until - at));
        row[at / 8] |= (ones as u8) >> (at % 8);
        at = until;
    }
}

struct Decoder<'a> {
    bits: Bits<'a>,
    width: u32,
    /// Where the colour changes in the row above, ascending, white before the first change.
    reference: Vec<u32>,
    current: Vec<u32>,
}

impl Decoder<'_> {
    /// Decodes the next row to `current`.
    fn row(&mut self, scheme: Scheme) -> Result<(), DecodeError> {
        std::mem::swap(&mut self.reference, &mut self.current);
        self.current.clear();
        match scheme {
            Scheme::ModifiedHuffman => {
                self.bits.align();
                self.row_1d()
            }
            Scheme::Group3 { two_dimensions } => {
                let synchronised = self.bits.skip_end_of_line();
                if !two_dimensions {
                    self.row_1d()
                } else if !synchronised {
                    Err(malformed("no end-of-line code before a row"))
                } else if self.bits.next_bit() {
                    self.row_1d()
                } else {
                    self.row_2d()
                }
            }
            Scheme::Group4 => self.row_2d(),
        }
    }

    fn row_1d(&mut self) -> Result<(), DecodeError> {
        let mut at = 0;
        let mut color = Color::White;
        while at < self.width {
            at = self.run(at, color)?;
            self.change_at(at);
            color = !color;
        }
        Ok(())
    }

    /// T.4, 4.2.1.3: a0, b1 and b2 are the names of the recommendation.
    fn row_2d(&mut self) -> Result<(), DecodeError> {
        // Before the first pixel, so that a change at pixel 0 lies to the right of it.
        let mut a0: Option<u32> = None;
        let mut color = Color::White;
        let mut cursor = 0;
        while a0.is_none_or(|a0| a0 < self.width) {
            let (b1, b2) = self.reference_changes(&mut cursor, a0, color);
            match maps::mode::decode(&mut self.bits) {
                Some(Mode::Pass) => a0 = Some(b2),
                Some(Mode::Horizontal) => {
                    let a1 = self.run(a0.unwrap_or(0), color)?;
                    self.change_at(a1);
                    let a2 = self.run(a1, !color)?;
                    self.change_at(a2);
                    a0 = Some(a2);
                }
                Some(Mode::Vertical(delta)) => {
                    let a1 = b1.checked_add_signed(i32::from(delta));
                    let a1 = a1.filter(|a1| *a1 >= a0.unwrap_or(0) && *a1 <= self.width);
                    let a1 = a1.ok_or_else(|| malformed("a fax row that goes back"))?;
                    self.change_at(a1);
                    color = !color;
                    a0 = Some(a1);
                }
                Some(Mode::Extension) => {
                    return Err(DecodeError::unsupported("CCITT uncompressed mode"));
                }
                Some(Mode::EOF) => return Err(malformed("fax data end before the last row")),
                None => return Err(malformed("an unknown fax code")),
            }
        }
        Ok(())
    }

    /// The first change right of `a0` to the colour that is not `color`, and the next change.
    fn reference_changes(&self, cursor: &mut usize, a0: Option<u32>, color: Color) -> (u32, u32) {
        let is_right = |change: &u32| a0.is_none_or(|a0| *change > a0);
        while *cursor > 0 && is_right(&self.reference[*cursor - 1]) {
            *cursor -= 1;
        }
        while self
            .reference
            .get(*cursor)
            .is_some_and(|change| !is_right(change))
        {
            *cursor += 1;
        }
        let to_black_is_even = usize::from(color == Color::Black);
        let b1 = *cursor + usize::from(*cursor % 2 != to_black_is_even);
        let change = |index: usize| self.reference.get(index).copied().unwrap_or(self.width);
        (change(b1), change(b1 + 1))
    }

    /// The end of the run that starts at `start`: make-up codes, then one terminating code below 64.
    fn run(&mut self, start: u32, color: Color) -> Result<u32, DecodeError> {
        let mut end = start;
        loop {
            let length = match color {
                Color::White => maps::white::decode(&mut self.bits),
                Color::Black => maps::black::decode(&mut self.bits),
            };
            let length = length.ok_or_else(|| malformed("an unknown fax code"))?;
            end = end.saturating_add(u32::from(length));
            if end > self.width {
                return Err(malformed("a fax row longer than the image"));
            }
            if length < 64 {
                return Ok(end);
            }
        }
    }

    /// Notes a change of colour. A run of no pixels takes the change before it back.
    fn change_at(&mut self, at: u32) {
        if self.current.last() == Some(&at) {
            self.current.pop();
        } else if at < self.width {
            self.current.push(at);
        }
    }
}

/// Bits from the highest down; after the end come zeros, which belong to no code.
struct Bits<'a> {
    data: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    fn next_bit(&mut self) -> bool {
        let bit = self.peek(1) == Some(1);
        self.position += 1;
        bit
    }

    /// Skips fill bits and an end-of-line code; says whether there was one.
    fn skip_end_of_line(&mut self) -> bool {
        const ZEROS_BEFORE_THE_ONE: u8 = 11;
        if self.peek(ZEROS_BEFORE_THE_ONE) != Some(0) {
            return false;
        }
        while self.position < self.data.len() * 8 {
            if self.next_bit() {
                return true;
            }
        }
        false
    }
}

impl BitReader for Bits<'_> {
    type Error = Infallible;

    fn peek(&self, bits: u8) -> Option<u16> {
        let byte = |offset| {
            let byte = self.data.get(self.position / 8 + offset);
            u32::from(byte.copied().unwrap_or(0))
        };
        let window = byte(0) << 16 | byte(1) << 8 | byte(2);
        let shift = 24_usize.checked_sub(self.position % 8 + usize::from(bits))?;
        Some((window >> shift & ((1 << bits) - 1)) as u16)
    }

    fn consume(&mut self, bits: u8) -> Result<(), Infallible> {
        self.position += usize::from(bits);
        Ok(())
    }

    fn expect(&mut self, code: Code) -> Result<(), Option<Code>> {
        match self.peek(code.len) {
            Some(data) if data == code.data => Ok(()),
            Some(data) => Err(Some(Code {
                data,
                len: code.len,
            })),
            None => Err(None),
        }
    }

    fn bits_to_byte_boundary(&self) -> u8 {
        (self.position.next_multiple_of(8) - self.position) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes from text of zeros and ones; spaces are for the reader.
    fn bits(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .filter(|c| *c != b' ')
            .map(|c| c - b'0')
            .collect();
        let byte = |digits: &[u8]| {
            let value = digits.iter().fold(0, |value, digit| value << 1 | digit);
            value << (8 - digits.len())
        };
        digits.chunks(8).map(byte).collect()
    }

    #[test]
    fn rows_of_modified_huffman_start_at_a_byte() {
        // White 2, black 3, white 3; then white 0, black 8.
        let data = bits("0111 10 1000 000000 00110101 000101");
        let rows = decode(&data, Scheme::ModifiedHuffman, 8, 2).unwrap();
        assert_eq!(rows, [0b0011_1000, 0xFF]);
    }

    #[test]
    fn group_3_finds_its_rows_after_fill_bits() {
        let data = bits("0000000 000000000001 0111 10 1000 00 000000000001 00110101 000101");
        let scheme = Scheme::Group3 {
            two_dimensions: false,
        };
        assert_eq!(decode(&data, scheme, 8, 2).unwrap(), [0b0011_1000, 0xFF]);
    }

    #[test]
    fn group_3_mixes_rows_of_one_and_two_dimensions() {
        // The tag bit 1: white 2, black 3, white 3. The tag bit 0: vertical 0, vertical right 1, vertical 0.
        let data = bits("000000000001 1 0111 10 1000 000000000001 0 1 011 1");
        let scheme = Scheme::Group3 {
            two_dimensions: true,
        };
        assert_eq!(
            decode(&data, scheme, 8, 2).unwrap(),
            [0b0011_1000, 0b0011_1100]
        );
    }

    #[test]
    fn group_4_passes_and_goes_vertically() {
        // Horizontal: white 2, black 3, vertical 0 to the end. Then pass and vertical 0: a white row.
        let data = bits("001 0111 10 1 0001 1");
        assert_eq!(
            decode(&data, Scheme::Group4, 8, 2).unwrap(),
            [0b0011_1000, 0]
        );
    }

    #[test]
    fn missing_rows_are_an_error_not_white() {
        let first_row_only = bits("001 0111 10 1 000000000001 000000000001");
        assert!(decode(&first_row_only, Scheme::Group4, 8, 1).is_ok());
        assert!(decode(&first_row_only, Scheme::Group4, 8, 2).is_err());
        assert!(decode(&[], Scheme::ModifiedHuffman, 8, 1).is_err());
    }

    #[test]
    fn any_bytes_end_in_rows_or_in_an_error() {
        let noise: Vec<u8> = (0..997_u32).map(|i| ((i * i * 31) >> 3) as u8).collect();
        let schemes = [
            Scheme::ModifiedHuffman,
            Scheme::Group3 {
                two_dimensions: true,
            },
            Scheme::Group4,
        ];
        for start in 0..noise.len() {
            for scheme in schemes {
                let rows = decode(&noise[start..], scheme, 19, 40);
                assert!(rows.is_err() || rows.is_ok_and(|rows| rows.len() == 120));
            }
        }
    }
}
