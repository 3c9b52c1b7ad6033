//! Width and height from the header of a JPEG or PNG, if the end is there too.

const JPEG_END: [u8; 2] = [0xff, 0xd9];
const PNG_END: &[u8] = b"IEND\xaeB`\x82";

/// Nothing if it is neither of them or not whole.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        bytes.ends_with(PNG_END).then(|| png(bytes))?
    } else {
        bytes.ends_with(&JPEG_END).then(|| jpeg(bytes))?
    }
}

/// IHDR is the first chunk (PNG, section 11.2.1).
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((side(16)?, side(20)?))
}

/// Walks the segments up to the frame header (ITU-T T.81, B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let two = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        let marker = two(at)?;
        match marker {
            // Fill bytes.
            0xffff => at += 1,
            // Define Huffman tables, reserved, define arithmetic coding: no frame headers.
            0xffc4 | 0xffc8 | 0xffcc => at += 2 + usize::from(two(at + 2)?),
            0xffc0..=0xffcf => return Some((two(at + 7)?.into(), two(at + 5)?.into())),
            0xff01..=0xfffe => at += 2 + usize::from(two(at + 2)?),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG of 258x3: Huffman tables (a marker among those of frame headers), a fill byte, the frame header.
    const JPEG: &[u8] = b"\xff\xd8\xff\xc4\x00\x03\x00\xff\xff\xc2\x00\x0b\x08\x00\x03\x01\x02\x01\x01\x11\x00\xff\xd9";

    #[test]
    fn the_frame_header_of_a_jpeg_says_the_dimensions() {
        assert_eq!(dimensions(JPEG), Some((258, 3)));
    }

    #[test]
    fn a_jpeg_without_its_end_is_not_whole() {
        assert_eq!(dimensions(&JPEG[..JPEG.len() - 1]), None);
    }

    #[test]
    fn what_is_neither_jpeg_nor_png_has_no_dimensions() {
        assert_eq!(dimensions(b"no such image\xff\xd9"), None);
        assert_eq!(dimensions(b""), None);
    }
}
