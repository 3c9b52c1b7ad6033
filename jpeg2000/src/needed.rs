//! What a window of a tile-component needs, from its smallest resolution on.

use std::ops::Range;

use crate::Error;
use crate::geometry::{Division, Place, Resolution, SubBand};
use crate::wavelet::{Filter, needed};

/// A rectangle of a resolution of a tile-component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub x: Range<u32>,
    pub y: Range<u32>,
}

/// A precinct of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrecinctId {
    pub component: u8,
    pub resolution: u8,
    pub place: Place,
}

/// A code-block of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockId {
    pub component: u8,
    pub resolution: u8,
    /// The number of the sub-band in its resolution.
    pub band: u8,
    pub place: Place,
}

/// The resolutions that are made on the way to a window.
pub struct Needed {
    pub(crate) component: u8,
    pub(crate) stages: Vec<Stage>,
}

/// A resolution, and what is needed of it.
pub(crate) struct Stage {
    pub number: u8,
    pub resolution: Resolution,
    pub window: Window,
    /// What is needed of each of its sub-bands.
    pub bands: Vec<Window>,
}

impl Needed {
    /// What a window of a component needs, when the resolution is halved so many times.
    ///
    /// # Errors
    /// If there are fewer resolutions.
    pub(crate) fn new<F: Filter>(
        component: u8,
        division: &Division,
        window: &Window,
        reduction: u8,
    ) -> Result<Self, Error> {
        let top = division.levels.checked_sub(reduction);
        let top = top.ok_or(Error("a component with fewer resolutions"))?;
        let mut stages = Vec::new();
        let mut window = window.clone();
        for number in (0..=top).rev() {
            let resolution = division.resolution(number)?;
            let (below, bands) = match number {
                0 => (window.clone(), vec![window.clone()]),
                _ => bands::<F>(&resolution, &window),
            };
            stages.push(Stage {
                number,
                resolution,
                window,
                bands,
            });
            window = below;
        }
        stages.reverse();
        Ok(Self { component, stages })
    }

    /// The code-blocks, and the precincts that they are in.
    pub fn blocks(&self) -> impl Iterator<Item = (BlockId, PrecinctId)> {
        self.stages.iter().flat_map(move |stage| {
            let bands = stage.resolution.bands.iter().zip(&stage.bands).enumerate();
            bands.flat_map(move |(index, (band, window))| {
                window.blocks(band).map(move |place| {
                    let block = self.block(stage.number, index, place);
                    (block, self.precinct(stage.number, band.precinct_of(place)))
                })
            })
        })
    }

    /// The code-block at a place of the sub-band with this index.
    pub(crate) fn block(&self, resolution: u8, band: usize, place: Place) -> BlockId {
        BlockId {
            component: self.component,
            resolution,
            band: band as u8,
            place,
        }
    }

    fn precinct(&self, resolution: u8, place: Place) -> PrecinctId {
        PrecinctId {
            component: self.component,
            resolution,
            place,
        }
    }
}

impl Window {
    /// The code-blocks of a sub-band that it touches.
    pub(crate) fn blocks(&self, band: &SubBand) -> impl Iterator<Item = Place> + use<> {
        let (columns, rows) = band.blocks_in(&self.x, &self.y);
        rows.flat_map(move |row| columns.clone().map(move |column| (column, row)))
    }
}

/// What a window of a resolution needs of the one below it, which is LL, and of HL, LH and HH.
fn bands<F: Filter>(resolution: &Resolution, window: &Window) -> (Window, Vec<Window>) {
    let (low_x, high_x) = needed::<F>(window.x.clone(), resolution.x.clone());
    let (low_y, high_y) = needed::<F>(window.y.clone(), resolution.y.clone());
    let band = |x: &Range<u32>, y: &Range<u32>| Window {
        x: x.clone(),
        y: y.clone(),
    };
    let high = [(&high_x, &low_y), (&low_x, &high_y), (&high_x, &high_y)];
    let high = high.map(|(x, y)| band(x, y));
    (band(&low_x, &low_y), high.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wavelet::{Irreversible, Reversible};

    fn blocks<F: Filter>(x: Range<u32>, reduction: u8) -> Vec<BlockId> {
        let division = Division {
            x: 0..1024,
            y: 0..1024,
            levels: 1,
            block: (6, 6),
            precincts: Vec::new(),
        };
        let window = Window { x, y: 0..1 };
        let needed = Needed::new::<F>(0, &division, &window, reduction).unwrap();
        needed.blocks().map(|(block, _)| block).collect()
    }

    /// In LL and in three sub-bands of the larger resolution.
    #[test]
    fn a_window_needs_the_blocks_that_the_filters_reach() {
        assert_eq!(blocks::<Reversible>(10..11, 0).len(), 4);
        assert_eq!(blocks::<Reversible>(10..11, 1).len(), 1);
        // Sample 128 is the first one of the second blocks; the high samples before it count.
        assert_eq!(blocks::<Reversible>(128..129, 0).len(), 1 + 2 + 1 + 2);
        assert_eq!(blocks::<Irreversible>(128..129, 0).len(), 4 * 2);
    }

    #[test]
    fn there_are_no_resolutions_below_the_smallest() {
        let division = Division {
            x: 0..9,
            y: 0..9,
            levels: 2,
            block: (6, 6),
            precincts: Vec::new(),
        };
        let window = Window { x: 0..1, y: 0..1 };
        assert!(Needed::new::<Reversible>(0, &division, &window, 3).is_err());
    }
}
