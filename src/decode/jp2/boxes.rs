//! The boxes of the JP2 family (ISO/IEC 15444-1, annex I; 15444-2, annex M).

use std::ops::Range;
use std::sync::Arc;

use super::codestream::MOST_COMPONENTS;
use super::fields::{Fields, malformed};
use crate::decode::{DecodeError, Resolution};
use crate::input::{ReadAt, read_range, read_up_to};

/// Boxes before the codestream; a bound on reading.
const MOST_BOXES: usize = 1000;
/// Bytes of a JP2 header box: profiles of several megabytes exist.
const LONGEST_HEADER: u64 = 16 << 20;

/// What the boxes say.
#[derive(Debug, Default)]
pub struct Container {
    /// Where the codestream lies.
    pub codestream: Range<u64>,
    /// In the order of the file.
    pub colors: Vec<Color>,
    pub palette: Option<Palette>,
    /// The channels, if there is a component mapping box.
    pub mapping: Vec<Mapping>,
    pub definitions: Vec<Definition>,
    pub resolution: Option<Resolution>,
}

/// A colour specification box (I.5.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Color {
    Enumerated(u32),
    Profile(Arc<[u8]>),
    /// A method that is not known.
    Other(u8),
}

/// A palette box (I.5.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    pub columns: Vec<Arc<Column>>,
}

/// One generated component of a palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub precision: u8,
    pub signed: bool,
    pub values: Vec<i32>,
}

/// A channel in the component mapping box (I.5.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub component: u16,
    /// The column of the palette that it goes through.
    pub column: Option<u8>,
}

/// A channel in the channel definition box (I.5.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    pub channel: u16,
    pub kind: u16,
    pub association: u16,
}

impl Definition {
    pub const COLOR: u16 = 0;
    pub const OPACITY: u16 = 1;
    pub const PREMULTIPLIED_OPACITY: u16 = 2;
    /// An association with the image as a whole.
    pub const WHOLE: u16 = 0;
}

/// Reads the boxes up to the first codestream.
///
/// # Errors
/// If a box breaks the rules or reaches beyond the file, or there is no codestream.
pub fn read(input: &dyn ReadAt) -> Result<Container, DecodeError> {
    let mut container = Container::default();
    let mut has_header = false;
    let mut position = 0;
    for _ in 0..MOST_BOXES {
        let start = read_up_to(input, position, LONGEST_BOX_HEADER)?;
        let left = input.size().saturating_sub(position);
        let Some(found) = BoxHeader::parse(&start, left)? else {
            break;
        };
        let content = position + found.header..position + found.length;
        position = content.end;
        match &found.kind {
            // There is only one (I.5.3): a thousand would be kept in memory together.
            b"jp2h" if !has_header => {
                container.read_header(input, content)?;
                has_header = true;
            }
            b"jp2c" => {
                container.codestream = content;
                return Ok(container);
            }
            _ => {}
        }
    }
    Err(malformed("no codestream"))
}

const LONGEST_BOX_HEADER: usize = 16;

/// The lengths and the type of a box (I.4).
struct BoxHeader {
    kind: [u8; 4],
    /// Bytes of the header and of the box in all.
    header: u64,
    length: u64,
}

impl BoxHeader {
    /// `None` where fewer bytes are left than a box has.
    fn parse(start: &[u8], left: u64) -> Result<Option<Self>, DecodeError> {
        if left < 8 {
            return Ok(None);
        }
        let mut fields = Fields(start);
        let short = u64::from(fields.u32()?);
        let kind = fields.take()?;
        let (header, length) = match short {
            0 => (8, left),
            1 => (16, u64::from_be_bytes(fields.take()?)),
            short => (8, short),
        };
        if length < header || length > left {
            let name = kind.escape_ascii();
            return Err(malformed(format!(
                "box {name} of {length} bytes with {left} left"
            )));
        }
        Ok(Some(Self {
            kind,
            header,
            length,
        }))
    }
}

/// Calls `visit` with the type and content of each box within a box.
fn for_each_box<'a>(
    mut bytes: &'a [u8],
    mut visit: impl FnMut(&[u8; 4], &'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while let Some(found) = BoxHeader::parse(bytes, bytes.len() as u64)? {
        let mut fields = Fields(bytes);
        let _header = fields.bytes(to_length(found.header)?)?;
        visit(
            &found.kind,
            fields.bytes(to_length(found.length - found.header)?)?,
        )?;
        bytes = fields.0;
    }
    Ok(())
}

fn to_length(length: u64) -> Result<usize, DecodeError> {
    usize::try_from(length).map_err(|_| malformed("a box that is too long"))
}

impl Container {
    /// The JP2 header box (I.5.3). The image header in it repeats the codestream's own, which is believed.
    fn read_header(&mut self, input: &dyn ReadAt, range: Range<u64>) -> Result<(), DecodeError> {
        let length = range.end - range.start;
        if length > LONGEST_HEADER {
            return Err(DecodeError::TooLarge {
                what: "a JP2 header",
                value: length,
                limit: LONGEST_HEADER,
            });
        }
        let bytes = read_range(input, range.start, to_length(length)?)?;
        for_each_box(&bytes, |kind, content| self.read_inner(*kind, content))
    }

    fn read_inner(&mut self, kind: [u8; 4], content: &[u8]) -> Result<(), DecodeError> {
        match &kind {
            b"colr" => self.colors.push(parse_color(content)?),
            b"pclr" => self.palette = Some(parse_palette(content)?),
            b"cmap" => self.mapping = parse_mapping(content)?,
            b"cdef" => self.definitions = parse_definitions(content)?,
            b"res " => self.resolution = parse_resolutions(content)?,
            _ => {}
        }
        Ok(())
    }
}

fn parse_color(content: &[u8]) -> Result<Color, DecodeError> {
    const ENUMERATED: u8 = 1;
    const RESTRICTED_PROFILE: u8 = 2;
    /// Any profile, of JPX.
    const PROFILE: u8 = 3;
    let mut fields = Fields(content);
    let [method, _precedence, _approximation] = fields.take()?;
    Ok(match method {
        ENUMERATED => Color::Enumerated(fields.u32()?),
        RESTRICTED_PROFILE | PROFILE => Color::Profile(fields.0.into()),
        other => Color::Other(other),
    })
}

fn parse_palette(content: &[u8]) -> Result<Palette, DecodeError> {
    const SIGNED: u8 = 0x80;
    let mut fields = Fields(content);
    let (entries, count) = (fields.u16()?, fields.u8()?);
    if entries == 0 || entries > 1024 || count == 0 {
        return Err(malformed(format!(
            "a palette of {entries} entries and {count} columns"
        )));
    }
    let mut columns = Vec::new();
    for &depth in fields.bytes(usize::from(count))? {
        columns.push(Column {
            precision: (depth & !SIGNED) + 1,
            signed: depth & SIGNED != 0,
            values: Vec::new(),
        });
    }
    if columns.iter().any(|column| column.precision > 16) {
        return Err(DecodeError::unsupported("a palette of more than 16 bits"));
    }
    for _ in 0..entries {
        for column in &mut columns {
            let value = if column.precision > 8 {
                fields.u16()?
            } else {
                u16::from(fields.u8()?)
            };
            column.values.push(column.value(value));
        }
    }
    let columns = columns.into_iter().map(Arc::new).collect();
    Ok(Palette { columns })
}

impl Column {
    /// The stored bits as a number.
    fn value(&self, bits: u16) -> i32 {
        let range = 1_i32 << self.precision;
        let value = i32::from(bits) & (range - 1);
        if self.signed && value >= range / 2 {
            value - range
        } else {
            value
        }
    }
}

fn parse_mapping(content: &[u8]) -> Result<Vec<Mapping>, DecodeError> {
    const THROUGH_PALETTE: u8 = 1;
    let count = content.len() / 4;
    if count > MOST_COMPONENTS {
        return Err(DecodeError::unsupported(format!(
            "a JPEG 2000 image of {count} mapped channels"
        )));
    }
    content
        .chunks_exact(4)
        .map(|bytes| {
            let mut fields = Fields(bytes);
            let component = fields.u16()?;
            let [kind, column] = fields.take()?;
            Ok(Mapping {
                component,
                column: (kind == THROUGH_PALETTE).then_some(column),
            })
        })
        .collect()
}

fn parse_definitions(content: &[u8]) -> Result<Vec<Definition>, DecodeError> {
    let mut fields = Fields(content);
    let count = fields.u16()?;
    (0..count)
        .map(|_| {
            Ok(Definition {
                channel: fields.u16()?,
                kind: fields.u16()?,
                association: fields.u16()?,
            })
        })
        .collect()
}

/// The resolution superbox (I.5.3.7): as captured, or else as to be displayed.
fn parse_resolutions(content: &[u8]) -> Result<Option<Resolution>, DecodeError> {
    let (mut captured, mut displayed) = (None, None);
    for_each_box(content, |kind, content| {
        match kind {
            b"resc" => captured = parse_resolution(content)?,
            b"resd" => displayed = parse_resolution(content)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(captured.or(displayed))
}

/// Points per metre as numerator, denominator and power of ten, the vertical ones first.
fn parse_resolution(content: &[u8]) -> Result<Option<Resolution>, DecodeError> {
    const METRES_PER_INCH: f64 = 0.0254;
    let mut fields = Fields(content);
    let mut fraction = || Ok::<_, DecodeError>(f64::from(fields.u16()?) / f64::from(fields.u16()?));
    let (y, x) = (fraction()?, fraction()?);
    let [y_exponent, x_exponent] = fields.take()?.map(u8::cast_signed);
    let per_inch =
        |value: f64, exponent: i8| value * 10_f64.powi(i32::from(exponent)) * METRES_PER_INCH;
    let resolution = Resolution {
        x: per_inch(x, x_exponent),
        y: per_inch(y, y_exponent),
    };
    let usable = |value: f64| value.is_normal() && value > 0.0;
    Ok((usable(resolution.x) && usable(resolution.y)).then_some(resolution))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    /// A JP2 file with these boxes in its header, and a codestream of four bytes.
    fn file(header: &[Vec<u8>]) -> Vec<u8> {
        [
            boxed(b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]),
            boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "),
            boxed(b"jp2h", &header.concat()),
            boxed(b"jp2c", &[1, 2, 3, 4]),
        ]
        .concat()
    }

    fn read_file(header: &[Vec<u8>]) -> Container {
        read(&file(header)).unwrap()
    }

    #[test]
    fn color_is_enumerated_or_a_profile() {
        let container = read_file(&[
            boxed(b"colr", &[1, 0, 0, 0, 0, 0, 16]),
            boxed(b"colr", &[2, 0, 0, 7, 8]),
        ]);
        let profile = Color::Profile([7, 8].into());
        assert_eq!(container.colors, [Color::Enumerated(16), profile]);
    }

    #[test]
    fn the_codestream_is_found() {
        let bytes = file(&[]);
        let end = bytes.len() as u64;
        assert_eq!(read(&bytes).unwrap().codestream, end - 4..end);
    }

    #[test]
    fn the_last_box_may_reach_to_the_end_or_have_a_long_length() {
        let mut bytes = boxed(b"jP  ", &[]);
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(b"jp2c12345");
        assert_eq!(read(&bytes).unwrap().codestream, 16..21);

        let mut bytes = vec![0, 0, 0, 1];
        bytes.extend(b"jp2c");
        bytes.extend(18_u64.to_be_bytes());
        bytes.extend([1, 2]);
        assert_eq!(read(&bytes).unwrap().codestream, 16..18);
    }

    #[test]
    fn palettes_mappings_and_definitions_are_read() {
        let container = read_file(&[
            boxed(b"pclr", &[0, 2, 2, 7, 0x80 | 11, 10, 0x0F, 0xFF, 20, 0, 5]),
            boxed(b"cmap", &[0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0]),
            boxed(b"cdef", &[0, 1, 0, 3, 0, 1, 0, 0]),
        ]);
        let columns = container.palette.unwrap().columns;
        assert_eq!(columns[0].values, [10, 20]);
        assert_eq!(columns[1].values, [-1, 5]);
        let columns = container.mapping.iter().map(|mapping| mapping.column);
        assert_eq!(columns.collect::<Vec<_>>(), [Some(0), Some(1), None]);
        let definition = Definition {
            channel: 3,
            kind: Definition::OPACITY,
            association: Definition::WHOLE,
        };
        assert_eq!(container.definitions, [definition]);
    }

    /// K04: a header of 16 MiB holds four million.
    #[test]
    fn more_mappings_than_components_are_refused() {
        let with = |count| file(&[boxed(b"cmap", &[0, 0, 1, 0].repeat(count))]);
        assert_eq!(read(&with(64)).unwrap().mapping.len(), 64);
        let error = read(&with(65)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a JPEG 2000 image of 65 mapped channels is not supported"
        );
    }

    /// K04: each header may hold profiles of 16 MiB.
    #[test]
    fn only_the_first_header_is_read() {
        let header = |color| boxed(b"jp2h", &boxed(b"colr", &[1, 0, 0, 0, 0, 0, color]));
        let bytes = [header(16), header(17), boxed(b"jp2c", &[1, 2])].concat();
        let container = read(&bytes).unwrap();
        assert_eq!(container.colors, [Color::Enumerated(16)]);
    }

    #[test]
    fn captured_resolution_comes_before_displayed() {
        // 11811 points per metre are 300 per inch (299.9994).
        let captured = boxed(b"resc", &[0x2E, 0x23, 0, 1, 0x2E, 0x23, 0, 10, 0, 1]);
        let displayed = boxed(b"resd", &[0, 1, 0, 1, 0, 1, 0, 1, 0, 0]);
        let container = read_file(&[boxed(b"res ", &[displayed, captured].concat())]);
        let resolution = container.resolution.unwrap();
        assert!((resolution.x - 300.0).abs() < 0.01, "{resolution:?}");
        assert!((resolution.y - 300.0).abs() < 0.01, "{resolution:?}");
    }

    #[test]
    fn a_resolution_with_a_denominator_of_zero_is_none() {
        let captured = boxed(b"resc", &[0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(read_file(&[boxed(b"res ", &captured)]).resolution, None);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        let bytes = file(&[boxed(b"colr", &[1, 0, 0, 0, 0, 0, 16])]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn boxes_that_do_not_advance_are_errors() {
        for length in [2_u32, 7] {
            let bytes = [&length.to_be_bytes()[..], b"free", &[0; 100]].concat();
            assert!(read(&bytes).is_err(), "{length}");
        }
        let endless = boxed(b"free", &[]).repeat(2 * MOST_BOXES);
        assert!(read(&endless).is_err());
    }
}
