//! The lengths of packets that no PLT tells: found once, from one header to the next.

use std::collections::HashMap;
use std::io;
use std::slice;

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
    let mut walk = Walk::new(codestream, main, coding, parts);
    // To have all of the data at hand may take a copy of a large file: not for a tile that shows its damage at once.
    let (first, others) = packets.split_at_mut(packets.len().min(1));
    if !walk.follow(first)? {
        return Ok(false);
    }
    let data = parts.iter().map(|part| part.data.clone());
    read_ahead(&*codestream.input, data.collect())?;
    walk.follow(others)
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
    /// The tile-parts to come, and the end of the data of the one where the next packet begins.
    parts: slice::Iter<'a, Part>,
    end: u64,
    skim: Skim,
    /// Precincts with layers to come, and how many were read.
    begun: HashMap<PrecinctId, (Precinct, u16)>,
    /// Bytes of these.
    memory: u64,
}

impl<'a> Walk<'a> {
    fn new(
        codestream: &'a Codestream,
        main: &'a MainHeader,
        coding: &'a Coding,
        parts: &'a [Part],
    ) -> Self {
        Self {
            codestream,
            main,
            coding,
            parts: parts.iter(),
            end: 0,
            skim: Skim::new(&codestream.input, 0..0, 0),
            begun: HashMap::new(),
            memory: 0,
        }
    }

    /// Fills in the lengths of the packets that come next. Returns whether they could be followed.
    fn follow(&mut self, packets: &mut [Packet]) -> Result<bool, DecodeError> {
        match self.measure(packets) {
            Ok(()) => Ok(true),
            Err(error) if is_damage(&error) => Ok(false),
            Err(error) => Err(DecodeError::Io(error)),
        }
    }

    fn measure(&mut self, packets: &mut [Packet]) -> io::Result<()> {
        for packet in packets {
            while self.skim.position() >= self.end {
                let part = self.parts.next().ok_or(io::ErrorKind::UnexpectedEof)?;
                self.skim = Skim::new(&self.codestream.input, part.data.clone(), READ_BUFFER);
                self.end = part.data.end;
            }
            let start = self.skim.position();
            let length = self.packet(packet.precinct())? - start;
            packet.length = u32::try_from(length)
                .map_err(|_| invalid(azulejo_jpeg2000::Error("a packet of 4 GiB")))?;
        }
        Ok(())
    }

    /// Goes to the end of a packet.
    fn packet(&mut self, id: PrecinctId) -> io::Result<u64> {
        let (mut precinct, layers) = match self.begun.remove(&id) {
            Some(begun) => {
                self.memory -= begun.0.memory();
                begun
            }
            None => (self.coding.precinct(id).map_err(invalid)?, 0),
        };
        precinct.read_header(&mut self.skim, self.main.markers())?;
        let body = self.skim.position();
        let end = precinct.place_body(body);
        self.skim.skip(end - body)?;
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

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::{Arc, Mutex};

    use super::super::Coded;
    use super::super::tests::{LIMITS, noise};
    use super::*;
    use crate::geometry::Dimensions;
    use crate::input::{Input, ReadAt};

    /// Counts the bytes that are announced.
    struct Announced {
        bytes: Vec<u8>,
        announced: Mutex<u64>,
    }

    impl ReadAt for Announced {
        fn size(&self) -> u64 {
            self.bytes.size()
        }

        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            self.bytes.read_exact_at(buffer, offset)
        }

        fn read_ahead(&self, ranges: &[Range<u64>]) -> io::Result<()> {
            let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            *self.announced.lock().unwrap() += bytes;
            Ok(())
        }
    }

    /// Where the data of the only tile lies, whether its packets are known, and how much was announced to find them.
    fn followed(bytes: Vec<u8>) -> (Range<u64>, bool, u64) {
        let announced = Mutex::default();
        let input = Arc::new(Announced { bytes, announced });
        let coded = Coded::open(Arc::clone(&input) as Input, 0, input.size(), &LIMITS).unwrap();
        let tiles = coded.tiles.get(&coded.codestream, &coded.main, 0..1);
        let tile = tiles.unwrap().remove(0);
        let announced = *input.announced.lock().unwrap();
        (
            tile.parts[0].data.clone(),
            tile.packets.is_some(),
            announced,
        )
    }

    #[test]
    fn data_that_begins_with_no_packet_is_not_read_ahead() {
        let mut bytes = noise(Dimensions::new(900, 900).unwrap());
        let (data, are_known, announced) = followed(bytes.clone());
        assert!(are_known && announced >= data.end - data.start);
        // Lengths of code-blocks do not have as many bits.
        bytes[data.start as usize..][..64].fill(0xFF);
        let (_, are_known, announced) = followed(bytes);
        assert!(!are_known && announced < 10_000, "{announced}");
    }
}
