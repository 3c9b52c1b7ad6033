//! Which images are worth a pyramid, and what its tiles are.

use crate::decode::{Header, SourceFormat};
use crate::geometry::Dimensions;
use crate::iiif::tiling;

/// TIFF 6.0, section 15: sides of tiles are multiples of this.
const TILE_UNIT: u32 = 16;

/// The tiles of the pyramid that an image needs; `None` if it is quick enough as it is.
///
/// They are the tiles that `info.json` declares for the image as it is stored: so the document stays the same when the
/// pyramid stands, and each tile that a viewer asks for is one tile of the pyramid.
pub fn needed_tile(header: &Header, least_pixels: u64) -> Option<Dimensions> {
    if header.stored_dimensions().area() < least_pixels || !costs_more_than_it_shows(header) {
        return None;
    }
    let tile = tiling::recommended(header.levels[0].tile);
    let is_stable = tiling::recommended(Some(tile)) == tile;
    let is_storable =
        tile.width().is_multiple_of(TILE_UNIT) && tile.height().is_multiple_of(TILE_UNIT);
    (is_stable && is_storable).then_some(tile)
}

/// Whether a detail, or the image made small, costs much of the whole image.
fn costs_more_than_it_shows(header: &Header) -> bool {
    match header.format {
        // The levels of a JPEG save the cosine transform only: the whole file is read and its codes are undone.
        SourceFormat::Jpeg
        | SourceFormat::Png
        | SourceFormat::Webp
        | SourceFormat::Gif
        | SourceFormat::Bmp => true,
        // Rendered at any size.
        SourceFormat::Pdf => false,
        SourceFormat::Tiff | SourceFormat::Jp2 => {
            header.levels[0].tile.is_none() || header.levels.len() == 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Level, sample_header};
    use crate::geometry::ScaleFactor;

    fn header(format: SourceFormat, levels: usize, tile: Option<(u32, u32)>) -> Header {
        let full = Dimensions::new(4000, 3000).unwrap();
        let level = Level {
            tile: tile.and_then(|(width, height)| Dimensions::new(width, height)),
            ..sample_header::level(full, ScaleFactor::ONE)
        };
        Header {
            format,
            ..sample_header::header(vec![level; levels])
        }
    }

    fn needed(header: &Header) -> Option<(u32, u32)> {
        needed_tile(header, 8_000_000).map(|tile| (tile.width(), tile.height()))
    }

    #[test]
    fn large_images_without_tiles_or_levels_need_one() {
        use SourceFormat::{Jp2, Jpeg, Png, Tiff};
        for (format, levels, tile) in [
            (Png, 1, None),
            (Jpeg, 4, None),
            (Tiff, 1, None),
            (Tiff, 5, None),
            (Jp2, 6, None),
        ] {
            assert_eq!(needed(&header(format, levels, tile)), Some((512, 512)));
        }
        for (format, levels) in [(Tiff, 5), (Jp2, 6)] {
            assert_eq!(needed(&header(format, levels, Some((256, 256)))), None);
        }
        assert_eq!(needed_tile(&header(Png, 1, None), 12_000_001), None);
    }

    /// A pyramid whose tiles `info.json` would declare otherwise than those of its source is not made.
    #[test]
    fn tiles_are_those_that_are_declared_already() {
        let tile = |side| needed(&header(SourceFormat::Tiff, 1, Some(side)));
        assert_eq!(tile((256, 256)), Some((256, 256)));
        assert_eq!(tile((128, 128)), Some((256, 256)));
        assert_eq!(tile((4096, 4096)), Some((512, 512)));
        assert_eq!(tile((900, 250)), None, "1800x500 would become 512x512");
        assert_eq!(tile((1000, 1000)), None, "no multiple of 16");
    }
}
