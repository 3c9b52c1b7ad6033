//! BMP: Windows and OS/2 bitmaps of 1 to 32 bits, also run-length coded.

use std::io::BufReader;

use image::codecs::bmp::BmpDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::exif;
use super::whole::{Whole, buffered, read_error};
use super::{
    ColorModel, DecodeError, Decoder, Header, Level, Limits, Resolution, SourceFormat, Unit,
};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::input::{Input, ReadAt, Reader, read_up_to};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};

const FORMAT: &str = "BMP";

type Bmp = BmpDecoder<BufReader<Reader>>;

/// Opens a BMP: reads the headers and the palette.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let bmp = bmp(input.clone())?;
    let layout = layout(&bmp)?;
    let header = header(&bmp, layout, &Fields::read(&*input)?)?;
    Whole::open(input, limits, header, layout.channels() as u64, decode)
}

fn bmp(input: Input) -> Result<Bmp, DecodeError> {
    BmpDecoder::new(buffered(input)).map_err(error)
}

fn header(bmp: &Bmp, layout: Layout, fields: &Fields) -> Result<Header, DecodeError> {
    Ok(Header {
        format: SourceFormat::Bmp,
        levels: vec![Level {
            dimensions: dimensions(bmp)?,
            scale_factor: ScaleFactor::ONE,
            tile: None,
            unit: Unit::Level,
            coding: None,
        }],
        orientation: Orientation::UPRIGHT,
        color: if fields.bits <= 8 {
            ColorModel::Palette
        } else {
            ColorModel::Rgb
        },
        alpha: layout.has_alpha(),
        bit_depth: if fields.bits < 8 { fields.bits } else { 8 },
        pages: 1,
        resolution: fields.resolution,
        profile: None,
        coding: if fields.run_lengths {
            "run lengths"
        } else {
            "uncompressed"
        }
        .to_owned(),
    })
}

fn dimensions(bmp: &Bmp) -> Result<Dimensions, DecodeError> {
    let (width, height) = bmp.dimensions();
    Dimensions::new(width, height).ok_or_else(|| DecodeError::malformed(FORMAT, "a side of zero"))
}

fn layout(bmp: &Bmp) -> Result<Layout, DecodeError> {
    match bmp.color_type() {
        ColorType::Rgb8 => Ok(Layout::Rgb),
        ColorType::Rgba8 => Ok(Layout::Rgba),
        other => Err(DecodeError::unsupported(format!(
            "BMP of {other:?} samples"
        ))),
    }
}

fn decode(input: Input) -> Result<Raster, DecodeError> {
    let bmp = bmp(input)?;
    let (dimensions, layout) = (dimensions(&bmp)?, layout(&bmp)?);
    let size = usize::try_from(bmp.total_bytes())
        .map_err(|_| DecodeError::malformed(FORMAT, "more pixels than memory"))?;
    let mut samples = vec![0; size];
    bmp.read_image(&mut samples).map_err(error)?;
    Ok(Raster::new(dimensions, layout, Samples::U8(samples)))
}

/// What the library does not tell of the BITMAPINFOHEADER.
struct Fields {
    bits: u8,
    run_lengths: bool,
    resolution: Option<Resolution>,
}

impl Fields {
    fn read(input: &dyn ReadAt) -> Result<Self, DecodeError> {
        const CORE_HEADER: u32 = 12;
        let bytes = read_up_to(input, 0, 46)?;
        let u16_at = |offset: usize| {
            let bytes = bytes.get(offset..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes))
        };
        let u32_at = |offset| u32::from(u16_at(offset)) | u32::from(u16_at(offset + 2)) << 16;
        let core = u32_at(14) == CORE_HEADER;
        let bits = u8::try_from(u16_at(if core { 24 } else { 28 })).unwrap_or(u8::MAX);
        Ok(Self {
            bits,
            run_lengths: !core && matches!(u32_at(30), 1 | 2),
            resolution: if core {
                None
            } else {
                resolution(u32_at(38), u32_at(42))
            },
        })
    }
}

fn resolution(x_per_metre: u32, y_per_metre: u32) -> Option<Resolution> {
    const METRES_PER_INCH: f64 = 0.0254;
    exif::resolution(
        f64::from(x_per_metre) * METRES_PER_INCH,
        f64::from(y_per_metre) * METRES_PER_INCH,
    )
}

fn error(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(error) => read_error(FORMAT, error),
        ImageError::Unsupported(error) => DecodeError::unsupported(format!("this BMP ({error})")),
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

    #[test]
    fn run_lengths_are_decoded_from_the_bottom() {
        let decoder = open(Arc::new(samples::run_length_bmp()), &LIMITS).unwrap();
        let rect = Rect::new(0, 0, 4, 2).unwrap();
        let raster = decoder.decode(&Window { level: 0, rect }).unwrap();
        let (red, green, blue) = ([255, 0, 0], [0, 255, 0], [0, 0, 255]);
        let expected = [green, red, blue, green, blue, blue, blue, red].concat();
        assert_eq!(raster.as_u8().unwrap(), expected);
    }

    #[test]
    fn the_header_tells_what_the_library_does_not() {
        let decoder = open(Arc::new(samples::run_length_bmp()), &LIMITS).unwrap();
        let header = decoder.header();
        assert_eq!(header.coding, "run lengths");
        assert_eq!((header.color, header.bit_depth), (ColorModel::Palette, 8));
        assert_eq!(header.resolution.unwrap().x.round(), 300.0);
    }

    /// K04: 8192x8192 in 66 bytes.
    #[test]
    fn a_header_that_promises_too_much_is_refused() {
        let mut bytes = samples::run_length_bmp();
        bytes[18..26].copy_from_slice(&[0, 0x20, 0, 0, 0, 0x20, 0, 0]);
        let result = open(Arc::new(bytes), &LIMITS);
        assert!(matches!(result, Err(DecodeError::TooLarge { .. })));
    }
}
