//! What one directory says of its image.

use std::sync::Arc;

use super::color::{Color, Model};
use super::compression::Compression;
use super::ifd::{Directory, File};
use super::layout::{Chunk, Grid, Place, Places};
use super::predictor::Predictor;
use super::samples::{Format, Kind};
use super::tags::Tag;
use super::ycbcr::Subsampling;
use super::{jpeg, malformed, photometric};
use crate::decode::{ColorModel, DecodeError, Resolution};
use crate::geometry::{Dimensions, Rect};
use crate::raster::Layout;

/// Tables of JPEG: four for quantisation and eight for Huffman codes need 3 KB.
const LONGEST_JPEG_TABLES: u64 = 1 << 20;
/// Profiles of several megabytes exist.
const LONGEST_PROFILE: u64 = 16 << 20;

/// How pixels are stored, all but where.
#[derive(Debug)]
pub struct Image {
    pub dimensions: Dimensions,
    pub grid: Grid,
    /// The value of PhotometricInterpretation.
    pub photometric: u64,
    pub compression: Compression,
    pub predictor: Predictor,
    /// The lowest bit of a byte comes first.
    pub reversed_bits: bool,
    pub format: Format,
    /// Samples per pixel, extra ones included.
    pub channels: usize,
    /// The planes are stored apart.
    pub planar: bool,
    pub color: Color,
    /// Of the Y'CbCr that is stored as bytes.
    pub subsampling: Subsampling,
    pub jpeg_tables: Vec<u8>,
    pub jpeg_transform: jpeg::Transform,
}

impl Image {
    pub fn read(file: &File, directory: &Directory) -> Result<Self, DecodeError> {
        file.read_ahead_values(directory)?;
        let integer =
            |tag, default| Ok::<_, DecodeError>(file.integer(directory, tag)?.unwrap_or(default));
        let compression =
            Compression::from_tag(integer(Tag::COMPRESSION, 1)?, integer(Tag::T4_OPTIONS, 0)?)?;
        let photometric = photometric::photometric(file, directory, compression)?;
        let channels = channels(integer(Tag::SAMPLES_PER_PIXEL, 1)?)?;
        let format = format(file, directory, channels)?;
        let planar = match integer(Tag::PLANAR_CONFIGURATION, 1)? {
            1 => false,
            2 => channels > 1,
            other => return Err(malformed(format!("planar configuration {other}"))),
        };
        let model = photometric::model(file, directory, photometric, format)?;
        let is_ycbcr = matches!(model, Model::YCbCr(_));
        let jpeg_transform = if is_ycbcr && !planar {
            jpeg::Transform::YCbCr
        } else {
            jpeg::Transform::None
        };
        let subsampling = if is_ycbcr && !compression.codes_pixels() {
            Subsampling::read(file, directory)?
        } else {
            Subsampling::NONE
        };
        let dimensions = dimensions(file, directory)?;
        let image = Self {
            dimensions,
            grid: Grid::read(
                file,
                directory,
                dimensions,
                if planar { channels as u32 } else { 1 },
            )?,
            photometric,
            compression,
            predictor: Predictor::from_tag(if compression.predicts() {
                integer(Tag::PREDICTOR, 1)?
            } else {
                1
            })?,
            reversed_bits: integer(Tag::FILL_ORDER, 1)? == 2,
            format,
            channels,
            planar,
            color: Color {
                alpha: photometric::alpha(file, directory, &model, channels)?,
                model: photometric::decoded_model(model, compression, planar),
            },
            subsampling,
            jpeg_tables: file.bytes(directory, Tag::JPEG_TABLES, LONGEST_JPEG_TABLES)?,
            jpeg_transform,
        };
        image.check_supported()?;
        Ok(image)
    }

    /// Refuses the combinations that would come out wrong.
    fn check_supported(&self) -> Result<(), DecodeError> {
        if self.channels < self.color.model.channels() {
            let (channels, photometric) = (self.channels, self.photometric);
            let problem =
                format!("{channels} samples a pixel for photometric interpretation {photometric}");
            return Err(malformed(problem));
        }
        match self.unsupported_coding().or(self.unsupported_color()) {
            Some(feature) => Err(DecodeError::unsupported(format!("TIFF with {feature}"))),
            None => Ok(()),
        }
    }

    fn unsupported_coding(&self) -> Option<&'static str> {
        let bits = self.format.bits;
        let is_float = self.format.kind == Kind::Float;
        match self.compression {
            Compression::Fax(_) if bits != 1 || self.channels != 1 => {
                Some("CCITT coding of more than one bit")
            }
            Compression::Jpeg | Compression::WebP if bits != 8 => {
                Some("JPEG or WebP of other than 8 bits")
            }
            _ if !self.predictor.suits(self.format.bytes()) => {
                Some("a predictor that is not defined for such samples")
            }
            Compression::WebP if self.color.model != Model::Rgb => Some("WebP of other than RGB"),
            Compression::Jpeg2000 { .. } if is_float || !(8..=16).contains(&bits) => {
                Some("JPEG 2000 of such samples")
            }
            _ => None,
        }
    }

    fn unsupported_color(&self) -> Option<&'static str> {
        let bits = self.format.bits;
        let is_float = self.format.kind == Kind::Float;
        let alpha = self.color.alpha;
        let is_premultiplied = alpha.is_some_and(|alpha| alpha.premultiplied);
        let is_simple = !self.planar && self.channels == 3 && self.predictor == Predictor::None;
        match self.color.model {
            Model::Palette(_) if alpha.is_some() && (bits != 8 || is_premultiplied) => {
                Some("a palette and such alpha")
            }
            Model::Palette(_) if self.compression.codes_pixels() => Some("coded palette indexes"),
            Model::YCbCr(_) if bits != 8 || is_float => Some("Y'CbCr of other than 8 bits"),
            Model::YCbCr(_) if self.subsampling != Subsampling::NONE && !is_simple => {
                Some("sub-sampled Y'CbCr in planes, with extra samples or a predictor")
            }
            Model::Lab(_) if !matches!(bits, 8 | 16) || is_float => {
                Some("L*a*b* of other than 8 or 16 bits")
            }
            Model::Lab(_) if is_premultiplied => Some("premultiplied L*a*b*"),
            Model::Cmyk if is_premultiplied => Some("premultiplied CMYK"),
            _ => None,
        }
    }

    /// The colour model as stored, for people.
    pub fn stored_model(&self) -> ColorModel {
        const YCBCR: u64 = 6;
        if self.photometric == YCBCR {
            ColorModel::YCbCr
        } else {
            self.color.name(self.format)
        }
    }

    /// Layout and depth of what comes out.
    pub fn output(&self) -> (Layout, bool) {
        (self.color.layout(), self.color.is_deep(self.format))
    }

    /// Whether the decompressed bytes of a strip or tile are the samples of the raster.
    pub fn stores_pixels(&self) -> bool {
        let all: Vec<usize> = (0..self.channels).collect();
        let is_byte = self.format.bits == 8 && !self.planar;
        let is_coded = self.compression.codes_pixels() || self.subsampling != Subsampling::NONE;
        is_byte && !is_coded && self.color.needed() == all && self.color.is_stored()
    }

    pub fn bytes_per_pixel(&self) -> u64 {
        let (layout, is_deep) = self.output();
        layout.channels() as u64 * if is_deep { 2 } else { 1 }
    }
}

/// An image and where its strips or tiles are.
#[derive(Debug)]
pub struct PlacedImage {
    pub image: Image,
    pub places: Places,
}

impl PlacedImage {
    pub fn new(file: &File, directory: &Directory, image: Image) -> Result<Self, DecodeError> {
        let places = Places::read(file, directory, &image.grid)?;
        Ok(Self { image, places })
    }

    /// The strips or tiles that a rectangle touches, with their places, in each plane that is needed.
    pub fn touching(
        &self,
        rect: Rect,
    ) -> impl Iterator<Item = Result<(Chunk, Place), DecodeError>> {
        let planes = if self.image.planar {
            self.image.color.needed()
        } else {
            vec![0]
        };
        let chunks = self.image.grid.touching(rect);
        chunks.flat_map(move |chunk| {
            let place = move |plane: usize| Ok((chunk, self.places.of(&chunk, plane as u32)?));
            planes.clone().into_iter().map(place)
        })
    }

    /// Bytes that it occupies, roughly.
    pub fn memory(&self) -> u64 {
        const FIELDS: u64 = 1 << 10;
        FIELDS + self.places.memory() + self.image.jpeg_tables.len() as u64
    }
}

fn dimensions(file: &File, directory: &Directory) -> Result<Dimensions, DecodeError> {
    let side = |tag| {
        let side = file.integer(directory, tag)?.unwrap_or(0);
        Ok::<_, DecodeError>(u32::try_from(side).unwrap_or(0))
    };
    Dimensions::new(side(Tag::IMAGE_WIDTH)?, side(Tag::IMAGE_LENGTH)?)
        .ok_or_else(|| malformed("no width or height"))
}

fn channels(value: u64) -> Result<usize, DecodeError> {
    match value {
        0 => Err(malformed("pixels of no samples")),
        1..=64 => Ok(value as usize),
        _ => Err(DecodeError::unsupported(format!(
            "TIFF with {value} samples a pixel"
        ))),
    }
}

fn format(file: &File, directory: &Directory, channels: usize) -> Result<Format, DecodeError> {
    let same = |tag, default: u64| {
        let values = file.integers(directory, tag, channels as u64)?;
        let first = values.first().copied().unwrap_or(default);
        if values.iter().any(|value| *value != first) {
            let feature = format!("TIFF with different samples in one pixel ({values:?})");
            return Err(DecodeError::unsupported(feature));
        }
        Ok(first)
    };
    Format::new(same(Tag::BITS_PER_SAMPLE, 1)?, same(Tag::SAMPLE_FORMAT, 1)?)
}

/// The ICC profile, if there is one.
pub fn profile(file: &File, directory: &Directory) -> Result<Option<Arc<[u8]>>, DecodeError> {
    let bytes = file.bytes(directory, Tag::ICC_PROFILE, LONGEST_PROFILE)?;
    Ok((!bytes.is_empty()).then(|| bytes.into()))
}

/// Pixels per inch; without a unit the numbers are only an aspect ratio.
pub fn resolution(file: &File, directory: &Directory) -> Result<Option<Resolution>, DecodeError> {
    let per_inch = match file.integer(directory, Tag::RESOLUTION_UNIT)? {
        None | Some(2) => 1.0,
        Some(3) => 2.54,
        Some(_) => return Ok(None),
    };
    let x = file.rationals(directory, Tag::X_RESOLUTION, 1)?;
    let y = file.rationals(directory, Tag::Y_RESOLUTION, 1)?;
    let (Some(x), Some(y)) = (x.first(), y.first()) else {
        return Ok(None);
    };
    let is_number = |value: f64| value.is_finite() && value > 0.0;
    let resolution = Resolution {
        x: x * per_inch,
        y: y * per_inch,
    };
    Ok((is_number(resolution.x) && is_number(resolution.y)).then_some(resolution))
}
