//! Packets: what a layer adds to the code-blocks of a precinct (ISO/IEC 15444-1, B.9 and B.10).

use std::io::{self, Read};
use std::ops::Range;

use crate::Error;
use crate::bits::{Bits, byte};
use crate::block::{Modes, Segment};
use crate::geometry::{Place, Resolution};
use crate::tag_tree::TagTree;

/// No code-block has more passes (table B.4 tells up to 164 in a packet, and there are at most 31 bit-planes of three).
const MOST_PASSES: u32 = 164;
/// Segments that the packets of a precinct bring: a quarter of a million code-blocks may have sixteen each.
const MOST_PARTS: usize = 1 << 22;
/// Lengths have no more bits.
const MOST_LENGTH_BITS: u32 = 31;

/// Which markers stand in packets (A.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markers {
    /// SOP may stand before them.
    pub start: bool,
    /// EPH stands after their headers.
    pub end: bool,
}

/// A precinct, and what the packets that were read so far say of its code-blocks.
pub struct Precinct {
    modes: Modes,
    layer: u32,
    bands: Vec<Part>,
    /// What the packets before the last brought.
    parts: usize,
    /// What the packet brings whose header was read last, in the order of its body.
    brought: Vec<Brought>,
}

/// The code-blocks of a precinct in one sub-band.
struct Part {
    columns: Range<u32>,
    rows: Range<u32>,
    inclusion: TagTree,
    empty_planes: TagTree,
    blocks: Vec<Coded>,
}

/// A code-block as far as it was read.
#[derive(Clone, Debug)]
pub struct Coded {
    /// Of the bit-planes of the sub-band, those without any coefficient.
    pub empty_planes: u32,
    length_bits: u32,
    pub passes: u32,
    /// Passes and bytes of each segment.
    segments: Vec<(u32, u32)>,
    /// Where its bytes lie in the input.
    pieces: Vec<Range<u64>>,
}

/// What a packet brings of a segment of a code-block.
struct Brought {
    part: usize,
    block: usize,
    length: u32,
}

impl Precinct {
    pub fn new(resolution: &Resolution, place: Place, modes: Modes) -> Self {
        let part = |band: &crate::geometry::SubBand| {
            let (columns, rows) = band.blocks_of(place);
            let (width, height) = (columns.len(), rows.len());
            Part {
                columns,
                rows,
                inclusion: TagTree::new(width, height),
                empty_planes: TagTree::new(width, height),
                blocks: vec![Coded::default(); width * height],
            }
        };
        Self {
            modes,
            layer: 0,
            parts: 0,
            bands: resolution.bands.iter().map(part).collect(),
            brought: Vec::new(),
        }
    }

    /// Reads the header of the next layer's packet, with the markers around it. Its body follows.
    ///
    /// # Errors
    /// If the bytes end, or are no header.
    pub fn read_header(&mut self, bytes: &mut impl Read, markers: Markers) -> io::Result<()> {
        let mut bits = after_start_marker(bytes, markers)?;
        self.parts += self.brought.len();
        self.brought.clear();
        if bits.bit()? {
            for part in 0..self.bands.len() {
                self.read_part(part, &mut bits)?;
            }
        }
        bits.finish()?;
        if markers.end && (byte(bytes)?, byte(bytes)?) != (0xFF, 0x92) {
            return Err(invalid("no end of a packet's header"));
        }
        self.layer += 1;
        Ok(())
    }

    /// Says where in the input the body begins whose header was read last. Returns where it ends.
    pub fn place_body(&mut self, start: u64) -> u64 {
        let mut next = start;
        for brought in &self.brought {
            let coded = &mut self.bands[brought.part].blocks[brought.block];
            let end = next.saturating_add(u64::from(brought.length));
            coded.add_piece(next..end);
            next = end;
        }
        next
    }

    /// Bytes that a precinct of so many code-blocks takes, roughly, before packets are read.
    pub(crate) fn memory_of(blocks: u64) -> u64 {
        /// A code-block with its share of the tag trees, and a precinct as such.
        const BLOCK: u64 = 130;
        const FIELDS: u64 = 500;
        blocks.saturating_mul(BLOCK).saturating_add(FIELDS)
    }

    /// Bytes that it takes, roughly.
    pub fn memory(&self) -> u64 {
        /// A segment and a place in the input.
        const PART: usize = 48;
        let blocks: usize = self.bands.iter().map(|part| part.blocks.len()).sum();
        Self::memory_of(blocks as u64) + ((self.parts + self.brought.len()) * PART) as u64
    }

    /// A code-block of the sub-band with this index. `None` if it is of another precinct.
    pub fn block(&self, band: usize, (column, row): Place) -> Option<&Coded> {
        let part = self.bands.get(band)?;
        if !part.columns.contains(&column) || !part.rows.contains(&row) {
            return None;
        }
        let (column, row) = (column - part.columns.start, row - part.rows.start);
        part.blocks
            .get(row as usize * part.columns.len() + column as usize)
    }

    fn read_part<R: Read>(&mut self, index: usize, bits: &mut Bits<'_, R>) -> io::Result<()> {
        let part = &mut self.bands[index];
        let width = part.columns.len();
        for (number, coded) in part.blocks.iter_mut().enumerate() {
            let place = (number % width, number / width);
            let is_new = coded.passes == 0;
            let is_included = if is_new {
                part.inclusion
                    .is_below(place, self.layer + 1, || bits.bit())?
            } else {
                bits.bit()?
            };
            if !is_included {
                continue;
            }
            if is_new {
                coded.empty_planes = empty_planes(&mut part.empty_planes, place, bits)?;
            }
            if self.parts + self.brought.len() > MOST_PARTS {
                return Err(invalid("a precinct in too many parts"));
            }
            coded.read_lengths(self.modes, bits, |length| {
                self.brought.push(Brought {
                    part: index,
                    block: number,
                    length,
                });
            })?;
        }
        Ok(())
    }
}

/// The bits of a header, after the SOP marker segment (A.8.1) if there is one.
fn after_start_marker<R: Read>(bytes: &mut R, markers: Markers) -> io::Result<Bits<'_, R>> {
    const START: u8 = 0x91;
    if !markers.start {
        return Ok(Bits::new(bytes));
    }
    let first = byte(bytes)?;
    if first != 0xFF {
        return Ok(Bits::after([first], bytes));
    }
    // In a header the highest bit after a full byte is zero.
    let second = byte(bytes)?;
    if second != START {
        return Ok(Bits::after([first, second], bytes));
    }
    let mut length_and_number = [0; 4];
    bytes.read_exact(&mut length_and_number)?;
    Ok(Bits::new(bytes))
}

fn empty_planes<R: Read>(
    tree: &mut TagTree,
    place: (usize, usize),
    bits: &mut Bits<'_, R>,
) -> io::Result<u32> {
    const MOST: u32 = 64;
    let mut planes = 0;
    while !tree.is_below(place, planes + 1, || bits.bit())? {
        planes += 1;
        if planes > MOST {
            return Err(invalid("a code-block without bit-planes"));
        }
    }
    Ok(planes)
}

/// The number of coding passes (table B.4).
fn passes<R: Read>(bits: &mut Bits<'_, R>) -> io::Result<u32> {
    let ones = bits.ones(2)?;
    if ones < 2 {
        return Ok(ones + 1);
    }
    match bits.number(2)? {
        3 => {}
        more => return Ok(3 + more),
    }
    match bits.number(5)? {
        31 => Ok(37 + bits.number(7)?),
        more => Ok(6 + more),
    }
}

impl Default for Coded {
    fn default() -> Self {
        Self {
            empty_planes: 0,
            length_bits: 3,
            passes: 0,
            segments: Vec::new(),
            pieces: Vec::new(),
        }
    }
}

impl Coded {
    /// Where its bytes lie in the input, in their order.
    pub fn pieces(&self) -> &[Range<u64>] {
        &self.pieces
    }

    fn add_piece(&mut self, piece: Range<u64>) {
        if piece.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last) if last.end == piece.start => last.end = piece.end,
            _ => self.pieces.push(piece),
        }
    }

    /// The segments of the bytes that the pieces are.
    pub(crate) fn segments<'a>(&self, bytes: &'a [u8]) -> Vec<Segment<'a>> {
        let mut rest = bytes;
        let segment = |&(passes, length): &(u32, u32)| {
            let (bytes, after) = rest.split_at((length as usize).min(rest.len()));
            rest = after;
            Segment { passes, bytes }
        };
        self.segments.iter().map(segment).collect()
    }

    /// How many passes there are, and how many bytes they have in each segment (B.10.6 and B.10.7).
    fn read_lengths<R: Read>(
        &mut self,
        modes: Modes,
        bits: &mut Bits<'_, R>,
        mut bring: impl FnMut(u32),
    ) -> io::Result<()> {
        let mut passes = passes(bits)?;
        if self.passes + passes > MOST_PASSES {
            return Err(invalid("too many coding passes"));
        }
        self.length_bits += bits.ones(MOST_LENGTH_BITS)?;
        while passes > 0 {
            let (index, room) = self.open_segment(modes);
            let here = passes.min(room);
            let length_bits = self.length_bits + here.ilog2();
            if length_bits > MOST_LENGTH_BITS {
                return Err(invalid("a code-block that is too long"));
            }
            let length = bits.number(length_bits)?;
            self.segments[index].0 += here;
            self.segments[index].1 = self.segments[index].1.saturating_add(length);
            self.passes += here;
            passes -= here;
            bring(length);
        }
        Ok(())
    }

    /// The segment that the next pass belongs to, and how many passes it has room for.
    fn open_segment(&mut self, modes: Modes) -> (usize, u32) {
        let last = self.segments.last().map_or(0, |(passes, _)| *passes);
        let room = segment_end(modes, self.passes - last).saturating_sub(self.passes);
        if self.segments.is_empty() || room == 0 {
            self.segments.push((0, 0));
            return (
                self.segments.len() - 1,
                segment_end(modes, self.passes) - self.passes,
            );
        }
        (self.segments.len() - 1, room)
    }
}

/// The number of the pass after those of a segment that begins with this one (D.4.2, D.6).
fn segment_end(modes: Modes, start: u32) -> u32 {
    const BYPASS: u8 = 1;
    const TERMINATED: u8 = 4;
    const FIRST_RAW: u32 = 10;
    if modes.0 & TERMINATED != 0 {
        return start + 1;
    }
    if modes.0 & BYPASS == 0 {
        return MOST_PASSES;
    }
    match start.checked_sub(FIRST_RAW) {
        None => FIRST_RAW,
        // Significance propagation and refinement as they are, then a clean-up.
        Some(raw) if raw % 3 == 0 => start + 2,
        Some(_) => start + 1,
    }
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Error(problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Division;

    fn precinct() -> Precinct {
        let division = Division {
            x: 0..8,
            y: 0..8,
            levels: 0,
            block: (6, 6),
            precincts: Vec::new(),
        };
        Precinct::new(&division.resolution(0).unwrap(), (0, 0), Modes(0))
    }

    /// One packet after the other, their headers as bits and the bytes of their bodies behind them.
    fn read(precinct: &mut Precinct, mut headers: &[u8]) -> u64 {
        let markers = Markers::default();
        precinct.read_header(&mut headers, markers).unwrap();
        assert!(headers.is_empty());
        precinct.place_body(100)
    }

    #[test]
    fn a_packet_says_where_the_bytes_of_a_code_block_lie() {
        let mut precinct = precinct();
        let memory = precinct.memory();
        // Not empty, included, one plane without coefficients, two passes, lengths of 3 + 1 bits, five bytes.
        assert_eq!(read(&mut precinct, &[0b1101_1000, 0b1010_0000]), 105);
        let block = precinct.block(0, (0, 0)).unwrap();
        assert_eq!((block.passes, block.empty_planes), (2, 1));
        assert_eq!(block.pieces(), std::slice::from_ref(&(100..105)));
        assert!(precinct.memory() > memory, "what packets bring counts");
        // The next layer brings one pass more, in one byte, which is told by one bit more.
        assert_eq!(read(&mut precinct, &[0b1101_0000, 0b1000_0000]), 101);
        let block = precinct.block(0, (0, 0)).unwrap();
        assert_eq!(block.passes, 3);
        assert_eq!(block.pieces(), [100..105, 100..101]);
        assert_eq!(precinct.block(0, (1, 0)).map(|block| block.passes), None);
    }

    /// A pass may need no bytes at all, and then they lie nowhere.
    #[test]
    fn a_pass_without_bytes_has_no_place() {
        let mut precinct = precinct();
        assert_eq!(read(&mut precinct, &[0b1110_0000]), 100);
        let block = precinct.block(0, (0, 0)).unwrap();
        assert_eq!(block.passes, 1);
        assert!(block.pieces().is_empty());
    }

    /// The bits of a header as bytes.
    fn stuffed(mut bits: &[bool]) -> Vec<u8> {
        let mut bytes = vec![0];
        while !bits.is_empty() || bytes.last() == Some(&0xFF) {
            let room = if bytes.last() == Some(&0xFF) { 7 } else { 8 };
            let (byte, after) = bits.split_at(bits.len().min(room));
            let value = byte
                .iter()
                .fold(0, |value, bit| value << 1 | u8::from(*bit));
            bytes.push(value << (room - byte.len()));
            bits = after;
        }
        bytes.split_off(1)
    }

    /// The header of a packet with one pass more for each code-block of a square, in a segment of its own, of no bytes.
    fn one_pass_more(side: usize, is_first: bool) -> Vec<u8> {
        let mut bits = vec![true];
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            bits.push(true);
            if is_first {
                // So many nodes of a tag tree are asked for the first time. In both of them they are zero.
                let levels = side.next_power_of_two().ilog2();
                let nodes = 1 + (row | column).trailing_zeros().min(levels);
                bits.extend((1..2 * nodes).map(|_| true));
            }
            bits.extend([false; 5]);
        }
        stuffed(&bits)
    }

    /// K04: code-blocks of sixteen samples with 164 passes that need no bytes. What would be kept of them has no other bound.
    #[test]
    fn a_precinct_in_endless_segments_is_refused() {
        let side = 160;
        let division = Division {
            x: 0..4 * side as u32,
            y: 0..4 * side as u32,
            levels: 0,
            block: (2, 2),
            precincts: Vec::new(),
        };
        let modes = Modes(Modes::TERMINATE);
        let mut precinct = Precinct::new(&division.resolution(0).unwrap(), (0, 0), modes);
        assert_eq!(read(&mut precinct, &one_pass_more(side, true)), 100);
        assert_eq!(precinct.block(0, (159, 159)).unwrap().passes, 1);
        let header = one_pass_more(side, false);
        let mut packets = (0..MOST_PASSES).map(|_| {
            let markers = Markers::default();
            precinct.read_header(&mut &header[..], markers)
        });
        let error = packets.find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "a precinct in too many parts");
        let last = precinct.block(0, (159, 159)).unwrap();
        assert_eq!(last.passes as usize, MOST_PARTS / (side * side));
    }

    #[test]
    fn an_empty_packet_brings_nothing() {
        let mut precinct = precinct();
        assert_eq!(read(&mut precinct, &[0]), 100);
        assert_eq!(precinct.block(0, (0, 0)).unwrap().passes, 0);
    }

    #[test]
    fn markers_stand_around_the_header() {
        let markers = Markers {
            start: true,
            end: true,
        };
        let header = [0xFF, 0x91, 0, 4, 0, 0, 0, 0xFF, 0x92];
        let read = |mut bytes: &[u8]| precinct().read_header(&mut bytes, markers).is_ok();
        assert!(read(&header));
        assert!(read(&header[6..]), "the one before may be left out");
        assert!(!read(&[0, 0xFF, 0x93]));
        assert!(!read(&[]));
    }
}
