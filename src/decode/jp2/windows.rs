//! The part of a tile that a window shows, by our own decoder: of the packets only those are read whose code-blocks are needed and not kept.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use azulejo_jpeg2000::wavelet::Plane;
use azulejo_jpeg2000::{BlockId, Markers, Needed, Piece, Precinct, PrecinctId};
use azulejo_jpeg2000::{Tile as Coding, Window};

use super::blocks::{Decoded, Kept};
use super::codestream::{Codestream, MainHeader};
use super::fields::malformed;
use super::grid::samples_of;
use super::loaded::{Loaded, joined};
use super::packets::Area;
use super::skim::Skim;
use super::tile::Tile;
use super::walk::is_damage;
use crate::decode::DecodeError;
use crate::ffi::openjpeg::Part;

/// Packets up to so many bytes are read as a whole; of others the header, and then what is needed.
const SMALL: u64 = 64 << 10;
/// Bytes read at once of headers.
const READ_BUFFER: usize = 4 << 10;

type Precincts = HashMap<PrecinctId, Arc<Precinct>>;

/// A codestream, one of its tiles, and what a window needs of it.
pub struct TileWindow<'a> {
    codestream: &'a Codestream,
    tile: &'a Tile,
    coding: &'a Coding,
    markers: Markers,
    needed: Vec<Needed>,
    /// Code-blocks that are kept.
    known: HashMap<BlockId, Decoded>,
    /// Those that are not.
    missing: Vec<(BlockId, PrecinctId)>,
    /// Their precincts, as far as they are kept.
    precincts: Precincts,
    /// The packets of the other precincts.
    packets: Vec<(PrecinctId, Range<u64>)>,
}

impl<'a> TileWindow<'a> {
    /// The part of a tile, as far as it lies in a part of the image.
    ///
    /// # Errors
    /// If the tile cannot be divided as its header says.
    pub fn new(
        codestream: &'a Codestream,
        main: &'a MainHeader,
        tile: &'a Tile,
        part: &Part,
        kept: &Kept,
    ) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::unsupported("a JPEG 2000 tile of a kind of its own");
        let coding = tile.coding.as_ref().ok_or_else(unknown)?;
        let windows = windows(main, &tile.area, part);
        let needed = coding.needed(&windows, part.reduction).map_err(broken)?;
        let blocks = || needed.iter().flat_map(Needed::blocks);
        let known = kept.blocks(tile.number, blocks().map(|(block, _)| block));
        let missing: Vec<_> = blocks()
            .filter(|(block, _)| !known.contains_key(block))
            .collect();
        let ids: HashSet<_> = missing.iter().map(|(_, precinct)| *precinct).collect();
        let precincts = kept.precincts(tile.number, ids.iter().copied());
        let placed = tile.placed_packets();
        let packets = placed
            .map(|(_, packet, range)| (packet.precinct(), range))
            .filter(|(id, _)| ids.contains(id) && !precincts.contains_key(id));
        Ok(Self {
            packets: packets.collect(),
            codestream,
            tile,
            coding,
            markers: main.markers(),
            needed,
            known,
            missing,
            precincts,
        })
    }

    /// What will be read, as far as that can be told. Of large packets it is their beginning.
    pub fn stretches(&self) -> Vec<Range<u64>> {
        let packets = self.packets.iter();
        let packets = packets.map(|(_, range)| range.start..range.end.min(range.start + SMALL));
        let blocks = self.missing.iter().filter_map(|(block, precinct)| {
            let precinct = self.precincts.get(precinct)?;
            let coded = precinct.block(usize::from(block.band), block.place)?;
            Some(coded.pieces().iter().cloned())
        });
        joined(packets.chain(blocks.flatten()).collect())
    }

    /// Bytes that reading the headers of packets takes.
    ///
    /// # Errors
    /// If the tile cannot be divided as its header says.
    pub fn index_bytes(&self) -> Result<u64, DecodeError> {
        let ids: HashSet<_> = self.packets.iter().map(|(id, _)| *id).collect();
        let mut bytes: u64 = self.small_packets().map(|range| length(&range)).sum();
        for id in ids {
            let precinct = self.coding.precinct_memory(id).map_err(broken)?;
            bytes = bytes.saturating_add(precinct);
        }
        Ok(bytes)
    }

    /// The samples of each component, on so many threads, if no more than so many bytes of packets have to be read.
    ///
    /// # Errors
    /// If the packets cannot be read, are damaged or too large.
    pub fn decode(
        mut self,
        kept: &Kept,
        most: u64,
        threads: usize,
    ) -> Result<Vec<Plane<i32>>, DecodeError> {
        let mut loaded = Loaded::default();
        self.read_headers(&mut loaded, kept, most)?;
        self.load_bodies(&mut loaded, most)?;
        let pieces = self.missing.iter().map(|(id, precinct)| {
            let coded = coded(&self.precincts, *id, *precinct)?;
            let bytes = loaded.concatenated(coded.pieces());
            let bytes = bytes.ok_or_else(|| malformed("a code-block outside of its packet"))?;
            let id = *id;
            Ok(Piece { id, coded, bytes })
        });
        let pieces: Vec<_> = pieces.collect::<Result<_, DecodeError>>()?;
        let mut blocks = self.coding.decode(&pieces, threads).map_err(broken)?;
        let fresh = pieces
            .iter()
            .map(|piece| (piece.id, blocks.get(&piece.id).cloned()));
        kept.keep_blocks(self.tile.number, fresh);
        let known = self.known.into_iter();
        blocks.extend(known.filter_map(|(id, decoded)| Some((id, decoded?))));
        self.coding
            .samples(&self.needed, &blocks, threads)
            .map_err(broken)
    }

    fn small_packets(&self) -> impl Iterator<Item = Range<u64>> {
        let packets = self.packets.iter().map(|(_, range)| range.clone());
        packets.filter(|range| length(range) <= SMALL)
    }

    /// Reads all layers of the precincts that are not known.
    fn read_headers(
        &mut self,
        loaded: &mut Loaded,
        kept: &Kept,
        most: u64,
    ) -> Result<(), DecodeError> {
        loaded.load(&self.codestream.input, self.small_packets().collect())?;
        let mut read: HashMap<PrecinctId, Precinct> = HashMap::new();
        for (id, range) in &self.packets {
            if !read.contains_key(id) {
                read.insert(*id, self.coding.precinct(*id).map_err(broken)?);
            }
            let Some(precinct) = read.get_mut(id) else {
                continue;
            };
            self.read_header(precinct, range, loaded).map_err(damaged)?;
        }
        check(read.values().map(Precinct::memory).sum(), most)?;
        for (id, precinct) in read {
            let precinct = Arc::new(precinct);
            kept.keep_precinct(self.tile.number, id, Arc::clone(&precinct));
            self.precincts.insert(id, precinct);
        }
        Ok(())
    }

    fn read_header(
        &self,
        precinct: &mut Precinct,
        range: &Range<u64>,
        loaded: &Loaded,
    ) -> io::Result<()> {
        let start = if let Some(mut bytes) = loaded.get(range) {
            precinct.read_header(&mut bytes, self.markers)?;
            range.end - bytes.len() as u64
        } else {
            let mut skim = Skim::new(&self.codestream.input, range.clone(), READ_BUFFER);
            precinct.read_header(&mut skim.by_ref(), self.markers)?;
            skim.position()
        };
        if precinct.place_body(start) != range.end {
            let problem = azulejo_jpeg2000::Error("its length is another one");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(())
    }

    fn load_bodies(&self, loaded: &mut Loaded, most: u64) -> Result<(), DecodeError> {
        let mut ranges = Vec::new();
        for (id, precinct) in &self.missing {
            ranges.extend_from_slice(coded(&self.precincts, *id, *precinct)?.pieces());
        }
        let value = joined(ranges.clone()).iter().map(length).sum();
        check(value, most)?;
        loaded.load(&self.codestream.input, ranges)
    }
}

fn check(value: u64, limit: u64) -> Result<(), DecodeError> {
    let what = "bytes of packets";
    if value > limit {
        return Err(DecodeError::TooLarge { what, value, limit });
    }
    Ok(())
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// The samples of each component that a part of the image has in a tile.
fn windows(main: &MainHeader, tile: &Area, part: &Part) -> Vec<Window> {
    let common = |tile: &Range<u32>, start: u32, end: u32| {
        let start = start.clamp(tile.start, tile.end);
        start..end.clamp(start, tile.end)
    };
    let x = common(&tile.x, part.x0, part.x1);
    let y = common(&tile.y, part.y0, part.y1);
    let components = main.size.components.iter();
    components
        .map(|component| Window {
            x: samples_of(&x, component.step_x, part.reduction),
            y: samples_of(&y, component.step_y, part.reduction),
        })
        .collect()
}

fn coded(
    precincts: &Precincts,
    block: BlockId,
    precinct: PrecinctId,
) -> Result<&azulejo_jpeg2000::Coded, DecodeError> {
    precincts
        .get(&precinct)
        .and_then(|precinct| precinct.block(usize::from(block.band), block.place))
        .ok_or_else(|| malformed("a packet is missing"))
}

/// What is said of packets is the file's fault; other errors are the source's.
fn damaged(error: io::Error) -> DecodeError {
    if is_damage(&error) {
        malformed(format!("a packet: {error}"))
    } else {
        DecodeError::Io(error)
    }
}

fn broken(error: azulejo_jpeg2000::Error) -> DecodeError {
    malformed(error.0)
}
