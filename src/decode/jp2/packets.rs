//! The packets of a tile: their order, their lengths, and which of them a window needs.

use std::ops::Range;

use azulejo_jpeg2000::PrecinctId;

use super::codestream::{Component, MainHeader, Sequence, Style};
use super::fields::malformed;
use super::grid::samples_within;
use crate::decode::DecodeError;

/// More packets are not listed: the list takes 16 bytes for each. An image of 300 million pixels in precincts of 256
/// has 20,000 for each layer.
pub const MOST_PACKETS: usize = 1 << 20;
/// Samples of a resolution around the window that the wavelet filters reach, and some more: the filters reach four
/// samples of a sub-band, which has half the samples (F.3).
const MARGIN: u64 = 12;

/// A rectangle of the reference grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    pub x: Range<u32>,
    pub y: Range<u32>,
}

/// One packet: a layer of a precinct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub component: u8,
    pub resolution: u8,
    /// The number of the precinct's column and row from the origin of the grid.
    column: u32,
    row: u32,
    /// Bytes, with SOP and EPH markers.
    pub length: u32,
}

impl Packet {
    pub fn precinct(&self) -> PrecinctId {
        PrecinctId {
            component: self.component,
            resolution: self.resolution,
            place: (self.column, self.row),
        }
    }
}

/// The precincts of a resolution of a tile-component (B.6), as columns and rows from the origin of the grid.
struct Precincts {
    columns: Range<u64>,
    rows: Range<u64>,
}

impl Precincts {
    fn of(area: &Area, component: &Component, style: &Style, resolution: u8) -> Self {
        let reduction = style.levels - resolution;
        let (width, height) = style.precinct(usize::from(resolution));
        let within = |range: &Range<u32>, step, log: u8| {
            let samples = samples_within(range.start, range.end, step, reduction);
            if samples.is_empty() {
                return 0..0;
            }
            samples.start >> log..((samples.end - 1) >> log) + 1
        };
        Self {
            columns: within(&area.x, component.step_x, width),
            rows: within(&area.y, component.step_y, height),
        }
    }

    fn count(&self) -> u64 {
        let columns = self.columns.end - self.columns.start;
        columns.saturating_mul(self.rows.end - self.rows.start)
    }
}

/// Each component with its style and each of its resolutions.
fn resolutions(main: &MainHeader) -> impl Iterator<Item = (u8, &Component, &Style, u8)> {
    let components = main.size.components.iter().zip(&main.styles);
    (0..)
        .zip(components)
        .flat_map(|(number, (component, style))| {
            (0..=style.levels).map(move |resolution| (number, component, style, resolution))
        })
}

/// The packets of a tile in the order of the codestream (B.12), without their lengths. `None` if the order is one that is not followed here,
/// or there are more than so many.
pub fn ordered(main: &MainHeader, tile: &Area, most: u64) -> Option<Vec<Packet>> {
    let sequence = &main.sequence;
    let precincts: u64 = resolutions(main)
        .map(|(_, component, style, resolution)| {
            Precincts::of(tile, component, style, resolution).count()
        })
        .fold(0, u64::saturating_add);
    let count = precincts.saturating_mul(u64::from(sequence.layers));
    if sequence.changes || count > most.min(MOST_PACKETS as u64) {
        return None;
    }
    let mut packets = Vec::with_capacity(usize::try_from(count).ok()?);
    for (number, component, style, resolution) in resolutions(main) {
        let place = Place {
            tile,
            number,
            component,
            style,
            resolution,
        };
        place.list(sequence, &mut packets)?;
    }
    packets.sort_unstable_by_key(|(key, _)| *key);
    Some(packets.into_iter().map(|(_, packet)| packet).collect())
}

/// The same with the lengths that PLT tells. `None` if they are not those of these packets.
pub fn listed(main: &MainHeader, tile: &Area, lengths: &[u32]) -> Option<Vec<Packet>> {
    let packets = ordered(main, tile, lengths.len() as u64)
        .filter(|packets| packets.len() == lengths.len())?;
    let packets = packets.into_iter().zip(lengths);
    Some(
        packets
            .map(|(packet, &length)| Packet { length, ..packet })
            .collect(),
    )
}

/// What packets are sorted by.
type Key = [u32; 5];

/// The key of a packet in a progression order (table A.16).
fn key(order: u8, packet: &Packet, layer: u32, (y, x): (u32, u32)) -> Option<Key> {
    let component = u32::from(packet.component);
    let resolution = u32::from(packet.resolution);
    let (row, column) = (packet.row, packet.column);
    Some(match order {
        0 => [layer, resolution, component, row, column],
        1 => [resolution, layer, component, row, column],
        2 => [resolution, y, x, component, layer],
        3 => [y, x, component, resolution, layer],
        4 => [component, y, x, resolution, layer],
        _ => return None,
    })
}

/// A resolution of a tile-component.
struct Place<'a> {
    tile: &'a Area,
    number: u8,
    component: &'a Component,
    style: &'a Style,
    resolution: u8,
}

impl Place<'_> {
    /// Appends the packets with their keys, without their lengths.
    fn list(&self, sequence: &Sequence, packets: &mut Vec<(Key, Packet)>) -> Option<()> {
        let precincts = Precincts::of(self.tile, self.component, self.style, self.resolution);
        if precincts.count() == 0 {
            return Some(());
        }
        let columns = precincts.columns;
        let all = precincts
            .rows
            .flat_map(|row| columns.clone().map(move |column| (row, column)));
        for (row, column) in all {
            let position = (self.y(row)?, self.x(column)?);
            let packet = Packet {
                component: self.number,
                resolution: self.resolution,
                column: u32::try_from(column).ok()?,
                row: u32::try_from(row).ok()?,
                length: 0,
            };
            for layer in 0..u32::from(sequence.layers) {
                packets.push((key(sequence.order, &packet, layer, position)?, packet));
            }
        }
        Some(())
    }

    fn x(&self, column: u64) -> Option<u32> {
        let log = self.style.precinct(usize::from(self.resolution)).0;
        self.position(column, log, self.component.step_x, self.tile.x.start)
    }

    fn y(&self, row: u64) -> Option<u32> {
        let log = self.style.precinct(usize::from(self.resolution)).1;
        self.position(row, log, self.component.step_y, self.tile.y.start)
    }

    /// Where a precinct stands in the orders that go by position (B.12.1.3). The first one may begin before the tile, and
    /// then stands where the tile begins. With steps that are no powers of two OpenJPEG does not find all positions.
    fn position(&self, precinct: u64, log: u8, step: u32, tile: u32) -> Option<u32> {
        if !step.is_power_of_two() {
            return None;
        }
        let reduction = self.style.levels - self.resolution;
        let begin = precinct
            .checked_mul(u64::from(step))?
            .checked_mul(1 << (log + reduction))?;
        u32::try_from(begin).ok().map(|begin| begin.max(tile))
    }
}

/// The precincts that a window needs.
pub struct Needed {
    /// For each component and resolution.
    precincts: Vec<Vec<Option<Precincts>>>,
}

impl Needed {
    /// Those of a tile for a window of the grid at a reduction.
    pub fn of(main: &MainHeader, tile: &Area, window: &Area, reduction: u8) -> Self {
        let common = |a: &Range<u32>, b: &Range<u32>| a.start.max(b.start)..a.end.min(b.end);
        let area = Area {
            x: common(&tile.x, &window.x),
            y: common(&tile.y, &window.y),
        };
        let components = main.size.components.iter().zip(&main.styles);
        let of_component = |(component, style): (&Component, &Style)| {
            let kept = style.levels.saturating_sub(reduction);
            (0..=style.levels)
                .map(|resolution| {
                    (resolution <= kept).then(|| around(&area, component, style, resolution))
                })
                .collect()
        };
        Self {
            precincts: components.map(of_component).collect(),
        }
    }

    pub fn holds(&self, packet: &Packet) -> bool {
        let component = self.precincts.get(usize::from(packet.component));
        let resolution =
            component.and_then(|component| component.get(usize::from(packet.resolution)));
        resolution.is_some_and(|precincts| {
            precincts.as_ref().is_some_and(|precincts| {
                precincts.columns.contains(&u64::from(packet.column))
                    && precincts.rows.contains(&u64::from(packet.row))
            })
        })
    }
}

/// The precincts of a resolution that hold samples of an area or of the margin around it.
fn around(area: &Area, component: &Component, style: &Style, resolution: u8) -> Precincts {
    let reduction = style.levels - resolution;
    let (width, height) = style.precinct(usize::from(resolution));
    let within = |range: &Range<u32>, step, log: u8| {
        let samples = samples_within(range.start, range.end, step, reduction);
        let first = samples.start.saturating_sub(MARGIN) >> log;
        first..(samples.end.max(samples.start) + MARGIN).div_ceil(1 << log)
    };
    Precincts {
        columns: within(&area.x, component.step_x, width),
        rows: within(&area.y, component.step_y, height),
    }
}

/// The lengths in PLT marker segments (A.7.3), without the segments' numbers: seven bits in a byte, of which all but the
/// last have the highest bit set.
///
/// # Errors
/// If a length does not fit or does not end.
pub fn lengths(bytes: &[u8]) -> Result<Vec<u32>, DecodeError> {
    const MORE: u8 = 0x80;
    let mut lengths = Vec::new();
    let mut length = 0_u32;
    for &byte in bytes {
        if length > u32::MAX >> 7 {
            return Err(malformed("a packet that is too long"));
        }
        length = length << 7 | u32::from(byte & !MORE);
        if byte & MORE == 0 {
            lengths.push(length);
            length = 0;
        }
    }
    match bytes.last() {
        Some(last) if last & MORE != 0 => Err(malformed("the length of a packet without an end")),
        _ => Ok(lengths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K04: a tile may have four thousand million rows of precincts, and none in any of them.
    #[test]
    fn a_tile_without_samples_has_no_packets() {
        let tile = Area {
            x: 1..2,
            y: 0..u32::MAX,
        };
        let component = Component {
            precision: 8,
            signed: false,
            step_x: 2,
            step_y: 1,
        };
        let style = Style {
            levels: 0,
            block: (6, 6),
            modes: 0,
            reversible: true,
            precincts: vec![(0, 0)],
        };
        let place = Place {
            tile: &tile,
            number: 0,
            component: &component,
            style: &style,
            resolution: 0,
        };
        let sequence = Sequence {
            order: 0,
            layers: 1,
            start_markers: false,
            end_markers: false,
            changes: false,
            color_transform: 0,
        };
        let mut packets = Vec::new();
        assert!(place.list(&sequence, &mut packets).is_some());
        assert!(packets.is_empty());
    }

    #[test]
    fn lengths_have_seven_bits_in_a_byte() {
        assert_eq!(
            lengths(&[5, 0x81, 0, 0x83, 0xFF, 0x7F]).unwrap(),
            [5, 128, 65_535]
        );
        assert!(lengths(&[]).unwrap().is_empty());
        assert!(lengths(&[5, 0x81]).is_err(), "no end");
        assert!(
            lengths(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err(),
            "too long"
        );
    }
}
