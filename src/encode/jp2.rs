//! JP2 files, lossless.

use crate::ffi::openjpeg::{self, Coded, Encoding, Plane};
use crate::geometry::Dimensions;
use crate::raster::{Layout, Raster};

/// Decomposition levels at most; five bring 16,000 pixels down to 500.
const MOST_LEVELS: u8 = 5;
/// A level smaller than this is not worth its packets.
const SMALLEST_SIDE: u32 = 32;

/// Why a raster has no JP2 file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller converts before it encodes.
    #[error("JP2 of {0}")]
    Unsupported(&'static str),
    #[error("JPEG 2000 encoding failed")]
    Codec(#[from] openjpeg::Error),
}

/// Encodes a gray or RGB raster of 8 bits, with or without alpha, as sRGB or the gray of the same curve; exactly, with
/// the reversible transforms. `dots_per_inch` is written as the capture resolution.
///
/// # Errors
/// If the raster is of another kind.
pub fn encode(raster: &Raster, dots_per_inch: Option<u32>) -> Result<Vec<u8>, Error> {
    let samples = raster
        .as_u8()
        .ok_or(Error::Unsupported("more than 8 bits"))?;
    let layout = raster.layout();
    if layout == Layout::Cmyk {
        return Err(Error::Unsupported("CMYK"));
    }
    let planes: Vec<_> = (0..layout.channels())
        .map(|channel| plane(samples, channel, layout.channels()))
        .collect();
    let dimensions = raster.dimensions();
    let codestream = openjpeg::encode(&planes, dimensions, &encoding(dimensions, layout))?;
    Ok(file(dimensions, layout, dots_per_inch, &codestream))
}

fn plane(samples: &[u8], channel: usize, channels: usize) -> Plane {
    let own = samples.iter().skip(channel).step_by(channels);
    Plane {
        step: (1, 1),
        precision: 8,
        signed: false,
        samples: own.map(|&sample| i32::from(sample)).collect(),
    }
}

fn encoding(dimensions: Dimensions, layout: Layout) -> Encoding {
    let shortest = dimensions.width().min(dimensions.height());
    let levels = (0..MOST_LEVELS)
        .take_while(|level| shortest >> level >= 2 * SMALLEST_SIDE)
        .count();
    Encoding {
        coded: Coded::Lossless,
        resolutions: u8::try_from(levels).unwrap_or(MOST_LEVELS) + 1,
        color_transform: matches!(layout, Layout::Rgb | Layout::Rgba),
        origin: (0, 0),
        tile: None,
        precinct: None,
    }
}

/// The boxes of a JP2 file (ISO/IEC 15444-1, annex I) around a codestream.
fn file(
    dimensions: Dimensions,
    layout: Layout,
    dots_per_inch: Option<u32>,
    codestream: &[u8],
) -> Vec<u8> {
    let mut header = vec![image_header(dimensions, layout), color(layout)];
    header.extend(layout.has_alpha().then(|| definitions(layout)));
    header.extend(dots_per_inch.map(resolution));
    let mut file = boxed(b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]);
    file.extend(boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "));
    file.extend(boxed(b"jp2h", &header.concat()));
    file.extend(codestream_box(codestream));
    file
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = 8 + content.len() as u32;
    [&length.to_be_bytes()[..], kind, content].concat()
}

/// The last box: a length of zero says that it reaches to the end, so that no codestream is too long for it.
fn codestream_box(codestream: &[u8]) -> Vec<u8> {
    [&[0; 4][..], b"jp2c", codestream].concat()
}

fn image_header(dimensions: Dimensions, layout: Layout) -> Vec<u8> {
    const EIGHT_BITS: u8 = 7;
    const JPEG_2000: u8 = 7;
    let mut content = Vec::new();
    content.extend(dimensions.height().to_be_bytes());
    content.extend(dimensions.width().to_be_bytes());
    content.extend([0, layout.channels() as u8, EIGHT_BITS, JPEG_2000, 0, 0]);
    boxed(b"ihdr", &content)
}

fn color(layout: Layout) -> Vec<u8> {
    const ENUMERATED: u8 = 1;
    const SRGB: u8 = 16;
    const GRAY: u8 = 17;
    let space = match layout {
        Layout::Gray | Layout::GrayAlpha => GRAY,
        Layout::Rgb | Layout::Rgba | Layout::Cmyk => SRGB,
    };
    boxed(b"colr", &[ENUMERATED, 0, 0, 0, 0, 0, space])
}

/// The colours in order, then the opacity of the whole image (I.5.3.6).
fn definitions(layout: Layout) -> Vec<u8> {
    let last = layout.channels() as u16 - 1;
    let mut content = (last + 1).to_be_bytes().to_vec();
    for channel in 0..=last {
        let (kind, association) = if channel == last {
            (1, 0)
        } else {
            (0, channel + 1)
        };
        let fields: [u16; 3] = [channel, kind, association];
        content.extend(fields.map(u16::to_be_bytes).concat());
    }
    boxed(b"cdef", &content)
}

/// Points per metre as a fraction: an inch is 254 / 10,000 metres.
fn resolution(dots_per_inch: u32) -> Vec<u8> {
    let dots = u16::try_from(dots_per_inch).unwrap_or(u16::MAX);
    let fraction = [dots, 254].map(u16::to_be_bytes).concat();
    let content = [&fraction[..], &fraction, &[4, 4]].concat();
    boxed(b"res ", &boxed(b"resc", &content))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::{self, Limits, Window};
    use crate::geometry::Rect;
    use crate::raster::Samples;

    const LIMITS: Limits = Limits {
        source_pixels: 1 << 20,
        decoded_bytes: 1 << 26,
        ..Limits::DEFAULT
    };

    fn raster(width: u32, height: u32, layout: Layout) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        let count = dimensions.area() as usize * layout.channels();
        let samples = (0..count).map(|index| (index * index / 7 % 251) as u8);
        Raster::new(dimensions, layout, Samples::U8(samples.collect()))
    }

    #[test]
    fn every_size_and_layout_comes_back_exactly() {
        let layouts = [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba];
        for (width, height) in [(1, 1), (3, 2), (1, 200), (130, 97)] {
            for layout in layouts {
                let raster = raster(width, height, layout);
                let file = encode(&raster, Some(300)).unwrap();
                assert_eq!(file[..8], *b"\0\0\0\x0CjP  ");
                let decoder = decode::open(Arc::new(file), &LIMITS).unwrap();
                assert_eq!(decoder.header().alpha, layout.has_alpha());
                assert_eq!(decoder.header().profile, None);
                let rect = Rect::whole(raster.dimensions());
                let decoded = decoder.decode(&Window { level: 0, rect }).unwrap();
                assert_eq!(decoded, raster);
            }
        }
    }

    #[test]
    fn the_resolution_comes_back() {
        let file = encode(&raster(2, 2, Layout::Gray), Some(300)).unwrap();
        let decoder = decode::open(Arc::new(file), &LIMITS).unwrap();
        let resolution = decoder.header().resolution.unwrap();
        assert!((resolution.x - 300.0).abs() < 1e-9, "{resolution:?}");
    }

    #[test]
    fn large_images_have_levels() {
        let file = encode(&raster(300, 128, Layout::Gray), None).unwrap();
        let decoder = decode::open(Arc::new(file), &LIMITS).unwrap();
        assert_eq!(decoder.header().levels.len(), 3);
    }

    #[test]
    fn ink_is_refused() {
        assert!(encode(&raster(2, 2, Layout::Cmyk), None).is_err());
    }
}
