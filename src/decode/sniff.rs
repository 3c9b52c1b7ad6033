//! The format of an image, by its first bytes.

use super::{DecodeError, SourceFormat};
use crate::input::{ReadAt, read_up_to};

const LONGEST_SIGNATURE: usize = 16;

/// The format of the image.
///
/// # Errors
/// [`DecodeError::UnknownFormat`] if no signature matches.
pub fn source_format(input: &dyn ReadAt) -> Result<SourceFormat, DecodeError> {
    let start = read_up_to(input, 0, LONGEST_SIGNATURE)?;
    of_signature(&start).ok_or(DecodeError::UnknownFormat)
}

fn of_signature(start: &[u8]) -> Option<SourceFormat> {
    let format = match start {
        [0xFF, 0xD8, 0xFF, ..] => SourceFormat::Jpeg,
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => SourceFormat::Png,
        // Classic TIFF (42) and BigTIFF (43), in both byte orders.
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => SourceFormat::Tiff,
        // The signature box of the JP2 family, and a raw codestream: SOC followed by SIZ.
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
            SourceFormat::Jp2
        }
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => SourceFormat::Webp,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => SourceFormat::Gif,
        [b'B', b'M', ..] => SourceFormat::Bmp,
        [b'%', b'P', b'D', b'F', b'-', ..] => SourceFormat::Pdf,
        _ => return None,
    };
    Some(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_image() {
        assert_eq!(of_signature(b"<html>"), None);
        assert_eq!(of_signature(b""), None);
    }

    #[test]
    fn signatures_are_recognised() {
        assert_eq!(of_signature(b"MM\0\x2B"), Some(SourceFormat::Tiff));
        assert_eq!(of_signature(b"\xFF\x4F\xFF\x51"), Some(SourceFormat::Jp2));
        assert_eq!(
            of_signature(b"RIFF\0\0\0\0WEBPVP8 "),
            Some(SourceFormat::Webp)
        );
    }
}
