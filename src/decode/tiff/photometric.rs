//! The colour model of an image: PhotometricInterpretation and the fields that belong to it.

use super::color::{Alpha, Model};
use super::compression::Compression;
use super::ifd::{Directory, File};
use super::samples::{Format, Kind};
use super::tags::Tag;
use super::ycbcr::Equations;
use super::{lab, malformed};
use crate::decode::DecodeError;

/// The value of PhotometricInterpretation.
pub fn photometric(
    file: &File,
    directory: &Directory,
    compression: Compression,
) -> Result<u64, DecodeError> {
    let value = file.integer(directory, Tag::PHOTOMETRIC)?;
    match (value, compression) {
        (Some(value), _) => Ok(value),
        // Fax software often leaves it out: white paper is zero.
        (None, Compression::Fax(_)) => Ok(0),
        (None, _) => Err(malformed("no photometric interpretation")),
    }
}

/// What the stored channels mean, before any codec changes it.
pub fn model(
    file: &File,
    directory: &Directory,
    photometric: u64,
    format: Format,
) -> Result<Model, DecodeError> {
    Ok(match photometric {
        0 => Model::Gray {
            white_is_zero: true,
        },
        1 => Model::Gray {
            white_is_zero: false,
        },
        2 => Model::Rgb,
        3 => Model::Palette(palette(file, directory, format)?),
        5 => match file.integer(directory, Tag::INK_SET)? {
            None | Some(1) => Model::Cmyk,
            Some(_) => return Err(DecodeError::unsupported("TIFF with inks other than CMYK")),
        },
        6 => Model::YCbCr(Equations::read(file, directory)?),
        8 => Model::Lab(lab::Encoding::Cie),
        9 => Model::Lab(lab::Encoding::Icc),
        other => {
            let name = match other {
                4 => "transparency mask",
                10 => "ITU L*a*b*",
                32803 => "colour filter array",
                32844 | 32845 => "SGI Log",
                34892 => "linear raw",
                _ => "unknown",
            };
            let feature = format!("TIFF photometric interpretation {other} ({name})");
            return Err(DecodeError::unsupported(feature));
        }
    })
}

/// The model of what decompression gives: JPEG makes RGB of Y'CbCr by itself, and Aperio's JPEG 2000 is Y'CbCr
/// whatever the photometric interpretation says.
pub fn decoded_model(model: Model, compression: Compression, planar: bool) -> Model {
    match (compression, &model) {
        (Compression::Jpeg, Model::YCbCr(_)) if !planar => Model::Rgb,
        (Compression::Jpeg2000 { ycbcr: true }, Model::Rgb) => Model::YCbCr(Equations::standard()),
        _ => model,
    }
}

/// Colours of 16 bits, all reds first. Some writers fill in only 8 bits.
fn palette(
    file: &File,
    directory: &Directory,
    format: Format,
) -> Result<Vec<[u8; 3]>, DecodeError> {
    if format.kind == Kind::Float || format.bits > 16 {
        return Err(malformed("palette indexes of such samples"));
    }
    let count = 1_usize << format.bits;
    let map = file.integers(directory, Tag::COLOR_MAP, 3 * count as u64)?;
    if map.len() < 3 * count {
        let problem = format!("{} values in a colour map for {count} colours", map.len());
        return Err(malformed(problem));
    }
    let shift = if map.iter().all(|value| *value < 256) {
        0
    } else {
        8
    };
    let level = |index: usize| (map[index] >> shift) as u8;
    Ok((0..count)
        .map(|index| [level(index), level(count + index), level(2 * count + index)])
        .collect())
}

/// The first extra sample that is alpha (TIFF 6.0, section 18). Others, and those of CMYK, are not looked at.
pub fn alpha(
    file: &File,
    directory: &Directory,
    model: &Model,
    channels: usize,
) -> Result<Option<Alpha>, DecodeError> {
    let meanings = file.integers(directory, Tag::EXTRA_SAMPLES, channels as u64)?;
    let first = model.channels();
    let found = meanings.iter().position(|meaning| matches!(meaning, 1 | 2));
    let alpha = found.map(|index| Alpha {
        channel: first + index,
        premultiplied: meanings[index] == 1,
    });
    Ok(alpha
        .filter(|alpha| alpha.channel < channels && (*model != Model::Cmyk || alpha.premultiplied)))
}
