//! The two facts of EXIF that concern an image server: orientation and resolution.
//!
//! EXIF is a small TIFF file (Exif 2.32, section 4.5). It comes from cameras and editors of every quality, and pixels
//! can be decoded without it: what cannot be read is taken as not said, never as an error.

use super::Resolution;
use crate::orientation::Orientation;

/// What EXIF says of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exif {
    pub orientation: Orientation,
    pub resolution: Option<Resolution>,
}

impl Default for Exif {
    fn default() -> Self {
        Self {
            orientation: Orientation::UPRIGHT,
            resolution: None,
        }
    }
}

const ORIENTATION: u16 = 0x0112;
const X_RESOLUTION: u16 = 0x011A;
const Y_RESOLUTION: u16 = 0x011B;
const RESOLUTION_UNIT: u16 = 0x0128;

const SHORT: u16 = 3;
const RATIONAL: u16 = 5;

impl Exif {
    /// Reads the block, with or without the `Exif\0\0` that JPEG puts before it and some WebP writers do too.
    pub fn parse(block: &[u8]) -> Self {
        let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        Directory::first(tiff).map_or_else(Self::default, |directory| Self {
            orientation: directory
                .short(ORIENTATION)
                .map_or(Orientation::UPRIGHT, Orientation::from_tag),
            resolution: directory.resolution(),
        })
    }
}

/// Pixels per inch, if they can be: writers that do not know the resolution write zeros.
pub fn resolution(x: f64, y: f64) -> Option<Resolution> {
    let possible = |density: f64| density.is_finite() && density > 0.0;
    (possible(x) && possible(y)).then_some(Resolution { x, y })
}

/// The first image file directory (TIFF 6.0, section 2).
struct Directory<'a> {
    tiff: &'a [u8],
    big_endian: bool,
    entries: &'a [u8],
}

const ENTRY: usize = 12;

impl<'a> Directory<'a> {
    fn first(tiff: &'a [u8]) -> Option<Self> {
        let big_endian = match tiff.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let mut directory = Self {
            tiff,
            big_endian,
            entries: &[],
        };
        let offset = directory.u32_of(tiff.get(4..)?)? as usize;
        let at_count = tiff.get(offset..)?;
        let count = usize::from(directory.u16_of(at_count)?);
        let entries = at_count.get(2..)?;
        directory.entries = &entries[..entries.len().min(count * ENTRY)];
        Some(directory)
    }

    fn resolution(&self) -> Option<Resolution> {
        const CENTIMETRE: u16 = 3;
        const INCH: u16 = 2;
        let per_inch = match self.short(RESOLUTION_UNIT).unwrap_or(INCH) {
            INCH => 1.0,
            CENTIMETRE => 2.54,
            _ => return None,
        };
        let x = self.rational(X_RESOLUTION)? * per_inch;
        let y = self.rational(Y_RESOLUTION)? * per_inch;
        resolution(x, y)
    }

    fn short(&self, tag: u16) -> Option<u16> {
        self.u16_of(self.value(tag, SHORT)?)
    }

    fn rational(&self, tag: u16) -> Option<f64> {
        let offset = self.u32_of(self.value(tag, RATIONAL)?)? as usize;
        let value = self.tiff.get(offset..)?;
        let numerator = self.u32_of(value)?;
        let denominator = self.u32_of(value.get(4..)?)?;
        Some(f64::from(numerator) / f64::from(denominator))
    }

    /// The four bytes that are the value, or the offset of one that is longer.
    fn value(&self, tag: u16, kind: u16) -> Option<&'a [u8]> {
        let entry = self.entries.chunks_exact(ENTRY).find(|entry| {
            self.u16_of(entry) == Some(tag) && self.u16_of(&entry[2..]) == Some(kind)
        })?;
        Some(&entry[8..])
    }

    fn u16_of(&self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn u32_of(&self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
}

#[cfg(test)]
pub(in crate::decode) mod tests {
    use super::*;

    /// A big-endian block with this orientation and 300 pixels per inch.
    pub fn block(orientation: u8) -> Vec<u8> {
        let mut block = b"MM\0*\0\0\0\x08\0\x04".to_vec();
        block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
        block.extend([0x01, 0x1A, 0, 5, 0, 0, 0, 1, 0, 0, 0, 62]);
        block.extend([0x01, 0x1B, 0, 5, 0, 0, 0, 1, 0, 0, 0, 62]);
        block.extend([0x01, 0x28, 0, 3, 0, 0, 0, 1, 0, 2, 0, 0]);
        block.extend([0, 0, 0, 0]);
        block.extend([0, 0, 2, 88, 0, 0, 0, 2]);
        block
    }

    #[test]
    fn orientation_and_resolution_are_read() {
        let exif = Exif::parse(&block(6));
        assert_eq!(exif.orientation.tag(), 6);
        assert_eq!(exif.resolution, Some(Resolution { x: 300.0, y: 300.0 }));
    }

    #[test]
    fn both_byte_orders_and_the_prefix_of_jpeg_are_understood() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0";
        assert_eq!(Exif::parse(little).orientation.tag(), 3);
        let prefixed = [&b"Exif\0\0"[..], little].concat();
        assert_eq!(Exif::parse(&prefixed).orientation.tag(), 3);
    }

    #[test]
    fn a_damaged_block_says_nothing() {
        let whole = block(8);
        assert_eq!(Exif::parse(&whole[..9]), Exif::default());
        for length in 0..whole.len() {
            assert_eq!(Exif::parse(&whole[..length]).resolution, None, "{length}");
        }
        let mut zero_denominator = whole;
        *zero_denominator.last_mut().unwrap() = 0;
        assert_eq!(Exif::parse(&zero_denominator).resolution, None);
    }
}
