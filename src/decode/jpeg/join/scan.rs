//! The walk through the codes of a tile, which finds where each row of coded units begins and ends.

use super::Tables;
use super::bits::Bits;
use super::huffman::{Table, number};
use super::stream::{MOST_COMPONENTS, Stream};

/// Coefficients of a block.
const BLOCK: u32 = 64;
/// Bits of a DC difference of 8-bit samples (T.81, table F.1).
const LARGEST_DC: u32 = 11;
/// Quantised coefficients have no more bits than this, whatever the quantisation.
const MOST_DC: i32 = 1 << 15;

/// The codes of a tile, row after row.
pub struct Scan {
    pub data: Bits,
    position: usize,
    /// The component of each block of a unit, in the order of the stream.
    blocks: Vec<usize>,
    /// Units in a row, and how many of them are wanted.
    units: u32,
    wanted: u32,
    last: [i32; MOST_COMPONENTS],
}

/// The wanted units of one row, the first ones.
pub struct Piece {
    pub start: usize,
    pub end: usize,
    /// The first DC coefficient of each component.
    pub first: [Dc; MOST_COMPONENTS],
    /// The last ones.
    pub last: [i32; MOST_COMPONENTS],
}

/// A DC coefficient, and where its difference is coded.
#[derive(Clone, Copy, Default)]
pub struct Dc {
    pub start: usize,
    pub end: usize,
    pub value: i32,
}

impl Scan {
    /// `None` if there is a marker in the data.
    pub fn new(tile: &Stream<'_>, wanted: u32) -> Option<Self> {
        let mut blocks = Vec::new();
        for (index, component) in tile.components.iter().enumerate() {
            blocks.extend((0..component.blocks).map(|_| index));
        }
        Some(Self {
            data: Bits::unstuffed(tile.scan)?,
            position: 0,
            blocks,
            units: tile.dimensions.width().div_ceil(tile.unit().width()),
            wanted,
            last: [0; MOST_COMPONENTS],
        })
    }

    /// `None` if the data are broken or end too early.
    pub fn next_row(&mut self, tables: &Tables) -> Option<Piece> {
        let mut piece = Piece {
            start: self.position,
            end: self.position,
            first: [Dc::default(); MOST_COMPONENTS],
            last: self.last,
        };
        for unit in 0..self.units {
            let mut seen = [false; MOST_COMPONENTS];
            for index in 0..self.blocks.len() {
                let component = self.blocks[index];
                let dc = self.block(component, tables)?;
                if unit == 0 && !seen[component] {
                    piece.first[component] = dc;
                    seen[component] = true;
                }
            }
            if unit + 1 == self.wanted {
                piece.end = self.position;
                piece.last = self.last;
            }
        }
        (self.position <= self.data.length).then_some(piece)
    }

    /// Passes one block.
    fn block(&mut self, component: usize, tables: &Tables) -> Option<Dc> {
        let tables = &tables[component];
        let start = self.position;
        let bits = self.data.look(start);
        let (length, size) = tables.dc.decode(bits);
        let size = u32::from(size);
        if length == 0 || size > LARGEST_DC {
            return None;
        }
        let end = start + (length + size) as usize;
        self.last[component] += number(bits << length, size);
        if self.last[component].abs() > MOST_DC {
            return None;
        }
        self.position = self.pass_ac(&tables.ac, end)?;
        Some(Dc {
            start,
            end,
            value: self.last[component],
        })
    }

    /// The position after the AC coefficients (F.2.2.2).
    fn pass_ac(&self, table: &Table, start: usize) -> Option<usize> {
        const END_OF_BLOCK: u8 = 0;
        let mut position = start;
        let mut coefficient = 1;
        while coefficient < BLOCK {
            let (length, symbol) = table.decode(self.data.look(position));
            if length == 0 {
                return None;
            }
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            position += (length + size) as usize;
            if symbol == END_OF_BLOCK {
                return Some(position);
            }
            // Sixteen zeros are the only run that ends with none; decoders end the block at others.
            if size == 0 && run != 15 {
                return None;
            }
            coefficient += run + 1;
        }
        (coefficient == BLOCK).then_some(position)
    }
}
