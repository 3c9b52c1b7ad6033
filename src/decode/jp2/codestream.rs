//! The main header of a codestream (ISO/IEC 15444-1, annex A).

use std::ops::Range;

use azulejo_jpeg2000::Markers;

use super::coding;
use super::fields::{Fields, malformed};
use super::grid::Axis;
use super::packets::Area;
use super::segments::{CAP, COC, COD, POC, PPM, SIZ, SOC, SOT, Segments, TLM};
use crate::decode::DecodeError;
use crate::geometry::Dimensions;
use crate::input::Input;

/// More marker segments than any main header has (TLM, PPM and PLM count up to 256 each): a bound on reading.
const MOST_SEGMENTS: usize = 4096;
/// Bytes read at once; main headers are mostly shorter.
const READ_BUFFER: usize = 4096;
/// Components beyond this are no image for people.
pub const MOST_COMPONENTS: usize = 64;
/// Tile numbers have 16 bits, and 65,535 of them may be used (A.4.2).
const MOST_TILES: u64 = 65_535;
/// `Ssiz` holds a sign in its highest bit (table A.11).
const SIGNED: u8 = 0x80;
/// Beyond this a codestream declares no more decomposition levels (table A.15).
const MOST_LEVELS: u8 = 32;

/// Bytes of the marker segments that are kept.
const LONGEST_HEADER: usize = 1 << 20;

/// Where a codestream lies in an input.
#[derive(Clone)]
pub struct Codestream {
    pub input: Input,
    pub offset: u64,
    pub length: u64,
}

impl Codestream {
    pub fn end(&self) -> u64 {
        let end = self.offset.saturating_add(self.length);
        end.min(self.input.size())
    }
}

/// What the main header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MainHeader {
    pub size: Size,
    /// The coding style of each component.
    pub styles: Vec<Style>,
    pub sequence: Sequence,
    /// The marker segments that decoding needs, in their order, SIZ the first.
    pub segments: Vec<Segment>,
    /// The contents of the TLM marker segments in the input.
    pub tile_part_lengths: Vec<Range<u64>>,
    /// The packet headers stand in the main header (PPM), in the order of the tile-parts.
    pub packed_headers: bool,
    /// Where the first tile-part begins in the input.
    pub end: u64,
}

/// How the packets of a tile follow each other, from COD (A.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The number of the progression order (table A.16).
    pub order: u8,
    pub layers: u16,
    /// SOP markers may stand before packets.
    pub start_markers: bool,
    /// EPH markers stand after packet headers.
    pub end_markers: bool,
    /// The order changes within a tile (POC).
    pub changes: bool,
    /// The number of the transform of several components (table A.17).
    pub color_transform: u8,
}

/// A marker segment without its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub marker: u16,
    pub content: Vec<u8>,
}

/// The SIZ marker segment (A.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub x: Axis,
    pub y: Axis,
    pub tile: Dimensions,
    /// The corner of the first tile on the reference grid.
    pub tile_origin: (u32, u32),
    pub components: Vec<Component>,
}

/// One component in SIZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    pub precision: u8,
    pub signed: bool,
    /// Reference grid positions from one sample to the next.
    pub step_x: u32,
    pub step_y: u32,
}

/// The coding style of a component (A.6.1, A.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Decomposition levels.
    pub levels: u8,
    /// Logarithms of the sides of a code-block.
    pub block: (u8, u8),
    /// The code-block style (table A.19).
    pub modes: u8,
    pub reversible: bool,
    /// The logarithms of the precincts' sides for each resolution, the smallest first; empty if not declared.
    pub precincts: Vec<(u8, u8)>,
}

impl Style {
    /// Code-blocks of Part 15.
    pub fn is_high_throughput(&self) -> bool {
        const HIGH_THROUGHPUT: u8 = 0x40;
        self.modes & HIGH_THROUGHPUT != 0
    }

    /// The logarithms of the sides of the precincts of a resolution; 15 means no division (A.6.1).
    pub fn precinct(&self, resolution: usize) -> (u8, u8) {
        self.precincts.get(resolution).copied().unwrap_or((15, 15))
    }
}

impl Size {
    /// The range of tile columns or of tile rows (B-5 to B-8) that a stretch of the grid touches.
    pub fn tiles_touched(start: u32, end: u32, origin: u32, side: u32) -> Range<u32> {
        let first = (start.saturating_sub(origin)) / side;
        let last = end.saturating_sub(origin).div_ceil(side);
        first..last
    }

    /// The tile columns that a stretch of the grid touches.
    pub fn columns(&self, x: &Range<u32>) -> Range<u32> {
        Self::tiles_touched(x.start, x.end, self.tile_origin.0, self.tile.width())
    }

    /// The tile rows that a stretch of the grid touches.
    pub fn rows(&self, y: &Range<u32>) -> Range<u32> {
        Self::tiles_touched(y.start, y.end, self.tile_origin.1, self.tile.height())
    }

    /// The numbers of the tiles that a rectangle of the grid touches.
    pub fn tile_numbers(
        &self,
        x: &Range<u32>,
        y: &Range<u32>,
    ) -> impl Iterator<Item = u16> + Clone + use<> {
        let (columns, rows) = (self.columns(x), self.rows(y));
        let all_columns = self.columns(&(self.x.start..self.x.end)).end;
        let number = move |row, column| u16::try_from(row * all_columns + column);
        rows.flat_map(move |row| {
            columns
                .clone()
                .map(move |column| number(row, column).unwrap_or(u16::MAX))
        })
    }

    /// How many tiles a rectangle of the grid touches.
    pub fn tile_count(&self, x: &Range<u32>, y: &Range<u32>) -> u64 {
        self.columns(x).len() as u64 * self.rows(y).len() as u64
    }

    /// Where on the grid a tile lies (B-7 to B-10).
    pub fn tile_area(&self, number: u16) -> Area {
        let columns = self.columns(&(self.x.start..self.x.end)).end.max(1);
        let (row, column) = (u32::from(number) / columns, u32::from(number) % columns);
        let along = |tile: u32, origin: u32, side: u32, axis: &Axis| {
            let start = origin.saturating_add(side.saturating_mul(tile));
            start.max(axis.start)..start.saturating_add(side).min(axis.end)
        };
        Area {
            x: along(column, self.tile_origin.0, self.tile.width(), &self.x),
            y: along(row, self.tile_origin.1, self.tile.height(), &self.y),
        }
    }

    /// Puts the image and its tiles into the content of a SIZ marker segment.
    pub fn write(&self, content: &mut [u8]) {
        let (x, y) = self.tile_origin;
        let values = [
            self.x.end,
            self.y.end,
            self.x.start,
            self.y.start,
            self.tile.width(),
            self.tile.height(),
            x,
            y,
        ];
        for (field, value) in content[2..].chunks_exact_mut(4).zip(values) {
            field.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// The least rectangle of the grid that consists of whole tiles, as far as they lie in the image, and holds this one.
    pub fn whole_tiles(&self, x: &Range<u32>, y: &Range<u32>) -> (Range<u32>, Range<u32>) {
        let grown = |part: &Range<u32>, image: Range<u32>, origin: u32, side: u32| {
            let tiles = Self::tiles_touched(part.start, part.end, origin, side);
            let edge = |tile: u32| origin.saturating_add(tile.saturating_mul(side));
            edge(tiles.start).max(image.start)..edge(tiles.end).min(image.end)
        };
        let (left, top) = self.tile_origin;
        (
            grown(x, self.x.start..self.x.end, left, self.tile.width()),
            grown(y, self.y.start..self.y.end, top, self.tile.height()),
        )
    }

    /// Tiles in all.
    pub fn all_tiles(&self) -> u64 {
        self.tile_count(&(self.x.start..self.x.end), &(self.y.start..self.y.end))
    }

    /// The pixels of the level, or `None` if the level or one of its components has none.
    pub fn dimensions(&self, reduction: u8) -> Option<Dimensions> {
        let all_have_samples = self.components.iter().all(|component| {
            !self.x.samples(component.step_x, reduction).is_empty()
                && !self.y.samples(component.step_y, reduction).is_empty()
        });
        if !all_have_samples {
            return None;
        }
        Dimensions::new(self.x.pixels(reduction), self.y.pixels(reduction))
    }
}

impl MainHeader {
    /// Which markers stand in packets.
    pub fn markers(&self) -> Markers {
        Markers {
            start: self.sequence.start_markers,
            end: self.sequence.end_markers,
        }
    }

    /// Whether any component is coded by Part 15.
    pub fn is_high_throughput(&self) -> bool {
        self.styles.iter().any(Style::is_high_throughput)
    }

    /// Whether tiles are decoded by our own decoder, unless their headers bring something else. It takes making the coding of one.
    pub fn is_ours(&self) -> bool {
        !self.sequence.changes && coding::of_tile(self, &self.size.tile_area(0), &[]).is_some()
    }

    /// Reads the header, a few kilobytes from the start of the codestream.
    ///
    /// # Errors
    /// If it breaks the rules, ends too early or has values that no image needs.
    pub fn read(codestream: &Codestream) -> Result<Self, DecodeError> {
        let start = codestream.offset..codestream.end();
        let mut segments = Segments::new(&codestream.input, start, READ_BUFFER);
        if segments.marker()? != SOC {
            return Err(malformed("no start of codestream"));
        }
        if segments.marker()? != SIZ {
            return Err(malformed("the size does not come first"));
        }
        let content = segments.content()?;
        let mut found = Found::new(parse_size(&content)?);
        found.keep(SIZ, content)?;
        for _ in 0..MOST_SEGMENTS {
            match segments.marker()? {
                SOT => return found.into_header(segments.position() - 2),
                marker => found.read(marker, &mut segments)?,
            }
        }
        Err(malformed("a main header without an end"))
    }

    /// The decomposition levels that every component has.
    pub fn levels(&self) -> u8 {
        self.styles
            .iter()
            .map(|style| style.levels)
            .min()
            .unwrap_or(0)
    }

    /// How the pixels are coded, for people.
    pub fn coding(&self) -> String {
        let reversible = self.styles.iter().all(|style| style.reversible);
        format!(
            "{}, {}",
            if self.is_high_throughput() {
                "HTJ2K"
            } else {
                "JPEG 2000"
            },
            if reversible {
                "reversible"
            } else {
                "irreversible"
            },
        )
    }
}

impl Segment {
    /// Bytes with the marker and the length.
    pub fn length(&self) -> u64 {
        self.content.len() as u64 + 4
    }
}

/// What has been read of a main header.
struct Found {
    size: Size,
    default: Option<(Style, Sequence)>,
    /// From COC: the style of one component.
    own: Vec<Option<Style>>,
    changes: bool,
    segments: Vec<Segment>,
    kept: usize,
    tile_part_lengths: Vec<Range<u64>>,
    packed_headers: bool,
}

impl Found {
    fn new(size: Size) -> Self {
        Self {
            own: vec![None; size.components.len()],
            size,
            default: None,
            changes: false,
            segments: Vec::new(),
            kept: 0,
            tile_part_lengths: Vec::new(),
            packed_headers: false,
        }
    }

    fn read(&mut self, marker: u16, segments: &mut Segments) -> Result<(), DecodeError> {
        match marker {
            TLM => self.tile_part_lengths.push(segments.skip()?),
            PPM => {
                self.packed_headers = true;
                segments.skip()?;
            }
            // Beside these, the markers of Part 1 for the main header and those of Part 2 for component transforms.
            CAP | COD | COC | POC | 0xFF59..=0xFF5E | 0xFF74..=0xFF78 => {
                let content = segments.content()?;
                self.parse(marker, &content)?;
                self.keep(marker, content)?;
            }
            // Lengths of packets (PLM), positions of components, remarks: nothing that decoding needs.
            _ => {
                segments.skip()?;
            }
        }
        Ok(())
    }

    fn parse(&mut self, marker: u16, content: &[u8]) -> Result<(), DecodeError> {
        match marker {
            COD => self.default = Some(parse_default_style(content)?),
            COC => {
                let (component, style) = parse_component_style(content, self.own.len())?;
                if let Some(own) = self.own.get_mut(component) {
                    *own = Some(style);
                }
            }
            POC => self.changes = true,
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, marker: u16, content: Vec<u8>) -> Result<(), DecodeError> {
        self.kept += content.len();
        if self.kept > LONGEST_HEADER {
            return Err(DecodeError::TooLarge {
                what: "a JPEG 2000 main header",
                value: self.kept as u64,
                limit: LONGEST_HEADER as u64,
            });
        }
        self.segments.push(Segment { marker, content });
        Ok(())
    }

    /// COD gives the style of all components, a COC that of one, whichever comes first (A.6.2).
    fn into_header(self, end: u64) -> Result<MainHeader, DecodeError> {
        let (default, sequence) = self.default.ok_or_else(|| malformed("no coding style"))?;
        let own = self.own.into_iter();
        Ok(MainHeader {
            size: self.size,
            styles: own.map(|own| own.unwrap_or(default.clone())).collect(),
            sequence: Sequence {
                changes: self.changes,
                ..sequence
            },
            segments: self.segments,
            tile_part_lengths: self.tile_part_lengths,
            packed_headers: self.packed_headers,
            end,
        })
    }
}

fn parse_size(content: &[u8]) -> Result<Size, DecodeError> {
    let mut fields = Fields(content);
    let _capabilities = fields.u16()?;
    let (x_end, y_end) = (fields.u32()?, fields.u32()?);
    let (x_start, y_start) = (fields.u32()?, fields.u32()?);
    let tile = Dimensions::new(fields.u32()?, fields.u32()?);
    let tile = tile.ok_or_else(|| malformed("a tile without area"))?;
    let tile_origin = (fields.u32()?, fields.u32()?);
    let components = parse_components(&mut fields)?;
    let step = |of: fn(&Component) -> u32| components.iter().map(of).min().unwrap_or(1);
    let size = Size {
        x: axis(x_start, x_end, step(|component| component.step_x))?,
        y: axis(y_start, y_end, step(|component| component.step_y))?,
        tile,
        tile_origin,
        components,
    };
    check_tiles(&size)?;
    Ok(size)
}

fn axis(start: u32, end: u32, step: u32) -> Result<Axis, DecodeError> {
    if start >= end {
        return Err(malformed("an image without area"));
    }
    // OpenJPEG counts with 32-bit signed integers.
    if end > i32::MAX as u32 {
        return Err(DecodeError::unsupported("an image longer than 2^31 pixels"));
    }
    Ok(Axis { start, end, step })
}

fn parse_components(fields: &mut Fields<'_>) -> Result<Vec<Component>, DecodeError> {
    let count = usize::from(fields.u16()?);
    if count == 0 {
        return Err(malformed("no components"));
    }
    if count > MOST_COMPONENTS {
        return Err(DecodeError::unsupported(format!(
            "a JPEG 2000 image of {count} components"
        )));
    }
    (0..count).map(|_| parse_component(fields)).collect()
}

fn parse_component(fields: &mut Fields<'_>) -> Result<Component, DecodeError> {
    let depth = fields.u8()?;
    let component = Component {
        precision: (depth & !SIGNED) + 1,
        signed: depth & SIGNED != 0,
        step_x: u32::from(fields.u8()?),
        step_y: u32::from(fields.u8()?),
    };
    if component.step_x == 0 || component.step_y == 0 {
        return Err(malformed("a component with a step of zero"));
    }
    if component.precision > 16 {
        return Err(DecodeError::unsupported(format!(
            "a JPEG 2000 component of {} bits",
            component.precision
        )));
    }
    Ok(component)
}

/// The first tile must contain part of the image (B-3, B-4), and tiles must have numbers.
fn check_tiles(size: &Size) -> Result<(), DecodeError> {
    let holds = |origin: u32, side: u32, start: u32| {
        origin <= start && u64::from(origin) + u64::from(side) > u64::from(start)
    };
    if !holds(size.tile_origin.0, size.tile.width(), size.x.start)
        || !holds(size.tile_origin.1, size.tile.height(), size.y.start)
    {
        return Err(malformed("the first tile lies outside the image"));
    }
    let tiles = size.all_tiles();
    if tiles > MOST_TILES {
        return Err(malformed(format!("{tiles} tiles")));
    }
    Ok(())
}

fn parse_default_style(content: &[u8]) -> Result<(Style, Sequence), DecodeError> {
    const START_MARKERS: u8 = 2;
    const END_MARKERS: u8 = 4;
    let mut fields = Fields(content);
    let flags = fields.u8()?;
    let (order, layers, color_transform) = (fields.u8()?, fields.u16()?, fields.u8()?);
    let sequence = Sequence {
        order,
        layers,
        start_markers: flags & START_MARKERS != 0,
        end_markers: flags & END_MARKERS != 0,
        changes: false,
        color_transform,
    };
    Ok((parse_style(&mut fields, flags)?, sequence))
}

fn parse_component_style(content: &[u8], components: usize) -> Result<(usize, Style), DecodeError> {
    let mut fields = Fields(content);
    let component = if components < 257 {
        usize::from(fields.u8()?)
    } else {
        usize::from(fields.u16()?)
    };
    let flags = fields.u8()?;
    Ok((component, parse_style(&mut fields, flags)?))
}

/// The SPcod and SPcoc parameters (table A.15).
fn parse_style(fields: &mut Fields<'_>, flags: u8) -> Result<Style, DecodeError> {
    const PRECINCTS_DECLARED: u8 = 1;
    let levels = fields.u8()?;
    if levels > MOST_LEVELS {
        return Err(malformed(format!("{levels} decomposition levels")));
    }
    let (width, height) = (fields.u8()?, fields.u8()?);
    // Exponents are stored less two; a block has at most 4096 samples (table A.18).
    if width > 8 || height > 8 || width + height > 8 {
        return Err(malformed("a code-block that is too large"));
    }
    let modes = fields.u8()?;
    let reversible = match fields.u8()? {
        0 => false,
        1 => true,
        _ => return Err(malformed("an unknown wavelet transform")),
    };
    let precincts = if flags & PRECINCTS_DECLARED == 0 {
        Vec::new()
    } else {
        let sizes = (0..=levels).map(|_| fields.u8().map(|size| (size & 15, size >> 4)));
        sizes.collect::<Result<_, _>>()?
    };
    Ok(Style {
        levels,
        block: (width + 2, height + 2),
        modes,
        reversible,
        precincts,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::Counting;
    use super::*;

    /// 300 x 200 at offset (10, 20), tiles of 128, one full and one half-size component.
    fn size_segment() -> Vec<u8> {
        let mut bytes = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 38 + 6, 0, 0];
        for value in [310_u32, 220, 10, 20, 128, 128, 0, 0] {
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend([0, 2, 7, 1, 1, 0x80 | 11, 2, 2]);
        bytes
    }

    fn header() -> Vec<u8> {
        let mut bytes = size_segment();
        // A comment, which is skipped.
        bytes.extend([0xFF, 0x64, 0, 5, 0, 1, b'x']);
        // COD: precincts declared, 2 levels, blocks of 64, reversible, precincts of 64, 128 and 256.
        let cod = [
            0xFF, 0x52, 0, 15, 1, 2, 0, 1, 0, 2, 4, 4, 0, 1, 0x66, 0x77, 0x88,
        ];
        bytes.extend(cod);
        // COC for component 1: one level, high throughput, irreversible.
        bytes.extend([0xFF, 0x53, 0, 9, 1, 0, 1, 4, 4, 0x40, 0]);
        bytes.extend([0xFF, 0x90]);
        bytes
    }

    fn read(bytes: Vec<u8>) -> Result<MainHeader, DecodeError> {
        let length = bytes.len() as u64;
        MainHeader::read(&Codestream {
            input: Arc::new(bytes),
            offset: 0,
            length,
        })
    }

    #[test]
    fn size_and_styles_are_read() {
        let header = read(header()).unwrap();
        assert_eq!(header.size.dimensions(0), Dimensions::new(300, 200));
        assert_eq!(header.size.dimensions(1), Dimensions::new(150, 100));
        assert_eq!(header.size.all_tiles(), 3 * 2);
        assert_eq!(
            header.size.components[1],
            Component {
                precision: 12,
                signed: true,
                step_x: 2,
                step_y: 2
            }
        );
        assert_eq!(header.styles[0].precinct(2), (8, 8));
        assert_eq!(header.styles[1].precinct(0), (15, 15));
        assert_eq!(header.levels(), 1);
        assert_eq!(header.coding(), "HTJ2K, irreversible");
    }

    #[test]
    fn segments_that_are_skipped_are_not_read() {
        let (size, rest) = (size_segment(), header().split_off(size_segment().len()));
        let comment = [&[0xFF, 0x64, 0xFF, 0xFF][..], &[1; 65_533]].concat();
        let bytes = [size, comment.repeat(50), rest].concat();
        let length = bytes.len() as u64;
        let input = Counting::new(bytes);
        let main = MainHeader::read(&Codestream {
            input: Arc::clone(&input) as Input,
            offset: 0,
            length,
        });
        let main = main.unwrap();
        let plain = read(header()).unwrap();
        assert_eq!((main.size, main.segments), (plain.size, plain.segments));
        let bytes_read = input.bytes_read();
        assert!(bytes_read <= 52 * READ_BUFFER, "{bytes_read} bytes");
    }

    #[test]
    fn tiles_are_counted_from_their_own_origin() {
        let size = read(header()).unwrap().size;
        assert_eq!(size.tile_count(&(127..129), &(20..21)), 2);
        assert_eq!(size.tile_count(&(128..256), &(127..129)), 2);
    }

    #[test]
    fn a_header_cut_anywhere_is_an_error() {
        let bytes = header();
        for length in 0..bytes.len() {
            assert!(read(bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn absurd_sizes_are_errors() {
        let with = |at: usize, value: u32| {
            let mut bytes = header();
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
            read(bytes)
        };
        assert!(with(8, 10).is_err(), "no width");
        assert!(with(8, u32::MAX).is_err(), "wider than OpenJPEG can");
        assert!(with(24, 0).is_err(), "tiles without width");
        assert!(with(24, 1).is_err(), "the first tile before the image");
        assert!(with(32, 11).is_err(), "the first tile after the image");
    }

    #[test]
    fn more_tiles_than_numbers_are_an_error() {
        let mut bytes = header();
        bytes[8..12].copy_from_slice(&1_000_000_u32.to_be_bytes());
        bytes[12..16].copy_from_slice(&1_000_000_u32.to_be_bytes());
        let error = read(bytes).unwrap_err().to_string();
        assert_eq!(error, "broken JPEG 2000: 61042969 tiles");
    }
}
