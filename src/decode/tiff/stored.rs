//! Tiles and strips that are sent as they are stored: as a file of the format in which they are coded, several JPEGs
//! joined to one.

use super::color::Model;
use super::compression::Compression;
use super::ifd::File;
use super::image::{Image, PlacedImage};
use super::jpeg::{self, Transform};
use super::layout::{Chunk, Place};
use crate::decode::jpeg::join::{self, Stream};
use crate::decode::{Coding, Resolution};
use crate::ffi::turbojpeg;
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

/// The strips or tiles that a rectangle touches as a file; `None` if it does not begin where one of them does, or if their
/// bytes are not as they should be.
pub fn file(
    file: &File,
    source: &PlacedImage,
    rect: Rect,
    resolution: Option<Resolution>,
    most: u64,
) -> Option<Vec<u8>> {
    let chunks: Vec<Chunk> = source.image.grid.touching(rect).collect();
    let first = chunks.first()?;
    if (first.rect.x(), first.rect.y()) != (rect.x(), rect.y()) {
        return None;
    }
    // All are held at once.
    let places = chunks.iter().map(|chunk| place(source, chunk));
    let places: Vec<(u64, u64)> = places.collect::<Option<_>>()?;
    let bytes = places.iter().map(|(_, length)| *length);
    if bytes.fold(0, u64::saturating_add) > most {
        return None;
    }
    let read = |(offset, length): &(u64, u64)| file.read(*offset, *length).ok();
    match coding(&source.image)? {
        Coding::Webp if first.rect == rect => webp_file(first, read(places.first()?)?),
        Coding::Webp => None,
        Coding::Jpeg => {
            let data: Vec<Vec<u8>> = places.iter().map(read).collect::<Option<_>>()?;
            jpeg_file(&source.image, &chunks, &data, rect.dimensions(), resolution)
        }
    }
}

/// Offset and length.
fn place(source: &PlacedImage, chunk: &Chunk) -> Option<(u64, u64)> {
    match source.places.of(chunk, 0).ok()? {
        Place::At {
            offset,
            length: Some(length),
        } => Some((offset, length)),
        _ => None,
    }
}

/// Tiles or strips, joined if it is more than one, or a part of one.
fn jpeg_file(
    image: &Image,
    chunks: &[Chunk],
    data: &[Vec<u8>],
    shown: Dimensions,
    resolution: Option<Resolution>,
) -> Option<Vec<u8>> {
    let is_rgb = image.channels == 3 && image.jpeg_transform == Transform::None;
    let header = if is_rgb {
        jpeg::adobe_marker(Transform::None).to_vec()
    } else {
        jpeg::jfif_marker(resolution).to_vec()
    };
    let data: Vec<&[u8]> = data
        .iter()
        .map(|data| jpeg::whole(data))
        .collect::<Option<_>>()?;
    match (chunks, &data[..]) {
        ([only], [data]) if only.stored == shown => whole_file(image, data, shown, &header),
        _ => joined_file(image, chunks, &data, shown, &header),
    }
}

/// One tile as it is, with the shared tables, whatever process it is coded with.
fn whole_file(image: &Image, data: &[u8], shown: Dimensions, header: &[u8]) -> Option<Vec<u8>> {
    let stream = jpeg::with_header(header, &image.jpeg_tables, data);
    let frame = turbojpeg::read_frame(&stream).ok()?;
    let is_usual = frame.precision == 8 && !frame.lossless && !frame.arithmetic;
    let is_right = frame.dimensions == shown && jpeg::channels(frame.color_space) == image.channels;
    (is_usual && is_right).then_some(stream)
}

fn joined_file(
    image: &Image,
    chunks: &[Chunk],
    data: &[&[u8]],
    shown: Dimensions,
    header: &[u8],
) -> Option<Vec<u8>> {
    let mut streams = Vec::with_capacity(data.len());
    for (data, chunk) in data.iter().zip(chunks) {
        let stream = Stream::parse(&image.jpeg_tables, data)?;
        // Of the last strip some writers code more rows than there are.
        let is_last = chunk.rect.bottom() == image.dimensions.height();
        let most = if is_last {
            image.grid.most_rows()
        } else {
            chunk.stored.height()
        };
        let rows = chunk.stored.height()..=most;
        let is_right = stream.dimensions.width() == chunk.stored.width()
            && rows.contains(&stream.dimensions.height())
            && stream.components.len() == image.channels;
        streams.push(is_right.then_some(stream)?);
    }
    let top = chunks.first()?.rect.y();
    let columns = chunks.iter().take_while(|chunk| chunk.rect.y() == top);
    let columns = columns.count();
    join::join(&streams, columns, shown, header)
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
