//! Where the tile-parts of a codestream lie.

use std::ops::Range;
use std::sync::OnceLock;

use super::codestream::{Codestream, MainHeader};
use super::fields::{Fields, malformed};
use super::segments::{EOC, SOT, truncated};
use super::tile::READ_BUFFER;
use crate::decode::DecodeError;
use crate::input::{read_ahead, read_range};

/// A bound on what the index takes: 255 tile-parts for each of 65,535 tiles are possible, and no image needs as many.
const MOST_TILE_PARTS: usize = 1 << 20;
/// Bytes of TLM: six for each tile-part. A hostile header has thousands of marker segments of 64 KiB.
const LONGEST_LENGTHS: u64 = 6 * MOST_TILE_PARTS as u64;
/// Bytes of an SOT marker segment with its marker (A.4.2).
pub const SOT_LENGTH: u64 = 12;

/// One tile-part, from its SOT marker to its end in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TilePart {
    pub tile: u16,
    pub range: Range<u64>,
}

/// The tile-parts of a codestream, found when they are first needed.
#[derive(Default)]
pub struct TileParts {
    /// As TLM says, if that can be true.
    declared: OnceLock<Option<Vec<TilePart>>>,
    /// As found from one SOT to the next.
    walked: OnceLock<Vec<TilePart>>,
}

impl TileParts {
    /// The tile-parts of one tile in their order.
    ///
    /// # Errors
    /// If tile-parts are damaged or missing, anywhere as far as that shows without TLM.
    pub fn of_tile(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
        tile: u16,
    ) -> Result<Vec<TilePart>, DecodeError> {
        if let Some(declared) = self.declared(codestream, main)? {
            let parts = of_tile(declared, tile);
            if !parts.is_empty() && all_begin_as_declared(codestream, parts)? {
                return Ok(parts.to_vec());
            }
        }
        let parts = of_tile(self.walked(codestream, main)?, tile);
        if parts.is_empty() {
            return Err(malformed(format!("tile {tile} is missing")));
        }
        Ok(parts.to_vec())
    }

    /// Says that the headers of some tiles will be read, if TLM tells where they are.
    ///
    /// # Errors
    /// If TLM or the headers cannot be read.
    pub fn read_ahead(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
        tiles: &[u16],
    ) -> Result<(), DecodeError> {
        let Some(declared) = self.declared(codestream, main)? else {
            return Ok(());
        };
        let parts = tiles.iter().flat_map(|tile| of_tile(declared, *tile));
        let starts = parts.map(|part| start_of(part.range.start));
        Ok(read_ahead(&*codestream.input, starts.collect())?)
    }

    /// Bytes of what has been found so far.
    pub fn memory(&self) -> u64 {
        let declared = self.declared.get().and_then(Option::as_ref);
        let parts = declared.into_iter().chain(self.walked.get());
        let count: usize = parts.map(Vec::len).sum();
        (count * size_of::<TilePart>()) as u64
    }

    fn declared(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
    ) -> Result<Option<&[TilePart]>, DecodeError> {
        if self.declared.get().is_none() {
            let found = declared(codestream, main)?;
            return Ok(self.declared.get_or_init(|| found).as_deref());
        }
        Ok(self.declared.get().and_then(Option::as_deref))
    }

    fn walked(
        &self,
        codestream: &Codestream,
        main: &MainHeader,
    ) -> Result<&[TilePart], DecodeError> {
        if let Some(known) = self.walked.get() {
            return Ok(known);
        }
        let found = walked(codestream, main)?;
        Ok(self.walked.get_or_init(|| found))
    }
}

/// The first bytes of a tile-part: the SOT marker segment, and all of a short header.
fn start_of(position: u64) -> Range<u64> {
    position..position.saturating_add(SOT_LENGTH + READ_BUFFER as u64)
}

fn of_tile(parts: &[TilePart], tile: u16) -> &[TilePart] {
    let first = parts.partition_point(|part| part.tile < tile);
    let end = parts.partition_point(|part| part.tile <= tile);
    &parts[first..end]
}

fn all_begin_as_declared(codestream: &Codestream, parts: &[TilePart]) -> Result<bool, DecodeError> {
    for part in parts {
        let end = codestream.end();
        match Start::read(codestream, part.range.start) {
            Ok(start) if start.tile == part.tile && start.end(end) == Some(part.range.end) => {}
            Ok(_) | Err(DecodeError::Malformed { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// What TLM says (A.7.1), or `None` if it does not lead to the end of the codestream.
fn declared(
    codestream: &Codestream,
    main: &MainHeader,
) -> Result<Option<Vec<TilePart>>, DecodeError> {
    let ranges = &main.tile_part_lengths;
    let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    if bytes > LONGEST_LENGTHS {
        return Ok(None);
    }
    read_ahead(&*codestream.input, with_end(codestream, ranges.clone()))?;
    let mut segments = Vec::new();
    for range in ranges {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        segments.push(read_range(&*codestream.input, range.start, length).map_err(truncated)?);
    }
    // The first byte numbers them.
    segments.sort_by_key(|content| content.first().copied());
    let mut lengths = Vec::new();
    for content in &segments {
        if parse_lengths(content, &mut lengths).is_err() || lengths.len() > MOST_TILE_PARTS {
            return Ok(None);
        }
    }
    let parts = placed(&lengths, main);
    let Some(end) = parts
        .as_ref()
        .and_then(|parts| Some(parts.last()?.range.end))
    else {
        return Ok(None);
    };
    if !ends_at(codestream, end)? {
        return Ok(None);
    }
    Ok(parts.map(sorted))
}

/// Tile numbers and lengths; without numbers there is one tile-part for each tile.
fn parse_lengths(content: &[u8], lengths: &mut Vec<(u16, u32)>) -> Result<(), DecodeError> {
    let mut fields = Fields(content);
    let [_number, sizes] = fields.take()?;
    while !fields.0.is_empty() {
        let tile = match sizes >> 4 & 3 {
            0 => u16::try_from(lengths.len()).map_err(|_| malformed("too many tiles"))?,
            1 => u16::from(fields.u8()?),
            2 => fields.u16()?,
            _ => return Err(malformed("tile numbers of an unknown size")),
        };
        let length = if sizes >> 6 & 1 == 0 {
            u32::from(fields.u16()?)
        } else {
            fields.u32()?
        };
        lengths.push((tile, length));
    }
    Ok(())
}

fn placed(lengths: &[(u16, u32)], main: &MainHeader) -> Option<Vec<TilePart>> {
    let mut start = main.end;
    let mut parts = Vec::with_capacity(lengths.len());
    for &(tile, length) in lengths {
        if u64::from(tile) >= main.size.all_tiles() || u64::from(length) < SOT_LENGTH {
            return None;
        }
        let end = start + u64::from(length);
        let range = start..end;
        parts.push(TilePart { tile, range });
        start = end;
    }
    Some(parts)
}

/// Goes from SOT to SOT.
fn walked(codestream: &Codestream, main: &MainHeader) -> Result<Vec<TilePart>, DecodeError> {
    let end = codestream.end();
    read_ahead(
        &*codestream.input,
        with_end(codestream, vec![start_of(main.end)]),
    )?;
    let mut parts = Vec::new();
    let mut position = main.end;
    while !ends_at(codestream, position)? {
        let start = Start::read(codestream, position)?;
        let Some(after) = start.end(end) else {
            return Err(malformed("a tile-part beyond the end of the codestream"));
        };
        if u64::from(start.tile) >= main.size.all_tiles() || parts.len() == MOST_TILE_PARTS {
            let tile = start.tile;
            return Err(malformed(format!("a tile-part too many, of tile {tile}")));
        }
        parts.push(TilePart {
            tile: start.tile,
            range: position..after,
        });
        position = after;
    }
    Ok(sorted(parts))
}

/// By tile; those of one tile stay in their order.
fn sorted(mut parts: Vec<TilePart>) -> Vec<TilePart> {
    parts.sort_by_key(|part| part.tile);
    parts
}

/// EOC is looked for whether TLM leads to it or the tile-parts do.
fn with_end(codestream: &Codestream, mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let end = codestream.end();
    ranges.push(end.saturating_sub(2)..end);
    ranges
}

fn ends_at(codestream: &Codestream, position: u64) -> Result<bool, DecodeError> {
    if position.saturating_add(2) > codestream.end() {
        return Ok(false);
    }
    let marker = read_range(&*codestream.input, position, 2).map_err(truncated)?;
    Ok(marker == EOC.to_be_bytes())
}

/// An SOT marker segment (A.4.2).
pub struct Start {
    pub tile: u16,
    /// From the marker to the end of the tile-part; zero in the last one of the codestream means: up to EOC.
    length: u32,
    position: u64,
}

impl Start {
    fn read(codestream: &Codestream, position: u64) -> Result<Self, DecodeError> {
        if position.saturating_add(SOT_LENGTH) > codestream.end() {
            return Err(malformed("the codestream ends before its tile-parts do"));
        }
        let bytes =
            read_range(&*codestream.input, position, SOT_LENGTH as usize).map_err(truncated)?;
        let mut fields = Fields(&bytes);
        if (fields.u16()?, fields.u16()?) != (SOT, 10) {
            return Err(malformed("no tile-part where one must be"));
        }
        Ok(Self {
            tile: fields.u16()?,
            length: fields.u32()?,
            position,
        })
    }

    /// Where the tile-part ends, if that is before the end of the codestream.
    fn end(&self, codestream: u64) -> Option<u64> {
        let last = codestream.checked_sub(2)?;
        let end = match u64::from(self.length) {
            0 => last,
            length if length < SOT_LENGTH => return None,
            length => self.position + length,
        };
        (end > self.position && end <= last).then_some(end)
    }
}
