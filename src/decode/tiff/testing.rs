//! Builds small TIFFs for tests: directory first, then its values, then its strips or tiles.

use super::ifd::ByteOrder;
use super::tags::Tag;

/// A file: how its numbers are written, and its chain of images.
pub struct TestFile {
    pub order: ByteOrder,
    pub big: bool,
    pub chain: Vec<Picture>,
    /// The last directory points back to the first.
    pub looped: bool,
}

/// One image: its fields but those that the file computes, and its strips or tiles as stored.
#[derive(Clone, Default)]
pub struct Picture {
    pub fields: Vec<(Tag, Vec<u64>)>,
    pub chunks: Vec<Vec<u8>>,
    pub subs: Vec<Picture>,
}

impl Picture {
    /// Stored as one strip, not compressed, unless further fields say otherwise.
    pub fn new(width: u64, height: u64, bits: u64, photometric: u64, channels: u64) -> Self {
        let fields = [
            (Tag::IMAGE_WIDTH, width),
            (Tag::IMAGE_LENGTH, height),
            (Tag::BITS_PER_SAMPLE, bits),
            (Tag::PHOTOMETRIC, photometric),
            (Tag::SAMPLES_PER_PIXEL, channels),
        ];
        Self {
            fields: fields.map(|(tag, value)| (tag, vec![value])).to_vec(),
            ..Self::default()
        }
    }

    pub fn with(mut self, tag: Tag, values: &[u64]) -> Self {
        self.fields.push((tag, values.to_vec()));
        self
    }

    pub fn chunks(mut self, chunks: Vec<Vec<u8>>) -> Self {
        self.chunks = chunks;
        self
    }

    fn is_tiled(&self) -> bool {
        self.fields.iter().any(|(tag, _)| *tag == Tag::TILE_WIDTH)
    }

    fn lengths(&self) -> Vec<u64> {
        self.chunks.iter().map(|chunk| chunk.len() as u64).collect()
    }
}

impl TestFile {
    pub fn new(chain: Vec<Picture>) -> Self {
        Self {
            order: ByteOrder::Little,
            big: false,
            chain,
            looped: false,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.head();
        for (index, picture) in self.chain.iter().enumerate() {
            let is_last = index + 1 == self.chain.len();
            self.append(&mut out, picture, is_last);
        }
        out
    }

    fn head(&self) -> Vec<u8> {
        let mut out = match self.order {
            ByteOrder::Little => b"II".to_vec(),
            ByteOrder::Big => b"MM".to_vec(),
        };
        if self.big {
            self.number(&mut out, 43, 2);
            self.number(&mut out, 8, 2);
            self.number(&mut out, 0, 2);
        } else {
            self.number(&mut out, 42, 2);
        }
        self.number(&mut out, self.head_size(), self.offset_size());
        out
    }

    fn head_size(&self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    fn offset_size(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn number(&self, out: &mut Vec<u8>, value: u64, size: usize) {
        let bytes = value.to_be_bytes();
        match self.order {
            ByteOrder::Big => out.extend(&bytes[8 - size..]),
            ByteOrder::Little => out.extend(bytes[8 - size..].iter().rev()),
        }
    }

    /// Bytes of a picture with its sub-images.
    fn size(&self, picture: &Picture) -> u64 {
        let chunks: u64 = picture.lengths().iter().sum();
        let subs: u64 = picture.subs.iter().map(|sub| self.size(sub)).sum();
        self.directory_size(picture) + chunks + subs
    }

    /// Bytes of a directory and of the values that do not fit in it.
    fn directory_size(&self, picture: &Picture) -> u64 {
        let fields = self.all_fields(picture, 0);
        let (count, entry, inline) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let outside = |(_, values): &(Tag, Vec<u64>)| {
            let size = values.len() as u64 * self.offset_size() as u64;
            if size > inline { size } else { 0 }
        };
        let values: u64 = fields.iter().map(outside).sum();
        count + fields.len() as u64 * entry + self.offset_size() as u64 + values
    }

    fn all_fields(&self, picture: &Picture, start: u64) -> Vec<(Tag, Vec<u64>)> {
        let mut fields = picture.fields.clone();
        let (offsets, counts) = if picture.is_tiled() {
            (Tag::TILE_OFFSETS, Tag::TILE_BYTE_COUNTS)
        } else {
            (Tag::STRIP_OFFSETS, Tag::STRIP_BYTE_COUNTS)
        };
        let place = |at: &mut u64, size: u64| {
            *at += size;
            Some(*at - size)
        };
        if !fields.iter().any(|(tag, _)| *tag == offsets) {
            let places = picture.lengths().into_iter().scan(start, place);
            fields.push((offsets, places.collect()));
        }
        if !fields.iter().any(|(tag, _)| *tag == counts) {
            fields.push((counts, picture.lengths()));
        }
        if !picture.subs.is_empty() {
            let first = start + picture.lengths().iter().sum::<u64>();
            let sizes = picture.subs.iter().map(|sub| self.size(sub));
            fields.push((Tag::SUB_IFDS, sizes.scan(first, place).collect()));
        }
        fields.sort_by_key(|(tag, _)| *tag);
        fields
    }

    fn append(&self, out: &mut Vec<u8>, picture: &Picture, is_last: bool) {
        const LONG: u64 = 4;
        const LONG8: u64 = 16;
        let start = out.len() as u64;
        let data = start + self.directory_size(picture);
        let fields = self.all_fields(picture, data);
        let size = self.offset_size();
        self.number(out, fields.len() as u64, if self.big { 8 } else { 2 });
        let entry_size = if self.big { 20 } else { 12 };
        let mut outside = out.len() as u64 + fields.len() as u64 * entry_size + size as u64;
        for (tag, values) in &fields {
            self.number(out, u64::from(tag.0), 2);
            self.number(out, if self.big { LONG8 } else { LONG }, 2);
            self.number(out, values.len() as u64, size);
            if let [value] = values[..] {
                self.number(out, value, size);
            } else {
                self.number(out, outside, size);
                outside += (values.len() * size) as u64;
            }
        }
        let next = match (is_last, self.looped) {
            (false, _) => start + self.size(picture),
            (true, true) => self.head_size(),
            (true, false) => 0,
        };
        self.number(out, next, size);
        for (_, values) in fields.iter().filter(|(_, values)| values.len() > 1) {
            values
                .iter()
                .for_each(|value| self.number(out, *value, size));
        }
        out.extend(picture.chunks.concat());
        picture
            .subs
            .iter()
            .for_each(|sub| self.append(out, sub, true));
    }
}
