//! Writes TIFF (6.0, sections 2, 14, 15 and 18) and BigTIFF: tiles as they come, then the directories, then the header
//! that points to them.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use super::coding::Coding;
use crate::decode::{Header, Resolution};
use crate::ffi::turbojpeg::Pixels;
use crate::geometry::Dimensions;
use crate::raster::Layout;

/// Room for the header of either kind: which one it is shows at the end.
const HEADER: u64 = 16;
/// A file up to here has offsets of four bytes.
const LAST_SHORT_OFFSET: u64 = u32::MAX as u64;

/// Where the bytes of one tile are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    offset: u64,
    length: u64,
}

/// A file that grows by tiles.
pub struct Output {
    file: BufWriter<File>,
    position: u64,
}

/// What all levels have in common.
pub struct Format {
    pub layout: Layout,
    pub is_deep: bool,
    pub coding: Coding,
    pub tile: Dimensions,
}

/// One level whose tiles have been written, row by row.
pub struct WrittenLevel {
    pub dimensions: Dimensions,
    pub places: Vec<Place>,
}

impl Output {
    /// # Errors
    /// If the file cannot be written.
    pub fn new(file: File) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER as usize])?;
        Ok(Self {
            file,
            position: HEADER,
        })
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<Place> {
        let place = Place {
            offset: self.position,
            length: bytes.len() as u64,
        };
        self.file.write_all(bytes)?;
        self.position += place.length;
        // Offsets of values that do not fit in a field are even (TIFF 6.0, section 2).
        if !self.position.is_multiple_of(2) {
            self.file.write_all(&[0])?;
            self.position += 1;
        }
        Ok(place)
    }

    /// Writes the directories, the full image's first, and the header. `source` is whose pyramid this is.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(
        mut self,
        source: &Header,
        format: &Format,
        levels: &[WrittenLevel],
    ) -> io::Result<File> {
        let directories: Vec<_> = levels
            .iter()
            .enumerate()
            .map(|(index, level)| directory(source, format, level, index == 0))
            .collect();
        let bytes: u64 = directories.iter().map(Directory::most_bytes).sum();
        let is_big = self.position + bytes > LAST_SHORT_OFFSET;
        let first = self.position;
        for (index, directory) in directories.iter().enumerate() {
            let is_last = index + 1 == directories.len();
            let encoded = directory.encode(self.position, is_big, is_last);
            self.append(&encoded)?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(first, is_big))?;
        self.file.into_inner().map_err(|error| error.into_error())
    }
}

fn header(first: u64, is_big: bool) -> Vec<u8> {
    let mut bytes = b"II".to_vec();
    if is_big {
        // Version 43, offsets of 8 bytes.
        bytes.extend([43, 0, 8, 0, 0, 0]);
        bytes.extend(first.to_le_bytes());
    } else {
        bytes.extend([42, 0]);
        bytes.extend((first as u32).to_le_bytes());
    }
    bytes
}

/// The value of a field.
enum Value {
    Short(Vec<u16>),
    Rational(u32, u32),
    Undefined(Vec<u8>),
    /// LONG, or LONG8 in BigTIFF.
    Offsets(Vec<u64>),
}

impl Value {
    /// The field type (TIFF 6.0, section 2; BigTIFF).
    fn kind(&self, is_big: bool) -> u16 {
        match self {
            Self::Short(_) => 3,
            Self::Rational(..) => 5,
            Self::Undefined(_) => 7,
            Self::Offsets(_) if is_big => 16,
            Self::Offsets(_) => 4,
        }
    }

    fn count(&self) -> u64 {
        match self {
            Self::Short(values) => values.len() as u64,
            Self::Rational(..) => 1,
            Self::Undefined(bytes) => bytes.len() as u64,
            Self::Offsets(values) => values.len() as u64,
        }
    }

    fn bytes(&self, is_big: bool) -> Vec<u8> {
        match self {
            Self::Short(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Rational(numerator, denominator) => {
                [numerator.to_le_bytes(), denominator.to_le_bytes()].concat()
            }
            Self::Undefined(bytes) => bytes.clone(),
            Self::Offsets(values) if is_big => {
                values.iter().flat_map(|v| v.to_le_bytes()).collect()
            }
            Self::Offsets(values) => values
                .iter()
                .flat_map(|v| (*v as u32).to_le_bytes())
                .collect(),
        }
    }
}

/// Fields in ascending order of their tags.
struct Directory(Vec<(u16, Value)>);

impl Directory {
    /// Not less than it will need in either kind of file.
    fn most_bytes(&self) -> u64 {
        const ENTRY: u64 = 20;
        let values: u64 = self
            .0
            .iter()
            .map(|(_, value)| ENTRY + value.bytes(true).len() as u64 + 1)
            .sum();
        values + 24
    }

    /// The directory for this offset, its longer values, and where the next directory will be.
    fn encode(&self, offset: u64, is_big: bool, is_last: bool) -> Vec<u8> {
        let (word, entry) = if is_big { (8, 20) } else { (4, 12) };
        let count_bytes = if is_big { 8 } else { 2 };
        let fields = self.0.len();
        let mut values_at = offset + (count_bytes + fields * entry + word) as u64;
        let mut entries = (fields as u64).to_le_bytes()[..count_bytes].to_vec();
        let mut values = Vec::new();
        for (tag, value) in &self.0 {
            let mut bytes = value.bytes(is_big);
            entries.extend(tag.to_le_bytes());
            entries.extend(value.kind(is_big).to_le_bytes());
            entries.extend(&value.count().to_le_bytes()[..word]);
            if bytes.len() > word {
                entries.extend(&values_at.to_le_bytes()[..word]);
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                values_at += bytes.len() as u64;
                values.extend(bytes);
            } else {
                bytes.resize(word, 0);
                entries.extend(bytes);
            }
        }
        let next = if is_last { 0 } else { values_at };
        entries.extend(&next.to_le_bytes()[..word]);
        entries.extend(values);
        entries
    }
}

fn directory(source: &Header, format: &Format, level: &WrittenLevel, is_full: bool) -> Directory {
    let channels = format.layout.channels();
    let bits = if format.is_deep { 16 } else { 8 };
    let short = |value: u16| Value::Short(vec![value]);
    let number = |value: u32| Value::Offsets(vec![value.into()]);
    let list = |of: fn(&Place) -> u64| Value::Offsets(level.places.iter().map(of).collect());
    let (compression, photometric) = codes(format);
    let mut fields = vec![
        // NewSubfileType: bit 0 is a reduced image.
        (254, number(u32::from(!is_full))),
        (256, number(level.dimensions.width())),
        (257, number(level.dimensions.height())),
        (258, Value::Short(vec![bits; channels])),
        (259, short(compression)),
        (262, short(photometric)),
        (274, short(source.orientation.tag())),
        (277, short(channels as u16)),
        (284, short(1)),
        (322, number(format.tile.width())),
        (323, number(format.tile.height())),
        (324, list(|place| place.offset)),
        (325, list(|place| place.length)),
    ];
    if format.coding == Coding::Deflate {
        fields.push((317, short(2)));
    }
    if format.layout.has_alpha() {
        // ExtraSamples: unassociated alpha (section 18).
        fields.push((338, short(2)));
    }
    if format.coding == Coding::Jpeg(Pixels::Rgb) {
        // YCbCrSubSampling.
        fields.push((530, Value::Short(vec![1, 1])));
    }
    if is_full {
        fields.extend(resolution(source.resolution));
        let profile = source.profile.as_deref();
        fields.extend(profile.map(|profile| (34_675, Value::Undefined(profile.to_vec()))));
    }
    fields.sort_by_key(|(tag, _)| *tag);
    Directory(fields)
}

/// Compression and PhotometricInterpretation.
fn codes(format: &Format) -> (u16, u16) {
    const JPEG: u16 = 7;
    const DEFLATE: u16 = 8;
    match (format.coding, format.layout) {
        (Coding::Jpeg(_), Layout::Rgb) => (JPEG, 6),
        (Coding::Jpeg(_), _) => (JPEG, 1),
        (Coding::Deflate, Layout::Gray | Layout::GrayAlpha) => (DEFLATE, 1),
        (Coding::Deflate, Layout::Rgb | Layout::Rgba) => (DEFLATE, 2),
        (Coding::Deflate, Layout::Cmyk) => (DEFLATE, 5),
    }
}

/// XResolution, YResolution and ResolutionUnit; nothing if the source says nothing that can be written.
fn resolution(resolution: Option<Resolution>) -> Vec<(u16, Value)> {
    let rationals = resolution.and_then(|r| Some((rational(r.x)?, rational(r.y)?)));
    let Some((x, y)) = rationals else {
        return Vec::new();
    };
    const INCH: u16 = 2;
    vec![(282, x), (283, y), (296, Value::Short(vec![INCH]))]
}

/// With as many decimals as there is room for.
fn rational(value: f64) -> Option<Value> {
    [1_000_000_u32, 10_000, 100, 1]
        .into_iter()
        .find_map(|denominator| {
            let numerator = (value * f64::from(denominator)).round();
            let fits = (1.0..=f64::from(u32::MAX)).contains(&numerator);
            fits.then_some(Value::Rational(numerator as u32, denominator))
        })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::*;
    use crate::decode::{self, Limits, Window};
    use crate::geometry::Rect;

    /// A sparse file beyond four gigabytes becomes a BigTIFF, whose tiles are found.
    #[test]
    fn offsets_of_eight_bytes_are_used_where_four_do_not_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.tif");
        let tile = Dimensions::new(16, 16).unwrap();
        let source = decode::open(
            Arc::new(std::fs::read("fixtures/images/png-gray.png").unwrap()),
            &Limits::default(),
        )
        .unwrap();
        let format = Format {
            layout: Layout::Gray,
            is_deep: false,
            coding: Coding::Deflate,
            tile,
        };
        for (skipped, version) in [(0, 42), (1_u64 << 32, 43)] {
            let mut output = Output::new(File::create(&path).unwrap()).unwrap();
            output.position += skipped;
            output.file.seek_relative(skipped as i64).unwrap();
            let samples = [7_u8; 256];
            let encoded = Coding::Deflate.encode(&samples, tile, 1).unwrap();
            let places = vec![output.append(&encoded).unwrap()];
            let level = WrittenLevel {
                dimensions: tile,
                places,
            };
            output.finish(source.header(), &format, &[level]).unwrap();
            let mut start = [0; 4];
            File::open(&path).unwrap().read_exact(&mut start).unwrap();
            assert_eq!(start, [b'I', b'I', version, 0]);
            let input = crate::source::FileInput::open(&path).unwrap();
            let decoder = decode::open(Arc::new(input), &Limits::default()).unwrap();
            let rect = Rect::whole(tile);
            let raster = decoder.decode(&Window { level: 0, rect }).unwrap();
            assert_eq!(raster.as_u8().unwrap(), samples);
        }
    }
}
