//! Tiles and strips that are sent as they are stored: as a file of the format in which they are coded.

use super::color::Model;
use super::compression::Compression;
use super::ifd::File;
use super::image::{Image, PlacedImage};
use super::jpeg::{self, Transform};
use super::layout::{Chunk, Place};
use crate::decode::{Coding, Limits, Resolution};
use crate::ffi::turbojpeg::{self, ColorSpace};
use crate::geometry::{Dimensions, Rect};

/// How the strips or tiles are coded, if that shows the same picture outside of the TIFF: all channels, nothing
/// inverted.
pub fn coding(image: &Image) -> Option<Coding> {
    const BLACK_IS_ZERO: Model = Model::Gray {
        white_is_zero: false,
    };
    let model = &image.color.model;
    if image.planar || image.format.bits != 8 {
        return None;
    }
    let has_no_more = image.channels == model.channels();
    match image.compression {
        Compression::Jpeg if has_no_more && (*model == Model::Rgb || *model == BLACK_IS_ZERO) => {
            Some(Coding::Jpeg)
        }
        Compression::WebP if has_no_more && *model == Model::Rgb => Some(Coding::Webp),
        _ => None,
    }
}

/// One strip or tile as a file; `None` if the rectangle is none, or its bytes are not as they should be.
pub fn file(
    file: &File,
    source: &PlacedImage,
    rect: Rect,
    resolution: Option<Resolution>,
    limits: &Limits,
) -> Option<Vec<u8>> {
    let chunk = source.image.grid.touching(rect).next()?;
    if chunk.rect != rect {
        return None;
    }
    let Place::At {
        offset,
        length: Some(length),
    } = source.places.of(&chunk, 0).ok()?
    else {
        return None;
    };
    if length > limits.decoded_bytes {
        return None;
    }
    let data = file.read(offset, length).ok()?;
    match coding(&source.image)? {
        Coding::Jpeg => jpeg_file(&source.image, &chunk, &data, resolution),
        Coding::Webp => webp_file(&chunk, data),
    }
}

fn jpeg_file(
    image: &Image,
    chunk: &Chunk,
    data: &[u8],
    resolution: Option<Resolution>,
) -> Option<Vec<u8>> {
    let is_rgb = image.channels == 3 && image.jpeg_transform == Transform::None;
    let header = if is_rgb {
        jpeg::adobe_marker(Transform::None).to_vec()
    } else {
        jpeg::jfif_marker(resolution).to_vec()
    };
    let whole = jpeg::whole(data)?;
    let stream = jpeg::join(&header, &image.jpeg_tables, whole);
    let frame = turbojpeg::read_frame(&stream).ok()?;
    let wanted = match image.channels {
        1 => ColorSpace::Gray,
        _ if is_rgb => ColorSpace::Rgb,
        _ => ColorSpace::YCbCr,
    };
    let is_usual = frame.precision == 8 && !frame.lossless && !frame.arithmetic;
    if !is_usual || frame.color_space != wanted {
        return None;
    }
    let shown = chunk.rect.dimensions();
    if frame.dimensions == shown {
        return Some(stream);
    }
    // A tile at the edge goes beyond the image.
    (frame.dimensions == chunk.stored).then(|| turbojpeg::crop(&stream, shown).ok())?
}

/// A WebP in a container says its length (RFC 9649, section 2.4) and comes first with its dimensions.
fn webp_file(chunk: &Chunk, data: Vec<u8>) -> Option<Vec<u8>> {
    const BEFORE_LENGTH: usize = 8;
    let length = u32::from_le_bytes(*data.get(4..)?.first_chunk()?) as usize;
    if data.len() != length.checked_add(BEFORE_LENGTH)? {
        return None;
    }
    let decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(&data)).ok()?;
    let (width, height) = decoder.dimensions();
    let is_shown_whole = Dimensions::new(width, height) == Some(chunk.rect.dimensions());
    (is_shown_whole && !decoder.is_animated()).then_some(data)
}
