//! The marker segments before the first scan (ITU-T T.81, B.1.1).

use crate::decode::DecodeError;
use crate::decode::whole::read_error;
use crate::input::{ReadAt, read_range, read_up_to};

/// A marker and where its payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The second byte of the marker.
    pub marker: u8,
    offset: u64,
    length: usize,
}

/// Walks from segment to segment. Payloads are skipped unless asked for, so that megabytes of metadata cost nothing.
pub struct Segments<'a> {
    input: &'a dyn ReadAt,
    position: u64,
    block: Block,
}

/// The bytes read last: markers mostly stand near each other.
struct Block {
    offset: u64,
    bytes: Vec<u8>,
}

const BLOCK: usize = 4096;
/// Bytes between segments that are forgiven, as libjpeg does; without a bound a hostile file would be read to its end.
const FILLER: u64 = 64 * 1024;

impl<'a> Segments<'a> {
    /// Starts after the start-of-image marker, which the caller has recognised.
    pub fn new(input: &'a dyn ReadAt) -> Self {
        Self {
            input,
            position: 2,
            block: Block {
                offset: 0,
                bytes: Vec::new(),
            },
        }
    }

    /// The next segment that has a payload.
    pub fn next_segment(&mut self) -> Result<Segment, DecodeError> {
        let marker = self.next_marker()?;
        let length = self.read(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let length = length
            .checked_sub(2)
            .ok_or_else(|| super::malformed("a marker segment of impossible length"))?;
        let segment = Segment {
            marker,
            offset: self.position,
            length,
        };
        self.position += length as u64;
        Ok(segment)
    }

    /// The payload of a segment.
    pub fn payload(&mut self, segment: &Segment) -> Result<Vec<u8>, DecodeError> {
        if let Some(payload) = self.block.get(segment.offset, segment.length) {
            return Ok(payload.to_vec());
        }
        read_range(self.input, segment.offset, segment.length)
            .map_err(|error| read_error(super::FORMAT, error))
    }

    /// The first bytes of a payload, at most `length`.
    pub fn start_of(&mut self, segment: &Segment, length: usize) -> Result<Vec<u8>, DecodeError> {
        self.payload(&Segment {
            length: segment.length.min(length),
            ..*segment
        })
    }

    /// The payload, signature and all, if it starts with the signature; otherwise it is not read.
    pub fn payload_if(
        &mut self,
        segment: &Segment,
        signature: &[u8],
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        if self.start_of(segment, signature.len())? != signature {
            return Ok(None);
        }
        self.payload(segment).map(Some)
    }

    fn next_marker(&mut self) -> Result<u8, DecodeError> {
        let end = self.position.saturating_add(FILLER);
        let mut after_ff = false;
        while self.position < end {
            let byte = self.read(1)?[0];
            match byte {
                0xFF => after_ff = true,
                0x00 => after_ff = false,
                // Restart markers and TEM stand alone.
                0xD0..=0xD7 | 0x01 if after_ff => after_ff = false,
                0xD8 | 0xD9 if after_ff => {
                    return Err(super::malformed("no image before the end marker"));
                }
                marker if after_ff => return Ok(marker),
                _ => {}
            }
        }
        Err(super::malformed("no marker where one must be"))
    }

    fn read(&mut self, length: usize) -> Result<Vec<u8>, DecodeError> {
        if self.block.get(self.position, length).is_none() {
            self.block = Block {
                offset: self.position,
                bytes: read_up_to(self.input, self.position, BLOCK)
                    .map_err(|error| read_error(super::FORMAT, error))?,
            };
        }
        let bytes = self.block.get(self.position, length).map(<[u8]>::to_vec);
        self.position += length as u64;
        bytes.ok_or_else(|| super::malformed("the file ends too early"))
    }
}

impl Block {
    fn get(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }
}
