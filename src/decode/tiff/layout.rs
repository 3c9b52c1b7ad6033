//! How an image is cut into strips or tiles, and where in the file each of these chunks is (TIFF 6.0, sections 3
//! and 15).

use super::ifd::{Directory, File};
use super::malformed;
use super::tags::Tag;
use crate::decode::DecodeError;
use crate::geometry::{Dimensions, Rect};

/// Tiles that are larger than their image are not worse than this.
const LONGEST_TILE_SIDE: u64 = 16_384;
/// Strips and tiles of one image, planes counted apart: enough for an image of two thousand million pixels in tiles of
/// 32x16. Their offsets are kept in memory.
const MOST_CHUNKS: u64 = 1 << 22;

/// The chunks of an image, row by row, and plane after plane if the planes are stored apart.
#[derive(Debug)]
pub struct Grid {
    image: Dimensions,
    /// The dimensions of every tile, or of every strip but the last.
    chunk: Dimensions,
    pub tiled: bool,
    /// Number of times that the grid is stored: once, or once per sample if the planes are stored apart.
    planes: u32,
}

/// One strip or tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Index within one plane.
    index: u64,
    /// The part of the image that it shows.
    pub rect: Rect,
    /// The dimensions of the coded pixels: a tile at the edge goes beyond the image.
    pub stored: Dimensions,
}

impl Grid {
    pub fn read(
        file: &File,
        directory: &Directory,
        image: Dimensions,
        planes: u32,
    ) -> Result<Self, DecodeError> {
        let side = |tag| file.integer(directory, tag);
        let (width, height) = (side(Tag::TILE_WIDTH)?, side(Tag::TILE_LENGTH)?);
        let tiled = width.is_some() && height.is_some();
        let chunk = match (width, height) {
            (Some(width), Some(height)) => tile_dimensions(width, height, image)?,
            _ => {
                // Without the tag, or with any number that is too large: one strip.
                let rows = side(Tag::ROWS_PER_STRIP)?.unwrap_or(u64::MAX);
                let rows = u32::try_from(rows).unwrap_or(u32::MAX).min(image.height());
                Dimensions::new(image.width(), rows)
                    .ok_or_else(|| malformed("strips of no rows"))?
            }
        };
        Ok(Self {
            image,
            chunk,
            tiled,
            planes,
        })
    }

    /// The dimensions of a tile; strips have none.
    pub fn tile(&self) -> Option<Dimensions> {
        self.tiled.then_some(self.chunk)
    }

    /// Rows of a strip or tile.
    pub fn rows(&self) -> u32 {
        self.chunk.height()
    }

    /// Rows that may be coded in a strip or tile. JPEG codes rows in units of up to 16.
    pub fn most_rows(&self) -> u32 {
        let rows = self.chunk.height();
        if self.tiled {
            rows
        } else {
            rows.checked_next_multiple_of(16).unwrap_or(rows)
        }
    }

    /// As many of these threads as may decode a chunk at the same time: of all but one, the memory was not asked for.
    pub fn threads(&self, most: usize, bytes_per_pixel: u64) -> usize {
        const MOST_BYTES: u64 = 64 << 20;
        let chunk = self.chunk.area().saturating_mul(bytes_per_pixel).max(1);
        most.min(usize::try_from(MOST_BYTES / chunk).unwrap_or(usize::MAX))
            .max(1)
    }

    fn across(&self) -> u32 {
        self.image.width().div_ceil(self.chunk.width())
    }

    fn chunks_per_plane(&self) -> u64 {
        let down = self.image.height().div_ceil(self.chunk.height());
        u64::from(self.across()) * u64::from(down)
    }

    /// The chunks that a rectangle of the image touches.
    pub fn touching(&self, rect: Rect) -> impl Iterator<Item = Chunk> {
        let columns = rect.x() / self.chunk.width()..=(rect.right() - 1) / self.chunk.width();
        let rows = rect.y() / self.chunk.height()..=(rect.bottom() - 1) / self.chunk.height();
        rows.flat_map(move |row| {
            columns
                .clone()
                .filter_map(move |column| self.chunk(column, row))
        })
    }

    fn chunk(&self, column: u32, row: u32) -> Option<Chunk> {
        let x = column.checked_mul(self.chunk.width())?;
        let y = row.checked_mul(self.chunk.height())?;
        let width = self.chunk.width().min(self.image.width().checked_sub(x)?);
        let height = self.chunk.height().min(self.image.height().checked_sub(y)?);
        let rect = Rect::new(x, y, width, height)?;
        Some(Chunk {
            index: u64::from(row) * u64::from(self.across()) + u64::from(column),
            rect,
            stored: if self.tiled {
                self.chunk
            } else {
                rect.dimensions()
            },
        })
    }
}

fn tile_dimensions(width: u64, height: u64, image: Dimensions) -> Result<Dimensions, DecodeError> {
    // Sides are multiples of 16 (TIFF 6.0, section 15), so that one tile may reach beyond the image.
    let longest = |side: u32| u64::from(side).next_multiple_of(16).max(LONGEST_TILE_SIDE);
    if width > longest(image.width()) || height > longest(image.height()) {
        let feature = format!("TIFF of {image} with tiles of {width}x{height}");
        return Err(DecodeError::unsupported(feature));
    }
    let side = |side| u32::try_from(side).unwrap_or(0);
    Dimensions::new(side(width), side(height))
        .ok_or_else(|| malformed(format!("tiles of {width}x{height}")))
}

/// Where the bytes of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offset zero and no bytes: a chunk that was never written, as GDAL leaves them. Its samples are zero.
    Absent,
    /// `length` is `None` where the file does not say it.
    At { offset: u64, length: Option<u64> },
}

/// Offsets and byte counts of all chunks.
#[derive(Debug)]
pub struct Places {
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    chunks_per_plane: u64,
}

impl Places {
    pub fn read(file: &File, directory: &Directory, grid: &Grid) -> Result<Self, DecodeError> {
        let chunks_per_plane = grid.chunks_per_plane();
        let needed = chunks_per_plane.saturating_mul(u64::from(grid.planes));
        if needed > MOST_CHUNKS {
            let feature = format!("TIFF with {needed} strips or tiles");
            return Err(DecodeError::unsupported(feature));
        }
        let integers = |tag| file.integers(directory, tag, needed);
        let tiles = || {
            let offsets = integers(Tag::TILE_OFFSETS)?;
            Ok::<_, DecodeError>((offsets, integers(Tag::TILE_BYTE_COUNTS)?))
        };
        let strips = || {
            let offsets = integers(Tag::STRIP_OFFSETS)?;
            Ok::<_, DecodeError>((offsets, integers(Tag::STRIP_BYTE_COUNTS)?))
        };
        // Some writers give the places of tiles by the tags of strips.
        let (offsets, lengths) = match if grid.tiled { tiles()? } else { strips()? } {
            (offsets, _) if offsets.is_empty() && grid.tiled => strips()?,
            found => found,
        };
        if (offsets.len() as u64) < needed {
            let problem = format!("{} offsets for {needed} strips or tiles", offsets.len());
            return Err(malformed(problem));
        }
        if (lengths.len() as u64) < needed && !(lengths.is_empty() && needed == 1) {
            let problem = format!("{} byte counts for {needed} strips or tiles", lengths.len());
            return Err(malformed(problem));
        }
        Ok(Self {
            offsets,
            lengths,
            chunks_per_plane,
        })
    }

    /// Bytes of all offsets and byte counts.
    pub fn memory(&self) -> u64 {
        8 * (self.offsets.len() + self.lengths.len()) as u64
    }

    /// Where a chunk of a plane is.
    pub fn of(&self, chunk: &Chunk, plane: u32) -> Result<Place, DecodeError> {
        let index = u64::from(plane) * self.chunks_per_plane + chunk.index;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let offset = self.offsets.get(index).copied();
        let offset = offset.ok_or_else(|| malformed(format!("no strip or tile {index}")))?;
        let length = self.lengths.get(index).copied();
        Ok(match (offset, length) {
            (0, Some(0)) => Place::Absent,
            (_, Some(0)) => Place::At {
                offset,
                length: None,
            },
            _ => Place::At { offset, length },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_chunks_are_decoded_one_after_the_other() {
        let threads = |width, height, bytes_per_pixel| {
            let chunk = Dimensions::new(width, height).unwrap();
            let grid = Grid {
                image: chunk,
                chunk,
                tiled: false,
                planes: 1,
            };
            grid.threads(8, bytes_per_pixel)
        };
        assert_eq!(threads(1024, 1024, 3), 8, "3 MiB");
        assert_eq!(threads(4096, 1024, 4), 4, "16 MiB");
        assert_eq!(threads(60_000, 4_000, 3), 1);
        assert_eq!(threads(u32::MAX, u32::MAX, 8), 1);
    }
}
