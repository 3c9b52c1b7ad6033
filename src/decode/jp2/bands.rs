//! Large windows are decoded in bands: what is needed beside the pixels does not grow with them.

use std::ops::Range;
use std::sync::Arc;

use azulejo_jpeg2000::wavelet::Plane;

use super::codestream::Component;
use super::fields::malformed;
use super::grid::samples_of;
use super::pixels::{self, Decoded};
use super::tile::Tile;
use super::windows::TileWindow;
use super::{Image, Window};
use crate::decode::DecodeError;
use crate::ffi::openjpeg::{self, Part};
use crate::geometry::{Dimensions, Rect};
use crate::input::read_ahead;
use crate::raster::{Raster, Samples};

/// Pixels of a band.
const PIXELS: u32 = 1 << 20;
/// Rows in whole numbers of which bands are divided: those of a code-block of 64 in the largest resolution.
const ROWS: u32 = 128;
/// Bytes for each sample of a band: coefficients, those of the sub-bands and of the resolution, and the result.
const SAMPLE: u64 = 20;

impl Image {
    /// Decodes a window from the top to the bottom. What is not ours to decode of it goes to OpenJPEG, so that it, too, is never given more
    /// than a band.
    pub(super) fn decode_bands(
        &self,
        window: &Window,
        threads: usize,
    ) -> Result<Raster, DecodeError> {
        let mut samples: Option<Samples> = None;
        for rect in bands(window.rect) {
            let band = Window { rect, ..*window };
            let raster = self.decode_by_either(&band, window.rect, threads)?;
            samples = Some(appended(samples, raster.into_samples()));
        }
        let samples = samples.ok_or_else(|| malformed("a window without rows"))?;
        let (dimensions, layout) = (window.rect.dimensions(), self.channels.layout());
        Ok(Raster::new(dimensions, layout, samples))
    }

    fn decode_by_either(
        &self,
        band: &Window,
        whole: Rect,
        threads: usize,
    ) -> Result<Raster, DecodeError> {
        let part = self.part(band)?;
        let Some(tiles) = self.our_tiles(&part)? else {
            return self.decode_by_openjpeg(band, threads);
        };
        match self.decode_band(band, &part, &tiles, whole, threads) {
            // OpenJPEG overlooks some of what encoders should not write.
            Err(DecodeError::Malformed { .. }) => self.decode_by_openjpeg(band, threads),
            ours => ours,
        }
    }

    pub(super) fn decode_band(
        &self,
        band: &Window,
        part: &Part,
        tiles: &[Arc<Tile>],
        whole: Rect,
        threads: usize,
    ) -> Result<Raster, DecodeError> {
        let size = &self.coded.main.size;
        let beside = memory(band.rect.dimensions(), size.components.len() as u64);
        let mut planes = None;
        for tile in tiles {
            let window = self.tile_window(tile, part)?;
            let beside = beside.saturating_add(window.index_bytes()?);
            let most = self.check_bytes(whole, beside)?;
            let decoded = window.decode(&self.coded.kept, most, threads)?;
            planes = Some(joined(planes, decoded, &size.components, part));
        }
        let planes = planes.unwrap_or_default();
        let components: Vec<_> = planes.iter().map(component).collect();
        let decoded = Decoded {
            size,
            part,
            rect: band.rect,
            components: &components,
        };
        pixels::raster(&decoded, &self.channels)
    }

    /// Says what decoding a window in bands will read. That is found again when it is decoded, which takes little beside the wait and the
    /// decoding, and others may have decoded some of it by then.
    pub(super) fn read_bands_ahead(&self, window: &Window) -> Result<(), DecodeError> {
        let mut stretches = Vec::new();
        for rect in bands(window.rect) {
            let part = self.part(&Window { rect, ..*window })?;
            let Some(tiles) = self.our_tiles(&part)? else {
                stretches.extend(self.cut(rect, &part)?.codestream.stretches());
                continue;
            };
            for tile in &tiles {
                stretches.extend(self.tile_window(tile, &part)?.stretches());
            }
        }
        Ok(read_ahead(&*self.coded.codestream.input, stretches)?)
    }

    /// The tiles that a part touches, unless OpenJPEG is needed for one of them.
    pub(super) fn our_tiles(&self, part: &Part) -> Result<Option<Vec<Arc<Tile>>>, DecodeError> {
        let coded = &self.coded;
        let numbers = coded
            .main
            .size
            .tile_numbers(&(part.x0..part.x1), &(part.y0..part.y1));
        let tiles = coded.tiles.get(&coded.codestream, &coded.main, numbers)?;
        let are_ours = tiles
            .iter()
            .all(|tile| tile.coding.is_some() && tile.packets.is_some());
        Ok(are_ours.then_some(tiles))
    }

    fn tile_window<'a>(
        &'a self,
        tile: &'a Tile,
        part: &Part,
    ) -> Result<TileWindow<'a>, DecodeError> {
        let coded = &self.coded;
        TileWindow::new(&coded.codestream, &coded.main, tile, part, &coded.kept)
    }
}

/// Bytes that decoding a window of so many pixels and channels takes, beside the result.
pub fn memory(window: Dimensions, channels: u64) -> u64 {
    let band = u64::from(PIXELS).max(u64::from(window.width()) * u64::from(ROWS));
    let samples = window.area().min(band).saturating_mul(channels);
    samples.saturating_mul(SAMPLE)
}

/// From the top to the bottom.
fn bands(window: Rect) -> impl Iterator<Item = Rect> {
    let rows = (PIXELS / window.width() / ROWS).max(1) * ROWS;
    let first = window.y() / rows;
    let last = (window.bottom() - 1) / rows;
    (first..=last).filter_map(move |band| {
        let start = (band * rows).max(window.y());
        let end = (band * rows).saturating_add(rows).min(window.bottom());
        Rect::new(window.x(), start, window.width(), end - start)
    })
}

fn appended(samples: Option<Samples>, more: Samples) -> Samples {
    match (samples, more) {
        (Some(Samples::U8(mut samples)), Samples::U8(more)) => {
            samples.extend(more);
            Samples::U8(samples)
        }
        (Some(Samples::U16(mut samples)), Samples::U16(more)) => {
            samples.extend(more);
            Samples::U16(samples)
        }
        (_, more) => more,
    }
}

/// Puts the samples of a tile to those of the tiles before it.
fn joined(
    planes: Option<Vec<Plane<i32>>>,
    tile: Vec<Plane<i32>>,
    components: &[Component],
    part: &Part,
) -> Vec<Plane<i32>> {
    if part.tiles == 1 {
        return tile;
    }
    let empty = || components.iter().map(|component| empty(component, part));
    let mut planes = planes.unwrap_or_else(|| empty().collect());
    for (plane, tile) in planes.iter_mut().zip(tile) {
        paste(plane, &tile);
    }
    planes
}

fn empty(component: &Component, part: &Part) -> Plane<i32> {
    let x = samples_of(&(part.x0..part.x1), component.step_x, part.reduction);
    let y = samples_of(&(part.y0..part.y1), component.step_y, part.reduction);
    let samples = vec![0; x.len() * y.len()];
    Plane { x, y, samples }
}

fn paste(plane: &mut Plane<i32>, tile: &Plane<i32>) {
    let width = tile.x.len();
    if width == 0 {
        return;
    }
    let offset = |range: &Range<u32>, of: u32| (of - range.start) as usize;
    for (row, samples) in tile.y.clone().zip(tile.samples.chunks_exact(width)) {
        let start = offset(&plane.y, row) * plane.x.len() + offset(&plane.x, tile.x.start);
        plane.samples[start..start + width].copy_from_slice(samples);
    }
}

fn component(plane: &Plane<i32>) -> openjpeg::Component<'_> {
    openjpeg::Component {
        width: plane.x.len() as u32,
        height: plane.y.len() as u32,
        samples: &plane.samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_make_the_window() {
        for (y, width, height) in [
            (0, 512, 512),
            (100, 3000, 1000),
            (5, 100_000, 300),
            (7, 1, 1),
        ] {
            let window = Rect::new(9, y, width, height).unwrap();
            let mut next = y;
            for band in bands(window) {
                assert_eq!((band.x(), band.width(), band.y()), (9, width, next));
                assert!(band.dimensions().area() <= u64::from(PIXELS.max(width * ROWS)));
                next = band.bottom();
            }
            assert_eq!(next, window.bottom());
        }
    }
}
