//! Where resolutions, sub-bands, precincts and code-blocks of a tile-component lie (ISO/IEC 15444-1, B.5 to B.7).

use std::ops::Range;

use crate::{Band, Error};

/// How a tile-component is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The samples of the tile-component, in the coordinates of the component (B-12).
    pub x: Range<u32>,
    pub y: Range<u32>,
    /// Decomposition levels.
    pub levels: u8,
    /// Logarithms of the sides of a code-block.
    pub block: (u8, u8),
    /// Logarithms of the sides of the precincts of each resolution, the smallest first; where there is none, 15.
    pub precincts: Vec<(u8, u8)>,
}

/// A resolution of a tile-component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub x: Range<u32>,
    pub y: Range<u32>,
    /// LL alone, or the other three.
    pub bands: Vec<SubBand>,
}

/// A sub-band, its precincts and its code-blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubBand {
    pub band: Band,
    pub x: Range<u32>,
    pub y: Range<u32>,
    /// Logarithms of the sides of precincts and of code-blocks in this sub-band.
    precinct: (u8, u8),
    block: (u8, u8),
}

/// The column and row of a precinct or of a code-block, from the origin of the coordinates.
pub type Place = (u32, u32);

impl Division {
    /// Resolution 0 is the smallest.
    ///
    /// # Errors
    /// If precincts have no samples in a sub-band (A.6.1).
    pub fn resolution(&self, number: u8) -> Result<Resolution, Error> {
        let reduction = self.levels - number;
        let within =
            |range: &Range<u32>| scaled(range.start, reduction)..scaled(range.end, reduction);
        let bands = match number {
            0 => vec![self.band(Band::LL, self.levels, self.precinct(0))?],
            _ => {
                let (across, down) = self.precinct(number);
                let halved = |log: u8| {
                    log.checked_sub(1)
                        .ok_or(Error("a precinct without samples"))
                };
                let precinct = (halved(across)?, halved(down)?);
                let band = |band| self.band(band, reduction + 1, precinct);
                vec![band(Band::HL)?, band(Band::LH)?, band(Band::HH)?]
            }
        };
        Ok(Resolution {
            x: within(&self.x),
            y: within(&self.y),
            bands,
        })
    }

    fn precinct(&self, resolution: u8) -> (u8, u8) {
        self.precincts
            .get(usize::from(resolution))
            .copied()
            .unwrap_or((15, 15))
    }

    /// A sub-band of so many decompositions (B-15).
    fn band(&self, band: Band, levels: u8, precinct: (u8, u8)) -> Result<SubBand, Error> {
        if levels > 32 {
            return Err(Error("too many decomposition levels"));
        }
        let along = |range: &Range<u32>, is_high: bool| {
            let at = |position: u32| {
                let first = if is_high { 1_u64 << (levels - 1) } else { 0 };
                let position = u64::from(position)
                    .saturating_sub(first)
                    .div_ceil(1 << levels);
                u32::try_from(position).unwrap_or(u32::MAX)
            };
            at(range.start)..at(range.end)
        };
        let (across, down) = (
            matches!(band, Band::HL | Band::HH),
            matches!(band, Band::LH | Band::HH),
        );
        Ok(SubBand {
            band,
            x: along(&self.x, across),
            y: along(&self.y, down),
            precinct,
            block: (self.block.0.min(precinct.0), self.block.1.min(precinct.1)),
        })
    }
}

impl SubBand {
    /// The precinct of a code-block.
    pub fn precinct_of(&self, block: Place) -> Place {
        (
            block.0 >> (self.precinct.0 - self.block.0),
            block.1 >> (self.precinct.1 - self.block.1),
        )
    }

    /// The code-blocks of a precinct, as columns and rows.
    pub fn blocks_of(&self, precinct: Place) -> (Range<u32>, Range<u32>) {
        (
            touched(&clipped(&self.x, precinct.0, self.precinct.0), self.block.0),
            touched(&clipped(&self.y, precinct.1, self.precinct.1), self.block.1),
        )
    }

    /// The code-blocks that a window of the sub-band touches, as columns and rows.
    pub fn blocks_in(&self, x: &Range<u32>, y: &Range<u32>) -> (Range<u32>, Range<u32>) {
        (touched(x, self.block.0), touched(y, self.block.1))
    }

    /// The samples of a code-block.
    pub fn block(&self, place: Place) -> (Range<u32>, Range<u32>) {
        (
            clipped(&self.x, place.0, self.block.0),
            clipped(&self.y, place.1, self.block.1),
        )
    }
}

/// The part of a range in a cell of a side of `1 << log`.
fn clipped(range: &Range<u32>, cell: u32, log: u8) -> Range<u32> {
    let edge = |cell: u64| u32::try_from(cell << log).unwrap_or(u32::MAX);
    let (start, end) = (edge(u64::from(cell)), edge(u64::from(cell) + 1));
    let start = start.clamp(range.start, range.end);
    start..end.clamp(start, range.end)
}

/// The cells that a range touches.
fn touched(range: &Range<u32>, log: u8) -> Range<u32> {
    if range.is_empty() {
        return 0..0;
    }
    range.start >> log..((range.end - 1) >> log) + 1
}

/// A position at a reduction (B-14).
pub fn scaled(position: u32, reduction: u8) -> u32 {
    u32::try_from(u64::from(position).div_ceil(1 << reduction)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tile-component from 5 to 106 and from 0 to 70.
    fn division() -> Division {
        Division {
            x: 5..106,
            y: 0..70,
            levels: 2,
            block: (4, 4),
            precincts: vec![(5, 5), (5, 4), (6, 6)],
        }
    }

    #[test]
    fn resolutions_and_sub_bands_are_where_the_standard_has_them() {
        let whole = division().resolution(2).unwrap();
        assert_eq!((whole.x, whole.y), (5..106, 0..70));
        // Of 5..106 the odd positions are 5, 7, … 105.
        let [hl, lh, hh] = &whole.bands[..] else {
            panic!()
        };
        assert_eq!((hl.x.clone(), hl.y.clone()), (2..53, 0..35));
        assert_eq!((lh.x.clone(), lh.y.clone()), (3..53, 0..35));
        assert_eq!((hh.x.clone(), hh.y.clone()), (2..53, 0..35));
        let smallest = division().resolution(0).unwrap();
        assert_eq!((smallest.x.clone(), smallest.y), (2..27, 0..18));
        assert_eq!(smallest.bands[0].x, smallest.x);
    }

    #[test]
    fn code_blocks_end_at_precincts_and_at_the_sub_band() {
        let resolution = division().resolution(1).unwrap();
        let hl = &resolution.bands[0];
        // Precincts of 32 × 16 have 16 × 8 samples in a sub-band, so that blocks have no more.
        assert_eq!(hl.blocks_of((0, 1)), (0..1, 1..2));
        assert_eq!(hl.block((0, 1)), (1..16, 8..16));
        assert_eq!(hl.precinct_of((1, 2)), (1, 2));
        let hl = &division().resolution(2).unwrap().bands[0];
        assert_eq!(hl.blocks_of((1, 0)), (2..4, 0..2));
        assert_eq!(hl.precinct_of((3, 1)), (1, 0));
        assert_eq!(hl.blocks_in(&(15..17), &(0..0)), (0..2, 0..0));
    }

    #[test]
    fn every_sample_lies_in_one_block_of_one_precinct() {
        for number in 0..=2 {
            for band in division().resolution(number).unwrap().bands {
                let (columns, rows) = band.blocks_in(&band.x, &band.y);
                let mut samples = 0;
                for (column, row) in
                    rows.flat_map(|row| columns.clone().map(move |column| (column, row)))
                {
                    let (x, y) = band.block((column, row));
                    samples += x.len() * y.len();
                    let (in_x, in_y) = band.blocks_of(band.precinct_of((column, row)));
                    assert!(in_x.contains(&column) && in_y.contains(&row));
                }
                assert_eq!(samples, band.x.len() * band.y.len());
            }
        }
    }

    #[test]
    fn precincts_of_one_sample_cannot_be_divided() {
        let division = Division {
            precincts: vec![(0, 0); 3],
            ..division()
        };
        assert!(division.resolution(0).is_ok());
        assert!(division.resolution(1).is_err());
    }
}
