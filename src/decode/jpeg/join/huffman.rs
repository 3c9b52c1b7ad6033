//! Huffman tables (ITU-T T.81, annex C), for looking at codes without caring for most of their values.

use super::bits::Writer;

/// Bits of a code that are looked up at once; longer codes are rare.
const LOOKUP: u32 = 11;
const LONGEST: u32 = 16;

/// A table as it stands in the stream: how many codes there are of each length, and their symbols.
pub struct Table {
    /// For each beginning of `LOOKUP` bits the code in it: its length and its symbol; length 0 if it is longer.
    lookup: Vec<(u8, u8)>,
    /// For each length the first code after the last of that length, at the top of 16 bits, and what has to be added
    /// to a code to find its symbol.
    ends: [(u32, i32); LONGEST as usize + 1],
    symbols: Vec<u8>,
    /// For each symbol its code and the length of it, 0 if it has none.
    codes: Vec<(u16, u8)>,
}

impl Table {
    /// `counts` of the lengths from 1 to 16. `None` if there are more codes than fit.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: vec![(0, 0); 1 << LOOKUP],
            ends: [(0, 0); LONGEST as usize + 1],
            symbols: symbols.to_vec(),
            codes: vec![(0, 0); 256],
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, count) in (1..=LONGEST).zip(counts) {
            let offset = index as i32 - code as i32;
            for symbol in symbols.get(index..index + usize::from(*count))? {
                table.add(code, length, *symbol)?;
                code += 1;
            }
            index += usize::from(*count);
            table.ends[length as usize] = (code << (LONGEST - length), offset);
            code <<= 1;
        }
        Some(table)
    }

    fn add(&mut self, code: u32, length: u32, symbol: u8) -> Option<()> {
        if code >= 1 << length {
            return None;
        }
        self.codes[usize::from(symbol)] = (code as u16, length as u8);
        if length <= LOOKUP {
            let free = LOOKUP - length;
            let first = (code << free) as usize;
            self.lookup[first..first + (1 << free)].fill((length as u8, symbol));
        }
        Some(())
    }

    /// The length and symbol of the code at the top of these bits; length 0 if there is none.
    pub fn decode(&self, bits: u64) -> (u32, u8) {
        let (length, symbol) = self.lookup[(bits >> (64 - LOOKUP)) as usize];
        if length != 0 {
            return (u32::from(length), symbol);
        }
        self.decode_long((bits >> (64 - LONGEST)) as u32)
    }

    #[cold]
    fn decode_long(&self, bits: u32) -> (u32, u8) {
        for length in LOOKUP + 1..=LONGEST {
            let (end, offset) = self.ends[length as usize];
            if bits < end {
                let index = (bits >> (LONGEST - length)) as i32 + offset;
                let symbol = usize::try_from(index).ok();
                return symbol
                    .and_then(|index| self.symbols.get(index))
                    .map_or((0, 0), |symbol| (length, *symbol));
            }
        }
        (0, 0)
    }

    /// Writes a DC difference (F.1.2.1). `None` if the table has no code for numbers of its size.
    pub fn encode(&self, difference: i32, writer: &mut Writer) -> Option<()> {
        let size = i32::BITS - difference.unsigned_abs().leading_zeros();
        let (code, length) = *self.codes.get(size as usize)?;
        if length == 0 {
            return None;
        }
        let value = difference - i32::from(difference < 0);
        let value = u64::from(value.cast_unsigned()) & ((1 << size) - 1);
        writer.push(u64::from(code), u32::from(length));
        writer.push(value, size);
        Some(())
    }
}

/// The number that `size` bits at the top of these bits mean (F.2.2.1, EXTEND).
pub fn number(bits: u64, size: u32) -> i32 {
    if size == 0 {
        return 0;
    }
    let value = (bits >> (64 - size)) as i32;
    if bits >> 63 == 1 {
        value
    } else {
        value - (1 << size) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::Bits;
    use super::*;

    /// The table for DC coefficients of luminance (T.81, table K.3).
    fn luminance() -> Table {
        let counts = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let symbols: Vec<u8> = (0..12).collect();
        Table::new(&counts, &symbols).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let table = luminance();
        // Size 0 is 00, 5 is 110, 11 is 1 1111 1110.
        assert_eq!(table.decode(0), (2, 0));
        assert_eq!(table.decode(0b110 << 61), (3, 5));
        assert_eq!(table.decode(0b1_1111_1110 << 55), (9, 11));
        assert_eq!(table.decode(u64::MAX), (0, 0), "no code has only ones");
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let table = luminance();
        for difference in [0, 1, -1, 2, -3, 255, -256, 2047, -2047] {
            let mut writer = Writer::default();
            table.encode(difference, &mut writer).unwrap();
            let bits = Bits::unstuffed(&writer.finish()).unwrap();
            let (length, size) = table.decode(bits.look(0));
            let found = number(bits.look(length as usize), u32::from(size));
            assert_eq!(found, difference);
        }
        assert!(table.encode(4096, &mut Writer::default()).is_none());
    }

    /// One code of each length: 0, 10, 110 and so on.
    #[test]
    fn long_codes_are_found() {
        let symbols: Vec<u8> = (100..116).collect();
        let table = Table::new(&[1; 16], &symbols).unwrap();
        for length in 1..=16_u32 {
            let code = !(u64::MAX >> (length - 1));
            assert_eq!(table.decode(code), (length, 99 + length as u8));
        }
    }

    #[test]
    fn more_codes_than_fit_are_refused() {
        assert!(
            Table::new(
                &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                &[1, 2, 3]
            )
            .is_none()
        );
        assert!(Table::new(&[1; 16], &[1]).is_none(), "too few symbols");
    }
}
