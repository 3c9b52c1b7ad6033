//! From the bytes of decompressed rows to samples of 8 or 16 bits that use their full range.

use std::ops::Range;

use super::ifd::ByteOrder;
use super::malformed;
use crate::decode::DecodeError;
use crate::raster::Samples;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unsigned,
    Float,
}

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub kind: Kind,
    pub bits: u8,
}

impl Format {
    /// From the values of BitsPerSample and SampleFormat (TIFF 6.0, page 80).
    pub fn new(bits: u64, sample_format: u64) -> Result<Self, DecodeError> {
        let kind = match sample_format {
            // "Undefined" is what writers say of bytes that they do not interpret.
            1 | 4 => Kind::Unsigned,
            2 => return Err(DecodeError::unsupported("TIFF with signed samples")),
            3 => Kind::Float,
            5 | 6 => return Err(DecodeError::unsupported("TIFF with complex samples")),
            _ => return Err(malformed(format!("sample format {sample_format}"))),
        };
        match (kind, bits) {
            (_, 0) => Err(malformed("samples of no bits")),
            (Kind::Unsigned, 1..=16 | 24 | 32) | (Kind::Float, 16 | 32 | 64) => Ok(Self {
                kind,
                bits: bits as u8,
            }),
            _ => {
                let feature = format!("TIFF with {kind:?} samples of {bits} bits");
                Err(DecodeError::unsupported(feature))
            }
        }
    }

    /// Whether the samples come out with 16 bits.
    pub fn is_deep(self) -> bool {
        self.bits > 8
    }

    /// Whole bytes of a sample; 0 if it is not made of whole bytes.
    pub fn bytes(self) -> usize {
        if self.bits.is_multiple_of(8) {
            usize::from(self.bits / 8)
        } else {
            0
        }
    }
}

/// What the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Intensities: brought to the full range of 8 or 16 bits.
    Full,
    /// Indexes or coded values: kept as they are.
    Keep,
}

/// Takes the same run of samples out of each row.
pub struct Unpacker {
    /// Bytes from row to row.
    pub stride: usize,
    /// The samples that are wanted of each row; they lie within the stride.
    pub take: Range<usize>,
    pub format: Format,
    pub order: ByteOrder,
    pub scale: Scale,
}

impl Unpacker {
    pub fn unpack(&self, rows: &[u8]) -> Samples {
        match (self.format.kind, self.format.bits, self.scale) {
            (Kind::Unsigned, 8, _) => Samples::U8(self.bytes(rows)),
            (Kind::Unsigned, 16, _) => Samples::U16(self.words(rows)),
            (Kind::Unsigned, bits @ 1..8, Scale::Full) => {
                Samples::U8(self.packed(rows, |value| to_full(value, bits, 0xFF) as u8))
            }
            (Kind::Unsigned, 1..8, Scale::Keep) => {
                Samples::U8(self.packed(rows, |value| value as u8))
            }
            (Kind::Unsigned, bits @ 9..16, Scale::Full) => {
                Samples::U16(self.packed(rows, |value| to_full(value, bits, 0xFFFF) as u16))
            }
            (Kind::Unsigned, 9..16, Scale::Keep) => {
                Samples::U16(self.packed(rows, |value| value as u16))
            }
            (Kind::Unsigned, bits, _) => {
                Samples::U16(self.wide(rows, |number| (number >> (bits - 16)) as u16))
            }
            (Kind::Float, 16, _) => {
                Samples::U16(self.wide(rows, |bits| unit_to_word(half(bits as u16))))
            }
            (Kind::Float, 32, _) => Samples::U16(self.wide(rows, |bits| {
                unit_to_word(f64::from(f32::from_bits(bits as u32)))
            })),
            (Kind::Float, ..) => {
                Samples::U16(self.wide(rows, |bits| unit_to_word(f64::from_bits(bits))))
            }
        }
    }

    /// The wanted bytes of each row, of samples that are whole bytes.
    fn lines<'a>(&self, rows: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let size = self.format.bytes();
        let wanted = self.take.start * size..self.take.end * size;
        rows.chunks_exact(self.stride)
            .map(move |row| &row[wanted.clone()])
    }

    fn bytes(&self, rows: &[u8]) -> Vec<u8> {
        self.lines(rows).collect::<Vec<_>>().concat()
    }

    fn words(&self, rows: &[u8]) -> Vec<u16> {
        let word = match self.order {
            ByteOrder::Little => u16::from_le_bytes,
            ByteOrder::Big => u16::from_be_bytes,
        };
        let pairs = self.lines(rows).flat_map(|line| line.as_chunks::<2>().0);
        pairs.map(|pair| word(*pair)).collect()
    }

    fn wide(&self, rows: &[u8], convert: impl Fn(u64) -> u16) -> Vec<u16> {
        self.lines(rows)
            .flat_map(|line| line.chunks_exact(self.format.bytes()))
            .map(|bytes| convert(self.order.number(bytes)))
            .collect()
    }

    /// Samples that are not whole bytes: packed from the highest bit down, whatever the byte order.
    fn packed<T>(&self, rows: &[u8], convert: impl Fn(u32) -> T) -> Vec<T> {
        let bits = usize::from(self.format.bits);
        rows.chunks_exact(self.stride)
            .flat_map(|row| self.take.clone().map(move |index| packed(row, index, bits)))
            .map(convert)
            .collect()
    }
}

fn packed(row: &[u8], index: usize, bits: usize) -> u32 {
    let start = index * bits;
    let byte = |offset| u32::from(row.get(start / 8 + offset).copied().unwrap_or(0));
    let window = byte(0) << 16 | byte(1) << 8 | byte(2);
    window >> (24 - start % 8 - bits) & ((1 << bits) - 1)
}

/// `value` of `bits` scaled to 0..=`max`, rounded.
fn to_full(value: u32, bits: u8, max: u32) -> u32 {
    let own = (1 << bits) - 1;
    (value * max + own / 2) / own
}

/// 0 to 1 on 0 to 65535; what lies outside is cut off, and what is no number is 0.
fn unit_to_word(value: f64) -> u16 {
    (value * 65535.0).round() as u16
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3FF);
    let magnitude = match bits >> 10 & 0x1F {
        0 => fraction * 2_f64.powi(-24),
        0x1F if fraction == 0.0 => f64::INFINITY,
        0x1F => f64::NAN,
        exponent => (1024.0 + fraction) * 2_f64.powi(i32::from(exponent) - 25),
    };
    sign * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(bits: u64, sample_format: u64, bytes: &[u8], count: usize) -> Samples {
        let unpacker = Unpacker {
            stride: bytes.len(),
            take: 0..count,
            format: Format::new(bits, sample_format).unwrap(),
            order: ByteOrder::Big,
            scale: Scale::Full,
        };
        unpacker.unpack(bytes)
    }

    #[test]
    fn shallow_samples_use_the_full_range() {
        assert_eq!(
            unpack(1, 1, &[0b1010_0000], 3),
            Samples::U8(vec![255, 0, 255])
        );
        assert_eq!(
            unpack(2, 1, &[0b0001_1011], 4),
            Samples::U8(vec![0, 85, 170, 255])
        );
        assert_eq!(
            unpack(4, 1, &[0x0F, 0x80], 3),
            Samples::U8(vec![0, 255, 136])
        );
    }

    #[test]
    fn twelve_bits_are_scaled_to_sixteen() {
        let samples = unpack(12, 1, &[0xFF, 0xF0, 0x00, 0x80, 0x00], 3);
        assert_eq!(samples, Samples::U16(vec![65535, 0, 32776]));
    }

    #[test]
    fn of_wide_integers_the_top_is_kept() {
        assert_eq!(
            unpack(32, 1, &[0x12, 0x34, 0x56, 0x78], 1),
            Samples::U16(vec![0x1234])
        );
        assert_eq!(
            unpack(24, 1, &[0x12, 0x34, 0x56], 1),
            Samples::U16(vec![0x1234])
        );
    }

    #[test]
    fn floats_are_cut_off_at_zero_and_one() {
        let floats = [0.5_f32, -1.0, 2.0, f32::NAN];
        let bytes: Vec<u8> = floats
            .iter()
            .flat_map(|float| float.to_be_bytes())
            .collect();
        assert_eq!(
            unpack(32, 3, &bytes, 4),
            Samples::U16(vec![32768, 0, 65535, 0])
        );
        // 0x3800 is a half, 0x0001 the smallest number, 0x7C00 infinity.
        let halves = [0x38, 0x00, 0x00, 0x01, 0x7C, 0x00];
        assert_eq!(
            unpack(16, 3, &halves, 3),
            Samples::U16(vec![32768, 0, 65535])
        );
    }

    #[test]
    fn signed_and_complex_samples_are_refused() {
        for sample_format in [2, 5, 6] {
            let result = Format::new(16, sample_format);
            assert!(matches!(result, Err(DecodeError::Unsupported(_))));
        }
    }
}
