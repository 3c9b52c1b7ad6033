//! The main header of a codestream (ISO/IEC 15444-1, annex A).

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use super::fields::{Fields, malformed};
use super::grid::Axis;
use crate::decode::DecodeError;
use crate::ffi::openjpeg::Codestream;
use crate::geometry::Dimensions;
use crate::input::Input;

const SOC: u16 = 0xFF4F;
const SIZ: u16 = 0xFF51;
const COD: u16 = 0xFF52;
const COC: u16 = 0xFF53;
const SOT: u16 = 0xFF90;

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

/// What the main header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MainHeader {
    pub size: Size,
    /// The coding style of each component.
    pub styles: Vec<Style>,
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
    /// Code-blocks of Part 15.
    pub high_throughput: bool,
    pub reversible: bool,
    /// The logarithms of the precincts' sides for each resolution, the smallest first; empty if not declared.
    pub precincts: Vec<(u8, u8)>,
}

impl Style {
    /// The logarithms of the sides of the precincts of a resolution; 15 means no division (A.6.1).
    pub fn precinct(&self, resolution: usize) -> (u8, u8) {
        self.precincts.get(resolution).copied().unwrap_or((15, 15))
    }
}

impl Size {
    /// The range of tile columns and of tile rows (B-5 to B-8) that a stretch of the grid touches.
    fn tiles_touched(start: u32, end: u32, origin: u32, side: u32) -> Range<u32> {
        let first = (start.saturating_sub(origin)) / side;
        let last = end.saturating_sub(origin).div_ceil(side);
        first..last
    }

    /// How many tiles a rectangle of the grid touches.
    pub fn tile_count(&self, x: &Range<u32>, y: &Range<u32>) -> u64 {
        let columns = Self::tiles_touched(x.start, x.end, self.tile_origin.0, self.tile.width());
        let rows = Self::tiles_touched(y.start, y.end, self.tile_origin.1, self.tile.height());
        columns.len() as u64 * rows.len() as u64
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
    /// Reads the header, a few kilobytes from the start of the codestream.
    ///
    /// # Errors
    /// If it breaks the rules, ends too early or has values that no image needs.
    pub fn read(codestream: &Codestream) -> Result<Self, DecodeError> {
        let mut segments = Segments::new(codestream);
        if segments.marker()? != SOC {
            return Err(malformed("no start of codestream"));
        }
        if segments.marker()? != SIZ {
            return Err(malformed("the size does not come first"));
        }
        let size = parse_size(&segments.content()?)?;
        let styles = read_styles(&mut segments, size.components.len())?;
        Ok(Self { size, styles })
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
        let high_throughput = self.styles.iter().any(|style| style.high_throughput);
        let reversible = self.styles.iter().all(|style| style.reversible);
        format!(
            "{}, {}",
            if high_throughput {
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

/// COD gives the style of all components, a COC that of one, whichever comes first (A.6.2).
fn read_styles(segments: &mut Segments, components: usize) -> Result<Vec<Style>, DecodeError> {
    let mut default = None;
    let mut own: Vec<Option<Style>> = vec![None; components];
    for _ in 0..MOST_SEGMENTS {
        match segments.marker()? {
            SOT => {
                let default: Style = default.ok_or_else(|| malformed("no coding style"))?;
                let styles = own.into_iter();
                return Ok(styles.map(|own| own.unwrap_or(default.clone())).collect());
            }
            COD => default = Some(parse_default_style(&segments.content()?)?),
            COC => {
                let (component, style) = parse_component_style(&segments.content()?, components)?;
                if let Some(own) = own.get_mut(component) {
                    *own = Some(style);
                }
            }
            _ => segments.skip()?,
        }
    }
    Err(malformed("a main header without an end"))
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

fn parse_default_style(content: &[u8]) -> Result<Style, DecodeError> {
    let mut fields = Fields(content);
    let flags = fields.u8()?;
    let _progression_layers_and_color_transform = fields.take::<4>()?;
    parse_style(&mut fields, flags)
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
    const HIGH_THROUGHPUT: u8 = 0x40;
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
    let reversible = fields.u8()? == 1;
    let precincts = if flags & PRECINCTS_DECLARED == 0 {
        Vec::new()
    } else {
        let sizes = (0..=levels).map(|_| fields.u8().map(|size| (size & 15, size >> 4)));
        sizes.collect::<Result<_, _>>()?
    };
    Ok(Style {
        levels,
        block: (width + 2, height + 2),
        high_throughput: modes & HIGH_THROUGHPUT != 0,
        reversible,
        precincts,
    })
}

/// Marker segments, one after the other.
struct Segments {
    bytes: BufReader<Stretch>,
}

/// A codestream as a reader that ends where the codestream does.
struct Stretch {
    input: Input,
    position: u64,
    end: u64,
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        self.input
            .read_exact_at(&mut buffer[..length], self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Stretch {
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let after = self.position.saturating_add(length);
        if after > self.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = after;
        Ok(())
    }
}

impl Segments {
    fn new(codestream: &Codestream) -> Self {
        let stretch = Stretch {
            input: codestream.input.clone(),
            position: codestream.offset,
            end: codestream
                .offset
                .saturating_add(codestream.length)
                .min(codestream.input.size()),
        };
        Self {
            bytes: BufReader::with_capacity(READ_BUFFER, stretch),
        }
    }

    fn marker(&mut self) -> Result<u16, DecodeError> {
        let mut bytes = [0; 2];
        self.bytes.read_exact(&mut bytes).map_err(truncated)?;
        let marker = u16::from_be_bytes(bytes);
        if marker < 0xFF00 {
            return Err(malformed("no marker where one must be"));
        }
        Ok(marker)
    }

    /// The bytes after the length of the segment, which counts itself.
    fn length(&mut self) -> Result<usize, DecodeError> {
        let mut bytes = [0; 2];
        self.bytes.read_exact(&mut bytes).map_err(truncated)?;
        usize::from(u16::from_be_bytes(bytes))
            .checked_sub(2)
            .ok_or_else(|| malformed("a marker segment shorter than its length"))
    }

    fn content(&mut self) -> Result<Vec<u8>, DecodeError> {
        let mut content = vec![0; self.length()?];
        self.bytes.read_exact(&mut content).map_err(truncated)?;
        Ok(content)
    }

    /// What is not in the buffer yet is not read: a hostile header has thousands of segments of 64 KiB.
    fn skip(&mut self) -> Result<(), DecodeError> {
        let length = self.length()?;
        let buffered = length.min(self.bytes.buffer().len());
        self.bytes.consume(buffered);
        let left = (length - buffered) as u64;
        self.bytes.get_mut().skip(left).map_err(truncated)
    }
}

/// The end of the codestream is the file's fault; other errors are the source's.
fn truncated(error: io::Error) -> DecodeError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return malformed("the main header ends too early");
    }
    DecodeError::Io(error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::input::ReadAt;

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

    /// Counts the bytes that are read.
    struct Counting {
        bytes: Vec<u8>,
        read: AtomicUsize,
    }

    impl ReadAt for Counting {
        fn size(&self) -> u64 {
            self.bytes.size()
        }

        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            self.read.fetch_add(buffer.len(), Ordering::Relaxed);
            self.bytes.read_exact_at(buffer, offset)
        }
    }

    #[test]
    fn segments_that_are_skipped_are_not_read() {
        let (size, rest) = (size_segment(), header().split_off(size_segment().len()));
        let comment = [&[0xFF, 0x64, 0xFF, 0xFF][..], &[1; 65_533]].concat();
        let bytes = [size, comment.repeat(50), rest].concat();
        let length = bytes.len() as u64;
        let input = Arc::new(Counting {
            bytes,
            read: AtomicUsize::new(0),
        });
        let main = MainHeader::read(&Codestream {
            input: Arc::clone(&input) as Input,
            offset: 0,
            length,
        });
        assert_eq!(main.unwrap(), read(header()).unwrap());
        let bytes_read = input.read.load(Ordering::Relaxed);
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
