//! The codestream that is given to OpenJPEG for a window: a smaller image, made of the tiles that the window touches,
//! without the resolutions and packets that it does not need.
//!
//! What is left has the same coordinates on the reference grid (B.2), divided where resolutions are left out. So each
//! tile, sub-band, precinct and code-block is the same as in the whole image, and so are the decoded samples.

use std::ops::Range;
use std::sync::Arc;

use super::codestream::{Codestream, MainHeader, Segment, Size};
use super::packets::{Area, Needed, Packet};
use super::segments::{COC, COD, EOC, SIZ, SOC, SOD, SOT};
use super::tile::{Tile, Tiles};
use super::tile_parts::SOT_LENGTH;
use crate::decode::DecodeError;
use crate::ffi::openjpeg::{Assembly, Part};
use crate::geometry::Dimensions;

/// What OpenJPEG decodes for a window.
pub struct Cut {
    pub codestream: Assembly,
    /// The header of the cut codestream.
    pub main: MainHeader,
    /// The window in its coordinates.
    pub part: Part,
}

/// Cuts what a part of the image needs out of a codestream.
///
/// # Errors
/// If tile-parts are damaged or missing.
pub fn cut(
    codestream: &Codestream,
    main: &MainHeader,
    tiles: &Tiles,
    part: &Part,
) -> Result<Cut, DecodeError> {
    if main.packed_headers {
        return Ok(whole(codestream, main, part));
    }
    let columns = main.size.columns(&(part.x0..part.x1));
    let rows = main.size.rows(&(part.y0..part.y1));
    let numbers = main
        .size
        .tile_numbers(&(part.x0..part.x1), &(part.y0..part.y1));
    let tiles = tiles.get(codestream, main, numbers)?;
    let cutter = Cutter::new(main, &tiles, part, &columns, &rows);
    cutter.cut(codestream, &tiles)
}

fn whole(codestream: &Codestream, main: &MainHeader, part: &Part) -> Cut {
    let mut whole = Assembly::new(codestream.input.clone());
    whole.push_stretch(codestream.offset..codestream.end());
    Cut {
        codestream: whole,
        main: main.clone(),
        part: *part,
    }
}

struct Cutter<'a> {
    main: &'a MainHeader,
    part: &'a Part,
    size: Size,
    /// How many of the largest resolutions are left out.
    dropped: u8,
}

impl<'a> Cutter<'a> {
    fn new(
        main: &'a MainHeader,
        tiles: &[Arc<Tile>],
        part: &'a Part,
        columns: &Range<u32>,
        rows: &Range<u32>,
    ) -> Self {
        let size = of_tiles(&main.size, columns, rows);
        let listed = tiles.iter().all(|tile| tile.packets.is_some());
        let smaller = reduced(&size, part.reduction).filter(|_| listed);
        let dropped = smaller.as_ref().map_or(0, |_| part.reduction);
        Self {
            main,
            part,
            size: smaller.unwrap_or(size),
            dropped,
        }
    }

    fn cut(self, codestream: &Codestream, tiles: &[Arc<Tile>]) -> Result<Cut, DecodeError> {
        let mut assembly = Assembly::new(codestream.input.clone());
        assembly.push(&SOC.to_be_bytes());
        for segment in &self.main.segments {
            push_segment(&mut assembly, &self.rewritten(segment));
        }
        for (number, tile) in (0..).zip(tiles) {
            self.push_tile(&mut assembly, number, tile)?;
        }
        assembly.push(&EOC.to_be_bytes());
        Ok(Cut {
            codestream: assembly,
            main: self.main_header(),
            part: self.smaller_part(),
        })
    }

    fn main_header(&self) -> MainHeader {
        let mut main = self.main.clone();
        main.size = self.size.clone();
        for style in &mut main.styles {
            style.levels -= self.dropped;
        }
        main
    }

    fn smaller_part(&self) -> Part {
        let [x0, y0, x1, y1] = [self.part.x0, self.part.y0, self.part.x1, self.part.y1]
            .map(|position| scaled(position, self.dropped));
        Part {
            x0,
            y0,
            x1,
            y1,
            reduction: self.part.reduction - self.dropped,
            tiles: self.part.tiles,
        }
    }

    /// The segment for the smaller image. Quantization for sub-bands that are left out does no harm.
    fn rewritten(&self, segment: &Segment) -> Segment {
        let mut segment = segment.clone();
        match segment.marker {
            SIZ => self.size.write(&mut segment.content),
            COD => drop_levels(&mut segment.content, 5, self.dropped),
            COC => drop_levels(&mut segment.content, 2, self.dropped),
            _ => {}
        }
        segment
    }

    fn push_tile(
        &self,
        assembly: &mut Assembly,
        number: u16,
        tile: &Tile,
    ) -> Result<(), DecodeError> {
        if !tile.can_be_joined {
            return push_parts(assembly, number, tile);
        }
        let packets = tile.packets.is_some().then(|| self.chosen(tile));
        let data: u64 = match &packets {
            Some(packets) => packets.iter().map(Chosen::length).sum(),
            None => tile.parts.iter().map(|part| length(&part.data)).sum(),
        };
        let segments = tile.segments.iter().map(Segment::length).sum::<u64>();
        push_start(assembly, number, segments + 2 + data, (0, 1))?;
        for segment in &tile.segments {
            push_segment(assembly, segment);
        }
        assembly.push(&SOD.to_be_bytes());
        match &packets {
            Some(packets) => packets.iter().for_each(|packet| packet.push(assembly)),
            None => {
                let parts = tile.parts.iter();
                parts.for_each(|part| assembly.push_stretch(part.data.clone()));
            }
        }
        Ok(())
    }

    /// What stands for each packet of a tile.
    fn chosen(&self, tile: &Tile) -> Vec<Chosen> {
        let window = Area {
            x: self.part.x0..self.part.x1,
            y: self.part.y0..self.part.y1,
        };
        let needed = Needed::of(self.main, &tile.area, &window, self.part.reduction);
        let mut chosen: Vec<Chosen> = Vec::new();
        for (index, packet, stretch) in tile.placed_packets() {
            if needed.holds(packet) {
                match chosen.last_mut() {
                    Some(Chosen::Stretch(last)) if last.end == stretch.start => {
                        last.end = stretch.end
                    }
                    _ => chosen.push(Chosen::Stretch(stretch)),
                }
            } else if self.is_kept(packet) {
                chosen.push(Chosen::Empty(self.empty(index)));
            }
        }
        chosen
    }

    /// Whether the resolution of a packet is in the smaller image.
    fn is_kept(&self, packet: &Packet) -> bool {
        let style = self.main.styles.get(usize::from(packet.component));
        style.is_some_and(|style| packet.resolution + self.dropped <= style.levels)
    }

    /// A packet without code-blocks: one bit (B.10.3), filled up to a byte.
    fn empty(&self, index: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.main.sequence.start_markers {
            let [high, low] = (index as u16).to_be_bytes();
            bytes.extend([0xFF, 0x91, 0, 4, high, low]);
        }
        bytes.push(0);
        if self.main.sequence.end_markers {
            bytes.extend([0xFF, 0x92]);
        }
        bytes
    }
}

enum Chosen {
    /// Packets of the input that follow each other.
    Stretch(Range<u64>),
    /// A packet without content in the place of one that is not needed.
    Empty(Vec<u8>),
}

impl Chosen {
    fn length(&self) -> u64 {
        match self {
            Self::Stretch(stretch) => length(stretch),
            Self::Empty(bytes) => bytes.len() as u64,
        }
    }

    fn push(&self, assembly: &mut Assembly) {
        match self {
            Self::Stretch(stretch) => assembly.push_stretch(stretch.clone()),
            Self::Empty(bytes) => assembly.push(bytes),
        }
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// The tile-parts as they are, but for the number of the tile.
fn push_parts(assembly: &mut Assembly, number: u16, tile: &Tile) -> Result<(), DecodeError> {
    let count = u8::try_from(tile.parts.len()).unwrap_or(0);
    for (index, part) in (0..=u8::MAX).zip(&tile.parts) {
        push_start(assembly, number, length(&part.body), (index, count))?;
        assembly.push_stretch(part.body.clone());
    }
    Ok(())
}

/// An SOT marker segment (A.4.2) before `body` bytes, with the tile-part's number and how many there are.
fn push_start(
    assembly: &mut Assembly,
    tile: u16,
    body: u64,
    (part, parts): (u8, u8),
) -> Result<(), DecodeError> {
    let length = u32::try_from(SOT_LENGTH.saturating_add(body))
        .map_err(|_| DecodeError::unsupported("a JPEG 2000 tile of 4 GiB"))?;
    assembly.push(&SOT.to_be_bytes());
    assembly.push(&10_u16.to_be_bytes());
    assembly.push(&tile.to_be_bytes());
    assembly.push(&length.to_be_bytes());
    assembly.push(&[part, parts]);
    Ok(())
}

fn push_segment(assembly: &mut Assembly, segment: &Segment) {
    let length = u16::try_from(segment.content.len() + 2).unwrap_or(u16::MAX);
    assembly.push(&segment.marker.to_be_bytes());
    assembly.push(&length.to_be_bytes());
    assembly.push(&segment.content);
}

/// Takes the largest resolutions out of the coding style parameters (table A.15) that begin at `at`.
fn drop_levels(content: &mut Vec<u8>, at: usize, dropped: u8) {
    const BEFORE_PRECINCTS: usize = 5;
    if let Some(levels) = content.get_mut(at) {
        *levels = levels.saturating_sub(dropped);
        let kept = at + BEFORE_PRECINCTS + usize::from(*levels) + 1;
        content.truncate(kept);
    }
}

/// The image that consists of some columns and rows of tiles.
fn of_tiles(size: &Size, columns: &Range<u32>, rows: &Range<u32>) -> Size {
    let along = |origin: u32, side: u32, tiles: &Range<u32>, start: u32, end: u32| {
        let border = |tile: u32| u64::from(origin) + u64::from(side) * u64::from(tile);
        let first = u32::try_from(border(tiles.start)).unwrap_or(u32::MAX);
        let last = u32::try_from(border(tiles.end)).unwrap_or(u32::MAX);
        (first, start.max(first), end.min(last))
    };
    let mut size = size.clone();
    let (tile, (x, y)) = (size.tile, size.tile_origin);
    let (x, x_start, x_end) = along(x, tile.width(), columns, size.x.start, size.x.end);
    let (y, y_start, y_end) = along(y, tile.height(), rows, size.y.start, size.y.end);
    size.tile_origin = (x, y);
    (size.x.start, size.x.end) = (x_start, x_end);
    (size.y.start, size.y.end) = (y_start, y_end);
    size
}

/// The image without some resolutions: it lies on a coarser grid. `None` if the borders of tiles do not.
fn reduced(size: &Size, dropped: u8) -> Option<Size> {
    let along = |origin: u32, side: u32, start: u32, end: u32| {
        let (from, to) = (scaled(start, dropped), scaled(end, dropped));
        if u64::from(origin) + u64::from(side) >= u64::from(end) {
            // A single tile is as large as the image.
            return (from < to).then(|| (from, to - from, from, to));
        }
        let fits = |length: u32| u64::from(length) % (1 << dropped) == 0;
        let (origin, side) =
            (fits(origin) && fits(side)).then(|| (origin >> dropped, side >> dropped))?;
        (origin + side > from).then_some((origin, side, from, to))
    };
    let mut smaller = size.clone();
    let tile = size.tile;
    let (x, width, x_start, x_end) =
        along(size.tile_origin.0, tile.width(), size.x.start, size.x.end)?;
    let (y, height, y_start, y_end) =
        along(size.tile_origin.1, tile.height(), size.y.start, size.y.end)?;
    smaller.tile_origin = (x, y);
    smaller.tile = Dimensions::new(width, height)?;
    (smaller.x.start, smaller.x.end) = (x_start, x_end);
    (smaller.y.start, smaller.y.end) = (y_start, y_end);
    Some(smaller)
}

fn scaled(position: u32, dropped: u8) -> u32 {
    u32::try_from(u64::from(position).div_ceil(1 << dropped)).unwrap_or(u32::MAX)
}
