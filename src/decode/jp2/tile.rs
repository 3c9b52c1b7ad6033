//! What the tile-part headers of a tile say, kept for later windows.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use azulejo_jpeg2000::Tile as Coding;

use super::codestream::{Codestream, MainHeader, Segment};
use super::coding;
use super::fields::malformed;
use super::packets::{self, Area, MOST_PACKETS, Packet};
use super::segments::{COM, PLT, QCC, QCD, RGN, SOD, Segments};
use super::tile_parts::{SOT_LENGTH, TilePart, TileParts};
use super::walk;
use crate::decode::DecodeError;

/// Bytes read at once: without PLT a tile-part header has two.
pub const READ_BUFFER: usize = 512;
/// More marker segments than any tile-part header has.
const MOST_SEGMENTS: usize = 1024;
/// Bytes of those that are kept of a tile: quantisation takes a few hundred for each component.
const MOST_SEGMENT_BYTES: usize = 1 << 20;
/// Bytes of PLT in a tile: four for each packet that is listed.
const LONGEST_LENGTHS: usize = 4 * MOST_PACKETS;
/// What a tile counts beside its packets, in packets.
const TILE_WEIGHT: usize = 16;

/// One tile of the codestream.
#[derive(Clone)]
pub struct Tile {
    pub number: u16,
    pub area: Area,
    /// `None` if only OpenJPEG decodes it.
    pub coding: Option<Coding>,
    pub parts: Vec<Part>,
    /// The marker segments of the first tile-part that a decoder needs.
    pub segments: Vec<Segment>,
    /// The tile-parts may be joined: their headers hold nothing else of weight.
    pub can_be_joined: bool,
    /// All packets in their order, if their lengths are known: from PLT, or because they were followed.
    pub packets: Option<Vec<Packet>>,
}

/// One tile-part.
#[derive(Clone)]
pub struct Part {
    /// What follows the SOT marker segment.
    pub body: Range<u64>,
    /// What follows the SOD marker.
    pub data: Range<u64>,
}

impl Tile {
    fn read(
        codestream: &Codestream,
        main: &MainHeader,
        number: u16,
        parts: &[TilePart],
    ) -> Result<Self, DecodeError> {
        let area = main.size.tile_area(number);
        let mut headers = Headers::default();
        for part in parts {
            headers.read(codestream, part)?;
        }
        let coding = coding::of_tile(main, &area, &headers.segments);
        let coding = coding.filter(|_| headers.can_be_joined);
        let mut packets = None;
        if headers.can_be_joined {
            let lengths = headers.lengths.as_deref();
            packets = lengths.and_then(|lengths| packets::listed(main, &area, lengths));
        }
        if let (None, Some(coding)) = (&packets, &coding) {
            packets = measured(codestream, main, coding, &headers.parts, &area)?;
        }
        Ok(Self {
            number,
            area,
            coding,
            parts: headers.parts,
            segments: headers.segments,
            can_be_joined: headers.can_be_joined,
            packets,
        })
    }

    /// The packets that are listed, with their numbers and where they lie.
    pub fn placed_packets(&self) -> impl Iterator<Item = (usize, &Packet, Range<u64>)> {
        let mut parts = self.parts.iter().map(|part| part.data.clone());
        let mut data = parts.next().unwrap_or_default();
        let packets = self.packets.iter().flatten().enumerate();
        packets.map(move |(number, packet)| {
            while data.is_empty() {
                let Some(next) = parts.next() else { break };
                data = next;
            }
            let start = data.start;
            data.start += u64::from(packet.length);
            (number, packet, start..data.start)
        })
    }

    fn weight(&self) -> usize {
        let segments = self.segments.iter().map(|segment| segment.content.len());
        let bytes = segments.sum::<usize>() + size_of_val(&self.parts[..]);
        TILE_WEIGHT + bytes / size_of::<Packet>() + self.packets.as_ref().map_or(0, Vec::len)
    }
}

/// The packets of a tile without PLT.
fn measured(
    codestream: &Codestream,
    main: &MainHeader,
    coding: &Coding,
    parts: &[Part],
    area: &Area,
) -> Result<Option<Vec<Packet>>, DecodeError> {
    // Each has a byte at least: what is made here is not more than the file has.
    let bytes = parts.iter().map(|part| part.data.end - part.data.start);
    let Some(mut packets) = packets::ordered(main, area, bytes.sum()) else {
        return Ok(None);
    };
    let are_known = walk::measure(codestream, main, coding, parts, &mut packets)?;
    Ok(are_known.then_some(packets))
}

/// What has been read of the tile-part headers of a tile.
struct Headers {
    parts: Vec<Part>,
    segments: Vec<Segment>,
    segment_bytes: usize,
    can_be_joined: bool,
    lengths: Option<Vec<u32>>,
}

impl Default for Headers {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            segments: Vec::new(),
            segment_bytes: 0,
            can_be_joined: true,
            lengths: Some(Vec::new()),
        }
    }
}

impl Headers {
    fn read(&mut self, codestream: &Codestream, part: &TilePart) -> Result<(), DecodeError> {
        let body = part.range.start + SOT_LENGTH..part.range.end;
        if body.is_empty() {
            // Some encoders write tile-parts of nothing but SOT.
            return Ok(());
        }
        let mut segments = Segments::new(&codestream.input, body.clone(), READ_BUFFER);
        let mut lengths = Lengths::default();
        for _ in 0..MOST_SEGMENTS {
            match segments.marker()? {
                SOD => {
                    let data = segments.position()..body.end;
                    self.add_lengths(lengths, &data);
                    self.parts.push(Part { body, data });
                    return Ok(());
                }
                PLT => lengths.read(&mut segments)?,
                COM => {
                    segments.skip()?;
                }
                marker @ (QCD | QCC | RGN) if self.parts.is_empty() => {
                    let content = segments.content()?;
                    self.add_segment(marker, content)?;
                }
                _ => {
                    self.can_be_joined = false;
                    segments.skip()?;
                }
            }
        }
        Err(malformed("a tile-part header without an end"))
    }

    fn add_segment(&mut self, marker: u16, content: Vec<u8>) -> Result<(), DecodeError> {
        self.segment_bytes += content.len();
        if self.segment_bytes > MOST_SEGMENT_BYTES {
            return Err(malformed("a tile-part header that is too long"));
        }
        self.segments.push(Segment { marker, content });
        Ok(())
    }

    /// Lengths that do not add up to the data are none.
    fn add_lengths(&mut self, found: Lengths, data: &Range<u64>) {
        let found = packets::lengths(&found.joined()).unwrap_or_default();
        let sum: u64 = found.iter().copied().map(u64::from).sum();
        let right = sum == data.end - data.start;
        let known = self
            .lengths
            .take()
            .filter(|known| right && known.len().saturating_add(found.len()) <= MOST_PACKETS);
        self.lengths = known.map(|mut known| {
            known.extend(found);
            known
        });
    }
}

/// The PLT marker segments of a tile-part.
#[derive(Default)]
struct Lengths {
    segments: Vec<Vec<u8>>,
    bytes: usize,
}

impl Lengths {
    fn read(&mut self, segments: &mut Segments) -> Result<(), DecodeError> {
        if self.bytes > LONGEST_LENGTHS {
            segments.skip()?;
            return Ok(());
        }
        let content = segments.content()?;
        self.bytes += content.len();
        self.segments.push(content);
        Ok(())
    }

    /// The first byte of each numbers them.
    fn joined(mut self) -> Vec<u8> {
        self.segments
            .sort_by_key(|content| content.first().copied());
        let contents = self.segments.iter();
        contents
            .flat_map(|content| content.get(1..).unwrap_or_default())
            .copied()
            .collect()
    }
}

/// The tiles of a codestream, read when they are first needed.
#[derive(Default)]
pub struct Tiles {
    parts: TileParts,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tiles: HashMap<u16, Arc<Tile>>,
    weight: usize,
}

impl Tiles {
    /// Several tiles. Where they have too many packets together, these are not listed.
    ///
    /// # Errors
    /// If tile-parts are damaged or missing.
    pub fn get(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
        numbers: impl Iterator<Item = u16> + Clone,
    ) -> Result<Vec<Arc<Tile>>, DecodeError> {
        self.read_ahead(codestream, main, numbers.clone())?;
        let mut tiles = Vec::new();
        let mut weight = 0;
        for number in numbers {
            let mut tile = self.tile(codestream, main, number)?;
            weight += tile.weight();
            if weight > MOST_PACKETS && tile.packets.is_some() {
                Arc::make_mut(&mut tile).packets = None;
            }
            tiles.push(tile);
        }
        Ok(tiles)
    }

    /// Tile-parts lie far from each other: the headers of those that are not known are read at once.
    fn read_ahead(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
        numbers: impl Iterator<Item = u16>,
    ) -> Result<(), DecodeError> {
        let unknown: Vec<u16> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let is_unknown = |number: &u16| !known.tiles.contains_key(number);
            numbers.filter(is_unknown).collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        self.parts.read_ahead(codestream, main, &unknown)
    }

    /// Bytes of what has been found so far.
    pub fn memory(&self) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.parts.memory() + (known.weight * size_of::<Packet>()) as u64
    }

    fn tile(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
        number: u16,
    ) -> Result<Arc<Tile>, DecodeError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tile) = known().tiles.get(&number) {
            return Ok(Arc::clone(tile));
        }
        let parts = self.parts.of_tile(codestream, main, number)?;
        let tile = Arc::new(Tile::read(codestream, main, number, &parts)?);
        known().add(number, Arc::clone(&tile));
        Ok(tile)
    }
}

impl Known {
    fn add(&mut self, number: u16, tile: Arc<Tile>) {
        if self.weight + tile.weight() > MOST_PACKETS {
            *self = Self::default();
        }
        self.weight += tile.weight();
        self.tiles.insert(number, tile);
    }
}
