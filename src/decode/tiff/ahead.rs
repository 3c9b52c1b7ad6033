//! Which bytes of the file a window needs.

use std::ops::Range;

use super::compression::Compression;
use super::cost;
use super::ifd::File;
use super::image::{Image, PlacedImage};
use super::layout::{Chunk, Place};
use super::read::stride;
use super::ycbcr::Subsampling;
use crate::decode::{DecodeError, Limits};
use crate::geometry::Rect;
use crate::input::read_ahead;

/// Tells the input what decoding a rectangle will read.
///
/// # Errors
/// If that is more than the limits allow.
pub fn read(
    file: &File,
    source: &PlacedImage,
    rect: Rect,
    limits: &Limits,
) -> Result<(), DecodeError> {
    cost::check(file, source, rect, limits)?;
    let mut ranges = Vec::new();
    for touched in source.touching(rect) {
        if let (chunk, Place::At { offset, length }) = touched? {
            let within = within(&source.image, &chunk, rect, length)?;
            ranges.push(offset.saturating_add(within.start)..offset.saturating_add(within.end));
        }
    }
    Ok(read_ahead(&*file.input, ranges)?)
}

/// The bytes of a strip or tile: of what is not compressed, only the rows of the rectangle.
fn within(
    image: &Image,
    chunk: &Chunk,
    rect: Rect,
    length: Option<u64>,
) -> Result<Range<u64>, DecodeError> {
    if image.compression != Compression::None {
        return Ok(0..length.unwrap_or(u64::MAX));
    }
    let top = rect.y().saturating_sub(chunk.rect.y());
    let bottom = chunk.rect.bottom().min(rect.bottom()) - chunk.rect.y();
    let (rows, stride) = if image.subsampling == Subsampling::NONE {
        let channels = if image.planar { 1 } else { image.channels };
        (
            top..bottom,
            stride(chunk.stored, channels, image.format.bits)?,
        )
    } else {
        // Units of several rows are read from the first.
        let subsampling = image.subsampling;
        let units = bottom.div_ceil(subsampling.down);
        (0..units, subsampling.stride(chunk.stored.width()))
    };
    let at = |row: u32| (stride as u64).saturating_mul(u64::from(row));
    Ok(at(rows.start)..at(rows.end))
}
