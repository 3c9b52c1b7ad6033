//! Image file directories: the header, the entries and their values, classic and BigTIFF, in both byte orders
//! (TIFF 6.0, section 2; BigTIFF, the 64-bit form of the same).

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::malformed;
use super::tags::Tag;
use crate::decode::DecodeError;
use crate::input::{Input, ReadAt, read_ahead, read_range};

/// More entries than any directory has: a bound on what a hostile count makes us read.
const MOST_ENTRIES: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The number in up to eight bytes.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, append),
            Self::Big => bytes.iter().fold(0, append),
        }
    }
}

/// An opened file: where its bytes are and how its numbers are written.
pub struct File {
    pub input: Input,
    pub order: ByteOrder,
    big: bool,
}

/// One directory: what describes one image.
#[derive(Debug)]
pub struct Directory {
    entries: BTreeMap<Tag, Entry>,
    /// Offset of the next directory, or zero.
    pub next: u64,
}

/// The field of a directory, its values not read yet.
#[derive(Clone, Copy, Debug)]
struct Entry {
    kind: u16,
    count: u64,
    /// The values themselves where they fit, else their offset.
    field: [u8; 8],
}

impl Entry {
    /// Bytes of all values.
    fn length(&self) -> Result<u64, DecodeError> {
        Ok(self.count.saturating_mul(value_size(self.kind)? as u64))
    }
}

impl File {
    /// Reads the file header; the second value is the offset of the first directory.
    pub fn open(input: Input) -> Result<(Self, u64), DecodeError> {
        let start = read(&*input, 0, 8)?;
        let order = match start[..2] {
            [b'I', b'I'] => ByteOrder::Little,
            [b'M', b'M'] => ByteOrder::Big,
            _ => return Err(malformed("no byte order mark")),
        };
        let version = order.number(&start[2..4]);
        let big = version == 43;
        let first = match version {
            42 => order.number(&start[4..8]),
            43 if order.number(&start[4..6]) == 8 => order.number(&read(&*input, 8, 8)?),
            _ => return Err(malformed(format!("version {version}"))),
        };
        Ok((Self { input, order, big }, first))
    }

    /// Bytes of the file.
    pub fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, DecodeError> {
        read(&*self.input, offset, length)
    }

    /// Says that directories will be read, of which these are the offsets.
    pub fn read_ahead_directories(&self, offsets: &[u64]) -> Result<(), DecodeError> {
        const USUAL_LENGTH: u64 = 1 << 10;
        let range = |offset: &u64| *offset..offset.saturating_add(USUAL_LENGTH);
        let ranges = offsets.iter().map(range).collect();
        Ok(read_ahead(&*self.input, ranges)?)
    }

    /// Says that the values of a directory will be read: they may stand anywhere.
    pub fn read_ahead_values(&self, directory: &Directory) -> Result<(), DecodeError> {
        /// Longer ones make up for a request of their own, or the file is hostile.
        const LONGEST: u64 = 1 << 20;
        let entries = directory.entries.values();
        let range = |entry: &Entry| {
            let length = entry.length().ok().filter(|length| *length <= LONGEST)?;
            let offset = self.offset_of_values(entry, length)?;
            Some(offset..offset.saturating_add(length))
        };
        Ok(read_ahead(
            &*self.input,
            entries.filter_map(range).collect(),
        )?)
    }

    /// Where values of so many bytes stand, if not in the directory itself.
    fn offset_of_values(&self, entry: &Entry, length: u64) -> Option<u64> {
        let inline = if self.big { 8 } else { 4 };
        let offset = || self.order.number(&entry.field[..inline]);
        (length > inline as u64).then(offset)
    }

    /// Reads the directory at this offset, without the values that stand elsewhere.
    pub fn directory(&self, offset: u64) -> Result<Directory, DecodeError> {
        let (count_size, entry_size, offset_size) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number_at(offset, count_size)?;
        if count == 0 || count > MOST_ENTRIES {
            return Err(malformed(format!("a directory of {count} entries")));
        }
        let length = count as usize * entry_size + offset_size;
        let bytes = read(&*self.input, offset + count_size as u64, length as u64)?;
        let (entries, next) = bytes.split_at(length - offset_size);
        Ok(Directory {
            entries: entries
                .chunks_exact(entry_size)
                .map(|entry| self.entry(entry))
                // All directories of a file are kept while it is opened.
                .filter(|(tag, _)| tag.is_read())
                .collect(),
            next: self.order.number(next),
        })
    }

    fn entry(&self, bytes: &[u8]) -> (Tag, Entry) {
        let count_end = if self.big { 12 } else { 8 };
        let mut field = [0; 8];
        field[..bytes.len() - count_end].copy_from_slice(&bytes[count_end..]);
        let entry = Entry {
            kind: self.order.number(&bytes[2..4]) as u16,
            count: self.order.number(&bytes[4..count_end]),
            field,
        };
        (Tag(self.order.number(&bytes[..2]) as u16), entry)
    }

    fn number_at(&self, offset: u64, size: usize) -> Result<u64, DecodeError> {
        Ok(self.order.number(&self.read(offset, size as u64)?))
    }

    /// The bytes of the values of a tag; empty if the directory lacks it. More than `most` of them are an error: cut
    /// short they would mean something else.
    pub fn bytes(
        &self,
        directory: &Directory,
        tag: Tag,
        most: u64,
    ) -> Result<Vec<u8>, DecodeError> {
        let Some(entry) = directory.entries.get(&tag) else {
            return Ok(Vec::new());
        };
        let length = entry.length()?;
        if length > most {
            return Err(DecodeError::TooLarge {
                what: "bytes of a TIFF tag",
                value: length,
                limit: most,
            });
        }
        self.value_bytes(*entry, length)
    }

    /// The bytes of the first `most` values.
    fn value_bytes(&self, entry: Entry, most: u64) -> Result<Vec<u8>, DecodeError> {
        let wanted = entry.count.min(most) * value_size(entry.kind)? as u64;
        match self.offset_of_values(&entry, entry.length()?) {
            Some(offset) => self.read(offset, wanted),
            None => Ok(entry.field[..wanted as usize].to_vec()),
        }
    }

    /// The first unsigned integers of a tag, `most` of them; empty if the directory lacks it. How many make sense is
    /// for the caller to know: the count in the file may be any number.
    pub fn integers(
        &self,
        directory: &Directory,
        tag: Tag,
        most: u64,
    ) -> Result<Vec<u64>, DecodeError> {
        let Some(entry) = directory.entries.get(&tag) else {
            return Ok(Vec::new());
        };
        // BYTE, SHORT, LONG, IFD, LONG8, IFD8. UNDEFINED is taken for bytes.
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) {
            let problem = format!("tag {tag} has values of type {}", entry.kind);
            return Err(malformed(problem));
        }
        let bytes = self.value_bytes(*entry, most)?;
        let numbers = bytes.chunks_exact(value_size(entry.kind)?);
        Ok(numbers.map(|number| self.order.number(number)).collect())
    }

    /// The first integer of a tag.
    pub fn integer(&self, directory: &Directory, tag: Tag) -> Result<Option<u64>, DecodeError> {
        Ok(self.integers(directory, tag, 1)?.first().copied())
    }

    /// The first fractions of a tag, `most` of them; a denominator of zero gives no number that is finite.
    pub fn rationals(
        &self,
        directory: &Directory,
        tag: Tag,
        most: u64,
    ) -> Result<Vec<f64>, DecodeError> {
        const RATIONAL: u16 = 5;
        match directory.entries.get(&tag) {
            Some(entry) if entry.kind == RATIONAL => {
                let bytes = self.value_bytes(*entry, most)?;
                let part = |bytes| self.order.number(bytes) as f64;
                let fractions = bytes.chunks_exact(8);
                Ok(fractions
                    .map(|fraction| part(&fraction[..4]) / part(&fraction[4..]))
                    .collect())
            }
            Some(_) => {
                let integers = self.integers(directory, tag, most)?;
                Ok(integers.into_iter().map(|number| number as f64).collect())
            }
            None => Ok(Vec::new()),
        }
    }
}

/// Bytes of one value (TIFF 6.0, page 15; supplement 1; BigTIFF).
fn value_size(kind: u16) -> Result<usize, DecodeError> {
    match kind {
        1 | 2 | 6 | 7 => Ok(1),
        3 | 8 => Ok(2),
        4 | 9 | 11 | 13 => Ok(4),
        5 | 10 | 12 | 16 | 17 | 18 => Ok(8),
        _ => Err(malformed(format!("values of type {kind}"))),
    }
}

/// Bytes that the file must have: one that ends before is broken, which is not the fault of the source.
fn read(input: &dyn ReadAt, offset: u64, length: u64) -> Result<Vec<u8>, DecodeError> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    read_range(input, offset, length).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => malformed(format!("no {length} bytes at {offset}")),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    /// A file that goes on with sevens for ever, and refuses to have more than a few of them read at once.
    struct Endless(Vec<u8>);

    impl ReadAt for Endless {
        fn size(&self) -> u64 {
            u64::MAX
        }

        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            assert!(buffer.len() <= 100, "{} bytes are read", buffer.len());
            for (index, byte) in buffer.iter_mut().enumerate() {
                *byte = *self.0.get(offset as usize + index).unwrap_or(&7);
            }
            Ok(())
        }
    }

    /// One directory with one tag: so many values of this type, which stand at offset 1000.
    fn claiming(kind: u8, count: u32) -> (File, Directory) {
        let [a, b, c, d] = count.to_le_bytes();
        let mut bytes = vec![b'I', b'I', 42, 0, 8, 0, 0, 0];
        bytes.extend([1, 0, 0, 1, kind, 0, a, b, c, d, 0xE8, 3, 0, 0, 0, 0, 0, 0]);
        let (file, first) = File::open(Arc::new(Endless(bytes))).unwrap();
        let directory = file.directory(first).unwrap();
        (file, directory)
    }

    /// K04: a file may have thousands of directories of thousands of entries.
    #[test]
    fn only_entries_that_mean_something_are_kept() {
        let mut bytes = vec![b'I', b'I', 42, 0, 8, 0, 0, 0, 0, 4];
        for tag in 0_u16..1024 {
            let [low, high] = tag.to_le_bytes();
            bytes.extend([low, high, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0]);
        }
        bytes.extend([0; 4]);
        let (file, first) = File::open(Arc::new(bytes)).unwrap();
        let directory = file.directory(first).unwrap();
        assert!(directory.entries.len() < 50);
        assert_eq!(file.integer(&directory, Tag::IMAGE_WIDTH).unwrap(), Some(7));
    }

    /// K04: the count is the file's word alone.
    #[test]
    fn no_more_values_are_read_than_are_asked_for() {
        let (file, directory) = claiming(1, u32::MAX);
        let width = Tag::IMAGE_WIDTH;
        assert_eq!(file.integer(&directory, width).unwrap(), Some(7));
        assert_eq!(file.integers(&directory, width, 3).unwrap(), [7, 7, 7]);
        let (file, directory) = claiming(5, u32::MAX);
        assert_eq!(file.rationals(&directory, width, 2).unwrap(), [1.0, 1.0]);
    }

    #[test]
    fn bytes_that_are_too_many_are_refused_before_they_are_read() {
        let (file, directory) = claiming(7, 100);
        assert_eq!(
            file.bytes(&directory, Tag::IMAGE_WIDTH, 100).unwrap(),
            [7; 100]
        );
        let error = file.bytes(&directory, Tag::IMAGE_WIDTH, 99).unwrap_err();
        assert_eq!(
            error.to_string(),
            "bytes of a TIFF tag of 100 exceeds the limit of 99"
        );
    }
}
