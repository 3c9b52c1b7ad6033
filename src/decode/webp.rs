//! WebP (RFC 9649): lossy, lossless, with alpha, and of an animation the first frame.

use std::io::BufReader;

use image_webp::{DecodingError, WebPDecoder};

use super::exif::Exif;
use super::whole::{Whole, buffered, read_error};
use super::{ColorModel, DecodeError, Decoder, Header, Level, Limits, SourceFormat};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::input::{Input, Reader};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};

const FORMAT: &str = "WebP";

type Webp = WebPDecoder<BufReader<Reader>>;

/// Opens a WebP: reads the list of chunks.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let mut webp = webp(input.clone())?;
    // Beside the samples, four bytes per pixel for the frame: lossless as RGBA, lossy as planes and alpha.
    let bytes_per_pixel = layout(&webp).channels() as u64 + 4;
    limits.check_decoded(dimensions(&webp)?, bytes_per_pixel)?;
    let header = header(&mut webp)?;
    Whole::open(input, limits, header, bytes_per_pixel, decode)
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
