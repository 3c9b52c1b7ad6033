//! What a window costs: the bytes of all strips and tiles that it touches, before and after decompression. One by one
//! they may be small enough; a hostile file says that there are many, all in the same place.

use super::compression::Compression;
use super::ifd::File;
use super::image::{Image, PlacedImage};
use super::layout::{Chunk, Place};
use super::read::stride;
use crate::decode::{DecodeError, Limits};
use crate::geometry::Rect;

/// How many times over a decode may fill its memory with bytes of strips and tiles: a narrow column needs every strip
/// of its image from end to end, and the strips of the largest image may be some times more than what is held at once.
const PASSES: u64 = 8;

/// # Errors
/// If the window needs more bytes than the limits allow.
pub fn check(
    file: &File,
    source: &PlacedImage,
    rect: Rect,
    limits: &Limits,
) -> Result<(), DecodeError> {
    let limit = limits.decoded_bytes.saturating_mul(PASSES);
    let mut value: u64 = 0;
    for touched in source.touching(rect) {
        let (chunk, place) = touched?;
        value = value.saturating_add(bytes(file, &source.image, &chunk, place, rect)?);
        if value > limit {
            let what = "bytes of the strips or tiles of a window";
            return Err(DecodeError::TooLarge { what, value, limit });
        }
    }
    Ok(())
}

/// Bytes of one strip or tile of one plane: those that are read and those that decompression gives.
fn bytes(
    file: &File,
    image: &Image,
    chunk: &Chunk,
    place: Place,
    rect: Rect,
) -> Result<u64, DecodeError> {
    let Place::At { offset, length } = place else {
        return Ok(0);
    };
    let bottom = chunk.rect.bottom().min(rect.bottom()) - chunk.rect.y();
    let above = rect.y().saturating_sub(chunk.rect.y());
    let rows = match image.compression {
        Compression::None => bottom - above,
        coded if coded.codes_pixels() => chunk.stored.height(),
        _ => bottom,
    };
    let channels = if image.planar { 1 } else { image.channels };
    let stride = stride(chunk.stored, channels, image.format.bits)? as u64;
    let compressed = match image.compression {
        Compression::None => 0,
        // The tables are put in front of every strip or tile.
        _ => length
            .unwrap_or(file.input.size().saturating_sub(offset))
            .saturating_add(image.jpeg_tables.len() as u64),
    };
    let decompressed = stride.saturating_mul(u64::from(rows));
    Ok(decompressed.saturating_add(compressed))
}
