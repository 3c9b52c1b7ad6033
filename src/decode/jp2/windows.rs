//! Windows decoded by our own decoder: of each tile only the packets are read whose code-blocks are needed and not kept.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use azulejo_jpeg2000::wavelet::Plane;
use azulejo_jpeg2000::{
    BlockId, Blocks, Coded as CodedBlock, Markers, Needed, Precinct, PrecinctId,
};
use azulejo_jpeg2000::{Tile as Coding, Window};

use super::blocks::{Decoded, DecodedBlocks};
use super::codestream::{Codestream, MainHeader};
use super::fields::malformed;
use super::grid::samples_within;
use super::packets::Area;
use super::segments::truncated;
use super::tile::Tile;
use crate::decode::DecodeError;
use crate::ffi::openjpeg::Part;
use crate::input::{read_ahead, read_range};

/// A codestream, one of its tiles, and what is kept of it.
pub struct TileWindow<'a> {
    codestream: &'a Codestream,
    main: &'a MainHeader,
    tile: &'a Tile,
    coding: &'a Coding,
    needed: Vec<Needed>,
    /// Those that are kept.
    known: HashMap<BlockId, Decoded>,
    /// Those that are not.
    missing: Vec<(BlockId, PrecinctId)>,
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
        kept: &DecodedBlocks,
    ) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::unsupported("a JPEG 2000 tile of a kind of its own");
        let coding = tile.coding.as_ref().ok_or_else(unknown)?;
        let windows = windows(main, &tile.area, part);
        let needed = coding.needed(&windows, part.reduction).map_err(broken)?;
        let blocks = || needed.iter().flat_map(Needed::blocks);
        let known = kept.get(tile.number, blocks().map(|(block, _)| block));
        let missing = blocks().filter(|(block, _)| !known.contains_key(block));
        Ok(Self {
            missing: missing.collect(),
            codestream,
            main,
            tile,
            coding,
            needed,
            known,
        })
    }

    /// Where the packets lie that have to be read, those that follow each other together.
    pub fn stretches(&self) -> Vec<Range<u64>> {
        joined(&self.packets())
    }

    fn packets(&self) -> Vec<(PrecinctId, Range<u64>)> {
        let precincts: HashSet<_> = self.missing.iter().map(|(_, precinct)| *precinct).collect();
        let placed = self.tile.placed_packets();
        placed
            .map(|(_, packet, range)| (packet.precinct(), range))
            .filter(|(precinct, _)| precincts.contains(precinct))
            .collect()
    }

    /// The samples of each component, on so many threads.
    ///
    /// # Errors
    /// If the packets cannot be read or are damaged.
    pub fn decode(
        self,
        kept: &DecodedBlocks,
        threads: usize,
    ) -> Result<Vec<Plane<i32>>, DecodeError> {
        let precincts = self.read()?;
        let missing = self.missing.iter();
        let coded = missing.map(|(id, precinct)| Ok((*id, coded(&precincts, *id, *precinct)?)));
        let coded: Vec<_> = coded.collect::<Result<_, DecodeError>>()?;
        let mut blocks = self.coding.decode(&coded, threads).map_err(broken)?;
        let fresh = coded.iter().map(|(id, _)| (*id, blocks.get(id).cloned()));
        kept.keep(self.tile.number, fresh);
        add_known(&mut blocks, self.known);
        self.coding
            .samples(&self.needed, &blocks, threads)
            .map_err(broken)
    }

    /// Reads all layers of the precincts that have missing code-blocks.
    fn read(&self) -> Result<HashMap<PrecinctId, Precinct>, DecodeError> {
        let packets = self.packets();
        let stretches = joined(&packets);
        let input = &*self.codestream.input;
        read_ahead(input, stretches.clone())?;
        let mut packets = packets.into_iter().peekable();
        let mut precincts = HashMap::new();
        for stretch in stretches {
            let length = usize::try_from(stretch.end - stretch.start).unwrap_or(usize::MAX);
            let bytes = read_range(input, stretch.start, length).map_err(truncated)?;
            while let Some((id, range)) = packets.next_if(|(_, range)| range.end <= stretch.end) {
                let within = |position: u64| (position - stretch.start) as usize;
                let packet = &bytes[within(range.start)..within(range.end)];
                self.read_packet(&mut precincts, id, packet)?;
            }
        }
        Ok(precincts)
    }

    fn read_packet(
        &self,
        precincts: &mut HashMap<PrecinctId, Precinct>,
        id: PrecinctId,
        mut packet: &[u8],
    ) -> Result<(), DecodeError> {
        let precinct = match precincts.entry(id) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(self.coding.precinct(id).map_err(broken)?)
            }
        };
        let markers = markers(self.main);
        precinct
            .read_header(&mut packet, markers)
            .and_then(|_| precinct.read_body(&mut packet))
            .map_err(|error| malformed(format!("a packet: {error}")))?;
        if !packet.is_empty() {
            return Err(malformed("a packet shorter than its length"));
        }
        Ok(())
    }
}

pub fn markers(main: &MainHeader) -> Markers {
    Markers {
        start: main.sequence.start_markers,
        end: main.sequence.end_markers,
    }
}

/// The samples of each component that a part of the image has in a tile.
fn windows(main: &MainHeader, tile: &Area, part: &Part) -> Vec<Window> {
    let along = |tile: &Range<u32>, start: u32, end: u32, step: u32| {
        let start = start.clamp(tile.start, tile.end);
        let end = end.clamp(start, tile.end);
        let samples = samples_within(start, end, step, part.reduction);
        samples.start as u32..samples.end as u32
    };
    let components = main.size.components.iter();
    components
        .map(|component| Window {
            x: along(&tile.x, part.x0, part.x1, component.step_x),
            y: along(&tile.y, part.y0, part.y1, component.step_y),
        })
        .collect()
}

fn coded(
    precincts: &HashMap<PrecinctId, Precinct>,
    block: BlockId,
    precinct: PrecinctId,
) -> Result<&CodedBlock, DecodeError> {
    precincts
        .get(&precinct)
        .and_then(|precinct| precinct.block(usize::from(block.band), block.place))
        .ok_or_else(|| malformed("a packet is missing"))
}

fn add_known(blocks: &mut Blocks, known: HashMap<BlockId, Decoded>) {
    let known = known.into_iter();
    blocks.extend(known.filter_map(|(id, decoded)| Some((id, decoded?))));
}

fn joined(packets: &[(PrecinctId, Range<u64>)]) -> Vec<Range<u64>> {
    let mut stretches: Vec<Range<u64>> = Vec::new();
    for (_, range) in packets {
        match stretches.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => stretches.push(range.clone()),
        }
    }
    stretches
}

fn broken(error: azulejo_jpeg2000::Error) -> DecodeError {
    malformed(error.0)
}
