//! The bands that an image is decoded in, and what a pyramid costs in memory (K04).

use super::writer::Options;
use crate::decode::{Header, JP2_SAMPLE, SourceFormat};
use crate::geometry::Rect;

/// A coefficient of a JPEG of several scans.
const COEFFICIENT: u64 = 2;
/// Of every level one row of tiles is kept, in all less than two of the full image's, and their encoded bytes.
const ROWS_OF_TILES: u64 = 4;

/// Windows of the full image, from the top: as few as memory allows, because some formats begin anew for each of them,
/// and one for those that can only be decoded as a whole.
pub fn bands(header: &Header, options: &Options) -> impl Iterator<Item = Rect> + use<> {
    let dimensions = header.stored_dimensions();
    let rows = rows(header, options);
    (0..dimensions.height())
        .step_by(rows as usize)
        .filter_map(move |y| Rect::new(0, y, dimensions.width(), rows.min(dimensions.height() - y)))
}

/// The height of all bands but the last: whole rows of tiles.
fn rows(header: &Header, options: &Options) -> u32 {
    let height = header.stored_dimensions().height();
    if header.format.is_decoded_whole() {
        return height;
    }
    let rows = options.band_bytes / row_bytes(header).max(1);
    let tile = options.tile.height();
    let rows = u32::try_from(rows).unwrap_or(u32::MAX) / tile * tile;
    rows.max(tile).min(height)
}

/// Bytes that making the pyramid holds at one time, estimated before anything is allocated.
pub fn bytes(header: &Header, options: &Options) -> u64 {
    let band = row_bytes(header).saturating_mul(rows(header, options).into());
    let tiles = row_bytes(header).saturating_mul(options.tile.height().into());
    let coefficients = match header.format {
        SourceFormat::Jpeg if header.coding.starts_with("progressive") => {
            header.stored_dimensions().area() * header.channels() * COEFFICIENT
        }
        _ => 0,
    };
    band.saturating_add(tiles.saturating_mul(ROWS_OF_TILES))
        .saturating_add(coefficients)
}

/// What decoding one row needs.
fn row_bytes(header: &Header) -> u64 {
    let depth = header.sample_bytes();
    let sample = match header.format {
        SourceFormat::Jp2 => depth + JP2_SAMPLE,
        // As the file has them and as the machine has them.
        SourceFormat::Png => depth * depth,
        _ => depth,
    };
    u64::from(header.stored_dimensions().width()) * header.channels() * sample
}
