//! Joins baseline JPEGs that lie side by side into one, without decoding pixels.
//!
//! Neighbouring tiles of an image have the same quantisation and Huffman tables. Coded units (MCUs) come row by row, so
//! those of the joined image are the first row of the first tile, the first row of the second, and so on: the same
//! bits in another order. Only the first DC coefficient of each component in each of these pieces is coded as a
//! difference to what came before it (ITU-T T.81, F.1.1.5.1), and is coded anew. Every coefficient stays what it was.

mod bits;
mod huffman;
mod scan;
mod stream;

use self::bits::Writer;
use self::huffman::Table;
use self::scan::{Piece, Scan};
pub use self::stream::Stream;
use crate::geometry::Dimensions;

/// Tiles row by row, `columns` in each row, to one JPEG of these dimensions, which end within the last column and row.
/// `header` are the marker segments that come first, such as JFIF.
///
/// `None` if the tiles do not fit together, are coded in another way, or are broken.
pub fn join(
    tiles: &[Stream<'_>],
    columns: usize,
    dimensions: Dimensions,
    header: &[u8],
) -> Option<Vec<u8>> {
    let first = tiles.first()?;
    if !tiles.iter().all(|tile| tile.is_coded_like(first)) {
        return None;
    }
    let mut joined = Joined::new(first)?;
    let mut left = dimensions.height();
    for row in tiles.chunks(columns) {
        let height = row.first()?.dimensions.height().min(left);
        left -= height;
        joined.append(row, dimensions.width(), height, left == 0)?;
    }
    let scan = joined.writer.finish();
    (left == 0).then(|| first.with_scan(header, dimensions, &scan))
}

/// The tables of each component.
type Tables = Vec<ComponentTables>;

struct ComponentTables {
    dc: Table,
    ac: Table,
}

/// The entropy-coded data so far.
struct Joined<'a> {
    first: &'a Stream<'a>,
    tables: Tables,
    writer: Writer,
    /// The last DC coefficient of each component.
    last: [i32; stream::MOST_COMPONENTS],
}

impl<'a> Joined<'a> {
    fn new(first: &'a Stream<'a>) -> Option<Self> {
        Some(Self {
            first,
            tables: first.tables()?,
            writer: Writer::default(),
            last: [0; stream::MOST_COMPONENTS],
        })
    }

    /// One row of tiles: of this width in all, and of each the upper part of this height.
    fn append(
        &mut self,
        tiles: &[Stream<'_>],
        width: u32,
        height: u32,
        is_last: bool,
    ) -> Option<()> {
        let unit = self.first.unit();
        if !is_last && !height.is_multiple_of(unit.height()) {
            return None;
        }
        let mut left = width;
        let mut scans = Vec::with_capacity(tiles.len());
        for tile in tiles {
            let wanted = tile.dimensions.width().min(left);
            left -= wanted;
            let ends_within_a_unit = !wanted.is_multiple_of(unit.width());
            if tile.dimensions.height() < height || wanted == 0 || (ends_within_a_unit && left > 0)
            {
                return None;
            }
            let wanted = wanted.div_ceil(unit.width());
            scans.push(Scan::new(tile, wanted)?);
        }
        for _ in 0..height.div_ceil(unit.height()) {
            for scan in &mut scans {
                let piece = scan.next_row(&self.tables)?;
                self.append_piece(scan, &piece)?;
            }
        }
        (left == 0).then_some(())
    }

    fn append_piece(&mut self, scan: &Scan, piece: &Piece) -> Option<()> {
        let mut at = piece.start;
        for ((tables, dc), last) in self.tables.iter().zip(&piece.first).zip(self.last) {
            self.writer.copy(&scan.data, at, dc.start);
            tables.dc.encode(dc.value - last, &mut self.writer)?;
            at = dc.end;
        }
        self.writer.copy(&scan.data, at, piece.end);
        self.last = piece.last;
        Some(())
    }
}

#[cfg(test)]
mod tests;
