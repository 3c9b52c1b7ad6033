//! Makes one complete JPEG of the shared tables and an abbreviated stream (TIFF technical note 2; ITU-T T.81, B.5).

use crate::decode::Resolution;
use crate::ffi::turbojpeg::ColorSpace;

/// What the decoder has to undo: the photometric tag decides, whatever the stream says or leaves to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    None,
    YCbCr,
}

const START: [u8; 2] = [0xFF, 0xD8];

/// The stream with the tables in front and an Adobe marker that names the transform. Application markers are left
/// out: a JFIF marker would make the decoder take any three components for Y'CbCr.
pub fn splice(tables: &[u8], stream: &[u8], transform: Transform) -> Vec<u8> {
    with_header(&adobe_marker(transform), tables, stream)
}

/// A stream with this header and the tables in front.
pub fn with_header(header: &[u8], tables: &[u8], stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(START.len() + header.len() + tables.len() + stream.len());
    out.extend(START);
    out.extend(header);
    copy_segments(tables, &mut out);
    let scan = copy_segments(stream, &mut out);
    out.extend(&stream[scan..]);
    out
}

/// The stream up to its end marker; `None` if it has none, so that something is missing. Some writers pad streams.
pub fn whole(stream: &[u8]) -> Option<&[u8]> {
    const END: [u8; 2] = [0xFF, 0xD9];
    let padding = stream.iter().rev().take_while(|byte| **byte == 0).count();
    let stream = &stream[..stream.len() - padding];
    stream.ends_with(&END).then_some(stream)
}

/// Says that one component is gray and three are Y'CbCr (ITU-T T.871, 10.1), and how many pixels are an inch.
pub fn jfif_marker(resolution: Option<Resolution>) -> [u8; 18] {
    const PER_INCH: u8 = 1;
    let density = |value: f64| (value.round() as u16).to_be_bytes();
    let (units, [x0, x1], [y0, y1]) = match resolution {
        Some(resolution) => (PER_INCH, density(resolution.x), density(resolution.y)),
        // An aspect ratio.
        None => (0, [0, 1], [0, 1]),
    };
    [
        0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, units, x0, x1, y0, y1, 0, 0,
    ]
}

/// Adobe technical note 5116, section 18.
pub fn adobe_marker(transform: Transform) -> [u8; 16] {
    let code = match transform {
        Transform::None => 0,
        Transform::YCbCr => 1,
    };
    [
        0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, code,
    ]
}

/// Copies the marker segments, all but application data, up to the first scan or the end; returns where that is.
fn copy_segments(jpeg: &[u8], out: &mut Vec<u8>) -> usize {
    let mut at = if jpeg.starts_with(&START) { 2 } else { 0 };
    while let Some([0xFF, marker, rest @ ..]) = jpeg.get(at..) {
        let length = match (marker, rest) {
            // A fill byte: the next one may be the marker.
            (0xFF, _) => {
                at += 1;
                continue;
            }
            (0xD9 | 0xDA, _) => return at,
            (_, [high, low, ..]) => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return at,
        };
        let Some(segment) = jpeg.get(at..at + 2 + length) else {
            return at;
        };
        if !(0xE0..=0xEF).contains(marker) {
            out.extend(segment);
        }
        at += segment.len();
    }
    at.min(jpeg.len())
}

pub fn channels(color_space: ColorSpace) -> usize {
    match color_space {
        ColorSpace::Gray => 1,
        ColorSpace::Rgb | ColorSpace::YCbCr => 3,
        ColorSpace::Cmyk | ColorSpace::Ycck => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_first_and_application_data_go() {
        let tables = [0xFF, 0xD8, 0xFF, 0xDB, 0, 3, 7, 0xFF, 0xD9];
        let stream = [
            0xFF, 0xD8, 0xFF, 0xE0, 0, 3, 9, 0xFF, 0xC0, 0, 3, 8, 0xFF, 0xDA, 1, 2, 3,
        ];
        let spliced = splice(&tables, &stream, Transform::YCbCr);
        let (marker, rest) = spliced.split_at(18);
        assert_eq!(marker[17], 1);
        assert_eq!(
            rest,
            [
                0xFF, 0xDB, 0, 3, 7, 0xFF, 0xC0, 0, 3, 8, 0xFF, 0xDA, 1, 2, 3
            ]
        );
    }

    #[test]
    fn streams_that_end_anywhere_are_spliced_to_something() {
        let stream = [0xFF, 0xD8, 0xFF, 0xFF, 0xC0, 0, 3, 8, 0xFF, 0xDA, 1];
        for length in 0..stream.len() {
            assert!(splice(&[], &stream[..length], Transform::None).len() >= 18);
        }
    }
}
