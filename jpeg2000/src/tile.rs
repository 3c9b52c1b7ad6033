//! A tile: its code-blocks decoded, and the samples of a window made of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::block::{Block, Decoder, Modes};
use crate::finish::{Depth, Transformed, transform_colors};
use crate::geometry::{Division, Place, Resolution, SubBand};
use crate::needed::{BlockId, Needed, PrecinctId, Window};
use crate::packet::{Coded, Precinct};
use crate::parallel::in_parallel;
use crate::quantization::{Quantization, Scale};
use crate::samples::{Coefficient, Samples, copy_row};
use crate::wavelet::{Bands, Filter, Irreversible, Plane, Reversible, synthesize};

/// A tile-component: how it is divided and coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub division: Division,
    pub modes: Modes,
    /// The filter of 5/3 or else that of 9/7.
    pub reversible: bool,
    pub quantization: Quantization,
    pub depth: Depth,
}

/// A tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub components: Vec<Component>,
    /// The first three components are to be transformed (annex G).
    pub color_transform: bool,
}

/// A code-block, what its packets say of it, and its bytes.
pub struct Piece<'a> {
    pub id: BlockId,
    pub coded: &'a Coded,
    /// Those of [`Coded::pieces`].
    pub bytes: Cow<'a, [u8]>,
}

/// The code-blocks that are not all zero.
pub type Blocks = HashMap<BlockId, Arc<Samples>>;

impl Tile {
    /// A precinct of which no packet was read.
    ///
    /// # Errors
    /// If there is none.
    pub fn precinct(&self, id: PrecinctId) -> Result<Precinct, Error> {
        let (component, resolution) = self.resolution(id)?;
        Ok(Precinct::new(&resolution, id.place, component.modes))
    }

    /// The code-blocks of a precinct.
    ///
    /// # Errors
    /// If there is none.
    pub fn block_count(&self, id: PrecinctId) -> Result<u64, Error> {
        let (_, resolution) = self.resolution(id)?;
        let count = |band: &SubBand| {
            let (columns, rows) = band.blocks_of(id.place);
            columns.len() as u64 * rows.len() as u64
        };
        Ok(resolution.bands.iter().map(count).sum())
    }

    /// Bytes that a precinct takes of which no packet was read ([`Precinct::memory`]).
    ///
    /// # Errors
    /// If there is none.
    pub fn precinct_memory(&self, id: PrecinctId) -> Result<u64, Error> {
        self.block_count(id).map(Precinct::memory_of)
    }

    fn resolution(&self, id: PrecinctId) -> Result<(&Component, Resolution), Error> {
        let component = self.components.get(usize::from(id.component));
        let component = component.filter(|component| id.resolution <= component.division.levels);
        let component = component.ok_or(Error("a precinct of no component"))?;
        Ok((component, component.division.resolution(id.resolution)?))
    }

    /// What windows of the components need, when the resolution is halved so many times.
    ///
    /// # Errors
    /// If a component has fewer resolutions.
    pub fn needed(&self, windows: &[Window], reduction: u8) -> Result<Vec<Needed>, Error> {
        let components = (0..).zip(&self.components).zip(windows);
        components
            .map(|((number, component), window)| {
                let division = &component.division;
                if component.reversible {
                    Needed::new::<Reversible>(number, division, window, reduction)
                } else {
                    Needed::new::<Irreversible>(number, division, window, reduction)
                }
            })
            .collect()
    }

    /// Decodes code-blocks on so many threads. Those of which nothing was coded are left out.
    ///
    /// # Errors
    /// If one cannot be what an encoder writes.
    pub fn decode(&self, blocks: &[Piece<'_>], threads: usize) -> Result<Blocks, Error> {
        let decoded = in_parallel(blocks, threads, Scratch::default, |scratch, block| {
            let samples = self.decode_block(block, scratch)?;
            Ok(samples.map(|samples| (block.id, Arc::new(samples))))
        })?;
        Ok(decoded.into_iter().flatten().collect())
    }

    fn decode_block(
        &self,
        Piece { id, coded, bytes }: &Piece<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<Samples>, Error> {
        const MOST_PLANES: u32 = 30;
        if coded.passes == 0 {
            return Ok(None);
        }
        let component = &self.components[usize::from(id.component)];
        let resolution = component.division.resolution(id.resolution)?;
        let band = &resolution.bands[usize::from(id.band)];
        let scale = component.scale(id.resolution, band)?;
        let planes = u32::from(scale.planes).checked_sub(coded.empty_planes);
        let planes = planes
            .filter(|planes| (1..=MOST_PLANES).contains(planes))
            .ok_or(Error("a code-block without bit-planes"))?;
        let (x, y) = band.block(id.place);
        let segments = coded.segments(bytes);
        let block = Block {
            width: x.len(),
            height: y.len(),
            band: band.band,
            modes: component.modes,
            planes: planes as u8,
            segments: &segments,
        };
        scratch.samples.resize(x.len() * y.len(), 0);
        scratch.decoder.decode(&block, &mut scratch.samples)?;
        Ok(Some(Samples::new(&scratch.samples, block.planes)))
    }

    /// The samples of each component's window, with its sign or from zero on, as the component has it.
    ///
    /// # Errors
    /// If components that are transformed together differ.
    pub fn samples(
        &self,
        needed: &[Needed],
        blocks: &Blocks,
        threads: usize,
    ) -> Result<Vec<Plane<i32>>, Error> {
        let mut planes = in_parallel(
            needed,
            threads,
            || (),
            |(), needed| self.components[usize::from(needed.component)].plane(needed, blocks),
        )?;
        if self.color_transform {
            transform_colors(&mut planes)?;
        }
        let components = planes.into_iter().zip(&self.components);
        Ok(components
            .map(|(plane, component)| plane.finished(component.depth))
            .collect())
    }
}

#[derive(Default)]
struct Scratch {
    decoder: Decoder,
    samples: Vec<i32>,
}

impl Component {
    fn scale(&self, resolution: u8, band: &SubBand) -> Result<Scale, Error> {
        self.quantization
            .scale((resolution, band.band), self.depth.precision)
    }

    fn plane(&self, needed: &Needed, blocks: &Blocks) -> Result<Transformed, Error> {
        Ok(if self.reversible {
            Transformed::Whole(self.synthesized::<Reversible>(needed, blocks)?)
        } else {
            Transformed::Real(self.synthesized::<Irreversible>(needed, blocks)?)
        })
    }

    fn synthesized<F: Filter>(
        &self,
        needed: &Needed,
        blocks: &Blocks,
    ) -> Result<Plane<F::Sample>, Error>
    where
        F::Sample: Coefficient,
    {
        let mut made: Option<Plane<F::Sample>> = None;
        for stage in &needed.stages {
            let mut bands = stage.resolution.bands.iter().zip(&stage.bands).enumerate();
            let mut next = || {
                let (index, (band, window)) = bands.next().ok_or(Error("a sub-band is missing"))?;
                let step = self.scale(stage.number, band)?.step;
                let block = |place| {
                    let id = needed.block(stage.number, index, place);
                    blocks.get(&id).map(|samples| &**samples)
                };
                Ok::<_, Error>(filled(band, window, step, block))
            };
            made = Some(match made {
                None => next()?,
                Some(ll) => {
                    let bands = Bands {
                        ll,
                        hl: next()?,
                        lh: next()?,
                        hh: next()?,
                    };
                    let Window { x, y } = stage.window.clone();
                    let bounds = &stage.resolution;
                    synthesize::<F>(&bands, x, y, bounds.x.clone(), bounds.y.clone())
                }
            });
        }
        made.ok_or(Error("a component without resolutions"))
    }
}

/// A window of a sub-band, put together of its code-blocks.
fn filled<'a, C: Coefficient>(
    band: &SubBand,
    window: &Window,
    step: f32,
    block: impl Fn(Place) -> Option<&'a Samples>,
) -> Plane<C> {
    let width = window.x.len();
    let mut plane = Plane {
        x: window.x.clone(),
        y: window.y.clone(),
        samples: vec![C::default(); width * window.y.len()],
    };
    for place in window.blocks(band) {
        let Some(samples) = block(place) else {
            continue;
        };
        let (block_x, block_y) = band.block(place);
        let x = common(&block_x, &window.x);
        for row in common(&block_y, &window.y) {
            let from =
                (row - block_y.start) as usize * block_x.len() + (x.start - block_x.start) as usize;
            let to = (row - window.y.start) as usize * width + (x.start - window.x.start) as usize;
            copy_row(samples, from, &mut plane.samples[to..to + x.len()], step);
        }
    }
    plane
}

fn common(a: &Range<u32>, b: &Range<u32>) -> Range<u32> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile() -> Tile {
        let division = Division {
            x: 5..106,
            y: 0..70,
            levels: 1,
            block: (4, 4),
            precincts: vec![(5, 5), (6, 6)],
        };
        let component = Component {
            division,
            modes: Modes(0),
            reversible: true,
            quantization: Quantization::parse(&[0x40, 0x40, 0x48, 0x48, 0x50]).unwrap(),
            depth: Depth {
                precision: 8,
                signed: false,
            },
        };
        Tile {
            components: vec![component],
            color_transform: false,
        }
    }

    /// What is reserved before precincts are made is what they count afterwards.
    #[test]
    fn the_memory_of_a_precinct_is_known_before_it_is_made() {
        let id = |resolution, place| PrecinctId {
            component: 0,
            resolution,
            place,
        };
        let mut memories = Vec::new();
        for id in [id(0, (0, 0)), id(0, (1, 1)), id(1, (0, 0)), id(1, (9, 9))] {
            let memory = tile().precinct_memory(id).unwrap();
            assert_eq!(memory, tile().precinct(id).unwrap().memory(), "{id:?}");
            memories.push(memory);
        }
        assert!(memories[2] > memories[0], "it has three sub-bands");
        assert!(memories[3] < memories[1], "there is no code-block");
        assert!(tile().precinct_memory(id(2, (0, 0))).is_err());
    }
}
