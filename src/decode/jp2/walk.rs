//! The lengths of packets that no PLT tells: found once, from one header to the next.

use std::collections::HashMap;
use std::io;

use azulejo_jpeg2000::{Precinct, PrecinctId, Tile as Coding};

use super::codestream::{Codestream, MainHeader};
use super::packets::Packet;
use super::skim::Skim;
use super::tile::Part;
use crate::decode::DecodeError;
use crate::input::read_ahead;

/// Code-blocks of a tile. An image of a gigapixel has as many; each takes a hundred bytes on the way.
const MOST_BLOCKS: u64 = 1 << 20;
/// Bytes of the precincts of which there are layers to come.
const MOST_MEMORY: u64 = 256 << 20;
/// Bytes read at once: headers are short, and far from each other.
const READ_BUFFER: usize = 4 << 10;

/// Fills in the lengths of all packets of a tile, which are in their order. Returns whether that could be done: damaged packets cannot be followed.
///
/// # Errors
/// If the input cannot be read.
pub fn measure(
    codestream: &Codestream,
    main: &MainHeader,
    coding: &Coding,
    parts: &[Part],
    packets: &mut [Packet],
) -> Result<bool, DecodeError> {
    if !are_few(coding, main.sequence.layers, packets) {
        return Ok(false);
    }
    let data = parts.iter().map(|part| part.data.clone());
    read_ahead(&*codestream.input, data.collect())?;
    let mut walk = Walk {
        codestream,
        main,
        coding,
        begun: HashMap::new(),
        memory: 0,
    };
    match walk.all(parts, packets) {
        Ok(()) => Ok(true),
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(DecodeError::Io(error)),
    }
}

fn are_few(coding: &Coding, layers: u16, packets: &[Packet]) -> bool {
    let precincts = packets
        .iter()
        .map(|packet| coding.block_count(packet.precinct()));
    let blocks = precincts.map(|count| count.unwrap_or(u64::MAX));
    let blocks = blocks.fold(0, u64::saturating_add);
    blocks / u64::from(layers.max(1)) <= MOST_BLOCKS
}

/// Whether it is the file's fault. Sources call what they cannot understand invalid, too.
pub fn is_damage(error: &io::Error) -> bool {
    let inner = error.get_ref();
    let is_ours = inner.is_some_and(|inner| inner.is::<azulejo_jpeg2000::Error>());
    is_ours || error.kind() == io::ErrorKind::UnexpectedEof
}

struct Walk<'a> {
    codestream: &'a Codestream,
    main: &'a MainHeader,
    coding: &'a Coding,
    /// Precincts with layers to come, and how many were read.
    begun: HashMap<PrecinctId, (Precinct, u16)>,
    /// Bytes of these.
    memory: u64,
}

impl Walk<'_> {
    fn all(&mut self, parts: &[Part], packets: &mut [Packet]) -> io::Result<()> {
        let mut parts = parts.iter().map(|part| part.data.clone());
        let mut data = parts.next().unwrap_or_default();
        let mut skim = self.skim(&data);
        for packet in packets {
            while skim.position() >= data.end {
                data = parts.next().ok_or(io::ErrorKind::UnexpectedEof)?;
                skim = self.skim(&data);
            }
            let start = skim.position();
            let length = self.packet(packet.precinct(), &mut skim)? - start;
            packet.length = u32::try_from(length)
                .map_err(|_| invalid(azulejo_jpeg2000::Error("a packet of 4 GiB")))?;
        }
        Ok(())
    }

    fn skim(&self, data: &std::ops::Range<u64>) -> Skim {
        Skim::new(&self.codestream.input, data.clone(), READ_BUFFER)
    }

    /// Goes to the end of a packet.
    fn packet(&mut self, id: PrecinctId, skim: &mut Skim) -> io::Result<u64> {
        let (mut precinct, layers) = match self.begun.remove(&id) {
            Some(begun) => {
                self.memory -= begun.0.memory();
                begun
            }
            None => (self.coding.precinct(id).map_err(invalid)?, 0),
        };
        precinct.read_header(skim, self.main.markers())?;
        let body = skim.position();
        let end = precinct.place_body(body);
        skim.skip(end - body)?;
        if layers + 1 < self.main.sequence.layers {
            self.memory += precinct.memory();
            if self.memory > MOST_MEMORY {
                return Err(invalid(azulejo_jpeg2000::Error("too much to be followed")));
            }
            self.begun.insert(id, (precinct, layers + 1));
        }
        Ok(end)
    }
}

fn invalid(error: azulejo_jpeg2000::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
