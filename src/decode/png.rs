//! PNG (W3C PNG Specification, third edition), and of APNG the default image.
//!
//! Palettes and samples of less than 8 bits are expanded, and `tRNS` becomes an alpha channel. `gAMA` and `cHRM` are
//! not applied: without a profile samples are taken as sRGB, as browsers do with the values that are written in
//! practice. `eXIf` is read where it precedes the pixels, as encoders write it.

use png::{BitDepth, ColorType, DecodingError, Info, Transformations, Unit};

use super::exif::{self, Exif};
use super::whole::{Whole, buffered, read_error};
use super::{ColorModel, DecodeError, Decoder, Header, Level, Limits, Resolution, SourceFormat};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::input::{Input, Reader};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};

const FORMAT: &str = "PNG";

/// Bytes for profiles and the like, which are compressed and thus may be much larger than the file.
const METADATA: usize = 16 * 1024 * 1024;
/// Bytes of a pixel; the library keeps one line.
const LARGEST_PIXEL: usize = 8;

type PngReader = png::Reader<std::io::BufReader<Reader>>;

/// Opens a PNG: reads the chunks before the pixels.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let reader = reader(input.clone())?;
    let header = header(reader.info())?;
    let (_, depth) = reader.output_color_type();
    let bytes_per_sample = if depth == BitDepth::Sixteen { 2 } else { 1 };
    let bytes = layout(&reader)?.channels() as u64 * bytes_per_sample;
    // The samples as read, and for 16 bits once more in the byte order of the machine.
    Whole::open(input, limits, header, bytes * bytes_per_sample, decode)
}

fn reader(input: Input) -> Result<PngReader, DecodeError> {
    let mut decoder = png::Decoder::new(buffered(input));
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let width = decoder.read_header_info().map_err(error)?.width as usize;
    decoder.set_limits(png::Limits {
        bytes: METADATA + width.saturating_mul(LARGEST_PIXEL),
    });
    decoder.read_info().map_err(error)
}

fn header(info: &Info<'_>) -> Result<Header, DecodeError> {
    let dimensions = Dimensions::new(info.width, info.height)
        .ok_or_else(|| DecodeError::malformed(FORMAT, "a side of zero"))?;
    let exif = info.exif_metadata.as_deref().map(Exif::parse);
    Ok(Header {
        format: SourceFormat::Png,
        levels: vec![Level {
            dimensions,
            scale_factor: ScaleFactor::ONE,
            tile: None,
            unit: super::Unit::Level,
            coding: None,
        }],
        orientation: exif.map_or(Orientation::UPRIGHT, |exif| exif.orientation),
        color: color(info),
        alpha: has_alpha(info),
        bit_depth: info.bit_depth as u8,
        pages: 1,
        resolution: resolution(info).or_else(|| exif.and_then(|exif| exif.resolution)),
        profile: info.icc_profile.as_deref().map(Into::into),
        coding: if info.interlaced {
            "Deflate, interlaced"
        } else {
            "Deflate"
        }
        .to_owned(),
    })
}

fn color(info: &Info<'_>) -> ColorModel {
    match info.color_type {
        ColorType::Grayscale if info.bit_depth == BitDepth::One => ColorModel::Bilevel,
        ColorType::Grayscale | ColorType::GrayscaleAlpha => ColorModel::Gray,
        ColorType::Indexed => ColorModel::Palette,
        ColorType::Rgb | ColorType::Rgba => ColorModel::Rgb,
    }
}

fn has_alpha(info: &Info<'_>) -> bool {
    matches!(info.color_type, ColorType::GrayscaleAlpha | ColorType::Rgba) || info.trns.is_some()
}

fn resolution(info: &Info<'_>) -> Option<Resolution> {
    const METRES_PER_INCH: f64 = 0.0254;
    let per_metre = info
        .pixel_dims
        .filter(|density| density.unit == Unit::Meter)?;
    exif::resolution(
        f64::from(per_metre.xppu) * METRES_PER_INCH,
        f64::from(per_metre.yppu) * METRES_PER_INCH,
    )
}

fn layout(reader: &PngReader) -> Result<Layout, DecodeError> {
    match reader.output_color_type().0 {
        ColorType::Grayscale => Ok(Layout::Gray),
        ColorType::GrayscaleAlpha => Ok(Layout::GrayAlpha),
        ColorType::Rgb => Ok(Layout::Rgb),
        ColorType::Rgba => Ok(Layout::Rgba),
        ColorType::Indexed => Err(DecodeError::malformed(FORMAT, "no palette")),
    }
}

fn decode(input: Input) -> Result<Raster, DecodeError> {
    let mut reader = reader(input)?;
    let layout = layout(&reader)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| DecodeError::malformed(FORMAT, "more pixels than memory"))?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(error)?;
    let info = reader.info();
    // The default image of an APNG may be a frame of the animation, which then must fill the canvas.
    let dimensions = Dimensions::new(frame.width, frame.height)
        .filter(|frame| (frame.width(), frame.height()) == (info.width, info.height))
        .ok_or_else(|| {
            DecodeError::malformed(FORMAT, "a first frame that is not the whole image")
        })?;
    Ok(Raster::new(
        dimensions,
        layout,
        samples(bytes, frame.bit_depth),
    ))
}

fn samples(bytes: Vec<u8>, depth: BitDepth) -> Samples {
    if depth != BitDepth::Sixteen {
        return Samples::U8(bytes);
    }
    let (pairs, _) = bytes.as_chunks();
    Samples::U16(pairs.iter().copied().map(u16::from_be_bytes).collect())
}

fn error(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::IoError(error) => read_error(FORMAT, error),
        error => DecodeError::malformed(FORMAT, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::{Window, samples};
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
    fn few_bits_are_stretched_to_eight() {
        let raster = decode(samples::png(
            ColorType::Grayscale,
            BitDepth::Two,
            (4, 1),
            &[0b0001_1011],
        ));
        assert_eq!(raster.layout(), Layout::Gray);
        assert_eq!(raster.as_u8().unwrap(), [0, 85, 170, 255]);
    }

    #[test]
    fn a_palette_with_transparency_becomes_rgba() {
        let bytes = samples::png(ColorType::Indexed, BitDepth::Four, (2, 1), &[0x0F]);
        assert!(
            open(Arc::new(bytes.clone()), &LIMITS)
                .unwrap()
                .header()
                .alpha
        );
        let raster = decode(bytes);
        assert_eq!(raster.layout(), Layout::Rgba);
        assert_eq!(raster.as_u8().unwrap(), [0, 255, 7, 0, 15, 240, 7, 255]);
    }

    #[test]
    fn sixteen_bits_stay() {
        let data = [0x12, 0x34, 0xFF, 0xFE];
        let raster = decode(samples::png(
            ColorType::Grayscale,
            BitDepth::Sixteen,
            (2, 1),
            &data,
        ));
        assert_eq!(*raster.samples(), Samples::U16(vec![0x1234, 0xFFFE]));
    }

    #[test]
    fn orientation_resolution_and_profile_are_in_the_header() {
        let mut info = Info::with_size(2, 1);
        info.color_type = ColorType::Grayscale;
        info.pixel_dims = Some(png::PixelDimensions {
            xppu: 10_000,
            yppu: 20_000,
            unit: Unit::Meter,
        });
        info.exif_metadata = Some(exif::tests::block(8).into());
        info.icc_profile = Some(b"a profile".into());
        let mut bytes = Vec::new();
        let mut writer = png::Encoder::with_info(&mut bytes, info)
            .unwrap()
            .write_header()
            .unwrap();
        writer.write_image_data(&[1, 2]).unwrap();
        writer.finish().unwrap();

        let decoder = open(Arc::new(bytes), &LIMITS).unwrap();
        let header = decoder.header();
        assert_eq!(header.orientation.tag(), 8);
        assert_eq!(header.resolution, Some(Resolution { x: 254.0, y: 508.0 }));
        assert_eq!(header.profile.as_deref(), Some(&b"a profile"[..]));
    }

    /// K04: a header that says 67 megapixels, without data to match.
    #[test]
    fn a_header_that_promises_too_much_is_refused() {
        let mut bytes = samples::png(ColorType::Grayscale, BitDepth::Eight, (1, 1), &[0]);
        bytes[16..24].copy_from_slice(&[0, 0, 0x20, 0, 0, 0, 0x20, 0]);
        let crc = crc32(&bytes[12..29]).to_be_bytes();
        bytes[29..33].copy_from_slice(&crc);
        let result = open(Arc::new(bytes), &LIMITS);
        assert!(
            matches!(
                result,
                Err(DecodeError::TooLarge {
                    value: 67_108_864,
                    ..
                })
            ),
            "{:?}",
            result.err()
        );
    }

    /// The checksum of a chunk (PNG, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
            })
        })
    }
}
