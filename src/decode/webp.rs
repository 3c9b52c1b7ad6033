//! WebP (RFC 9649): lossy, lossless, with alpha, and of an animation the first frame.
//!
//! A frame that is to be blended is blended with the empty canvas by the library, which may make samples one smaller.

use std::io::BufReader;

use image_webp::{DecodingError, WebPDecoder};

use super::exif::Exif;
use super::whole::{Whole, buffered, read_error};
use super::{ColorModel, DecodeError, Decoder, Header, Level, Limits, SourceFormat, Unit};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::input::{Input, Reader};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};

const FORMAT: &str = "WebP";

type Webp = WebPDecoder<BufReader<Reader>>;

/// Opens a WebP: reads the list of chunks.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let mut webp = webp(input.clone())?;
    let bytes_per_pixel = bytes_per_pixel(&webp);
    limits.check_decoded(dimensions(&webp)?, bytes_per_pixel)?;
    let header = header(&mut webp)?;
    Whole::open(input, limits, header, bytes_per_pixel, decode)
}

/// Beside the samples, four bytes for the frame (lossless as RGBA, lossy as planes and alpha), and as many for the
/// canvas of an animation.
fn bytes_per_pixel(webp: &Webp) -> u64 {
    let canvas = if webp.is_animated() { 4 } else { 0 };
    layout(webp).channels() as u64 + 4 + canvas
}

fn webp(input: Input) -> Result<Webp, DecodeError> {
    let size = input.size();
    let mut webp = WebPDecoder::new(buffered(input)).map_err(error)?;
    // A chunk cannot be longer than the file, whatever it says.
    webp.set_memory_limit(usize::try_from(size).unwrap_or(usize::MAX));
    Ok(webp)
}

fn header(webp: &mut Webp) -> Result<Header, DecodeError> {
    let exif = webp
        .exif_metadata()
        .map_err(error)?
        .map(|block| Exif::parse(&block));
    Ok(Header {
        format: SourceFormat::Webp,
        levels: vec![Level {
            dimensions: dimensions(webp)?,
            scale_factor: ScaleFactor::ONE,
            tile: None,
            unit: Unit::Level,
            coding: None,
        }],
        orientation: exif.map_or(Orientation::UPRIGHT, |exif| exif.orientation),
        color: if webp.is_lossy() {
            ColorModel::YCbCr
        } else {
            ColorModel::Rgb
        },
        alpha: webp.has_alpha(),
        bit_depth: 8,
        pages: 1,
        resolution: exif.and_then(|exif| exif.resolution),
        profile: webp.icc_profile().map_err(error)?.map(Into::into),
        coding: if webp.is_lossy() { "lossy" } else { "lossless" }.to_owned(),
    })
}

fn dimensions(webp: &Webp) -> Result<Dimensions, DecodeError> {
    let (width, height) = webp.dimensions();
    // The library counts the bytes of a canvas in 32 bits.
    if u64::from(width) * u64::from(height) > u64::from(u32::MAX / 4) {
        return Err(DecodeError::unsupported(format!(
            "WebP of {width}x{height}"
        )));
    }
    Dimensions::new(width, height).ok_or_else(|| DecodeError::malformed(FORMAT, "a side of zero"))
}

fn layout(webp: &Webp) -> Layout {
    if webp.has_alpha() {
        Layout::Rgba
    } else {
        Layout::Rgb
    }
}

fn decode(input: Input) -> Result<Raster, DecodeError> {
    let mut webp = webp(input)?;
    let size = webp
        .output_buffer_size()
        .ok_or_else(|| DecodeError::malformed(FORMAT, "more pixels than memory"))?;
    let mut samples = vec![0; size];
    webp.read_image(&mut samples).map_err(error)?;
    Ok(Raster::new(
        dimensions(&webp)?,
        layout(&webp),
        Samples::U8(samples),
    ))
}

fn error(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::IoError(error) => read_error(FORMAT, error),
        DecodingError::UnsupportedFeature(feature) => {
            DecodeError::unsupported(format!("WebP with {feature}"))
        }
        error => DecodeError::malformed(FORMAT, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::{Window, exif, samples};
    use crate::geometry::Rect;

    const LIMITS: Limits = Limits {
        source_pixels: 1000,
        decoded_bytes: 10_000,
        ..Limits::DEFAULT
    };

    fn decode(bytes: Vec<u8>) -> Raster {
        let decoder = open(Arc::new(bytes), &LIMITS).unwrap();
        let rect = Rect::whole(decoder.header().stored_dimensions());
        decoder.decode(&Window { level: 0, rect }).unwrap()
    }

    #[test]
    fn lossless_samples_are_exact() {
        let raster = decode(samples::webp(image_webp::ColorType::Rgba8));
        assert_eq!(raster.layout(), Layout::Rgba);
        assert_eq!(raster.as_u8().unwrap(), samples::noise(19 * 13 * 4));
    }

    #[test]
    fn the_first_frame_lies_on_a_transparent_canvas() {
        let raster = decode(samples::animated_webp());
        let pixel = |x, y| raster.crop(Rect::new(x, y, 1, 1).unwrap());
        let first = samples::noise(3);
        assert_eq!(pixel(3, 2).as_u8().unwrap(), [0; 4]);
        assert_eq!(
            pixel(4, 2).as_u8().unwrap(),
            [first[0], first[1], first[2], 255]
        );
    }

    #[test]
    fn orientation_and_profile_are_in_the_header() {
        let still = samples::webp(image_webp::ColorType::Rgb8);
        const PROFILE_AND_EXIF: u8 = 0x28;
        let bytes = samples::riff(&[
            (b"VP8X", &[PROFILE_AND_EXIF, 0, 0, 0, 18, 0, 0, 12, 0, 0]),
            (b"ICCP", b"a profile"),
            (b"VP8L", &still[20..]),
            (b"EXIF", &exif::tests::block(6)),
        ]);
        let decoder = open(Arc::new(bytes), &LIMITS).unwrap();
        let header = decoder.header();
        assert_eq!(header.orientation.tag(), 6);
        assert_eq!(header.profile.as_deref(), Some(&b"a profile"[..]));
        assert_eq!(header.dimensions(), Dimensions::new(13, 19).unwrap());
    }

    /// K04: 16383x16383 in 25 bytes.
    #[test]
    fn a_header_that_promises_too_much_is_refused() {
        let bytes = samples::riff(&[(b"VP8L", &[0x2F, 0xFE, 0xBF, 0xFF, 0x0F])]);
        let result = open(Arc::new(bytes), &LIMITS);
        assert!(matches!(result, Err(DecodeError::TooLarge { .. })));
    }
}
