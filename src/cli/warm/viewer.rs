//! What viewers ask for, in their spelling: some sizes of the whole image, and tiles.

use super::information::{Information, Tiles};
use crate::geometry::{Dimensions, Rect, round_half_up};
use crate::iiif::size::SizeForm;
use crate::iiif::{Region, Size, Version};

/// Without sizes of the caller's choice, those that the image offers are asked for up to this side: what lists of results,
/// rows of thumbnails and the first glance at an image show.
const SMALL: u32 = 512;
/// Levels are asked for as long as there are not more tiles: those of six gigapixels. Whoever wrote the `info.json` may name
/// tiles of one pixel.
const MOST_TILES: u64 = 100_000;

/// What is asked for of each image.
pub struct Wanted {
    /// Spelt as in a request.
    pub sizes: Vec<String>,
    pub levels: usize,
}

impl Wanted {
    /// What follows the base URI, for sizes. One that the image cannot have, because it would enlarge it or is above the
    /// limits, is left out: there is nothing that viewers could get.
    pub fn sizes(&self, image: &Information) -> Vec<String> {
        let sizes: Vec<String> = if self.sizes.is_empty() {
            small_sizes(image)
        } else {
            let offered = |size: &&String| is_offered(size, image);
            self.sizes.iter().filter(offered).cloned().collect()
        };
        let path = |size| format!("full/{size}/0/default.jpg");
        sizes.into_iter().map(path).collect()
    }

    /// What follows the base URI, for the tiles of the lowest levels; and how many levels have too many tiles.
    pub fn tiles(&self, image: &Information) -> (Vec<String>, usize) {
        let Some(tiles) = &image.tiles else {
            return (Vec::new(), 0);
        };
        let mut levels = levels(image, tiles);
        levels.truncate(self.levels);
        let mut left = MOST_TILES;
        let fits = levels.iter().take_while(|level| {
            let rest = left.checked_sub(level.tiles(tiles.tile));
            left = rest.unwrap_or(0);
            rest.is_some()
        });
        let (fits, all) = (fits.count(), levels.len());
        let paths = levels[..fits]
            .iter()
            .flat_map(|level| grid(image, tiles.tile, *level));
        (paths.collect(), all - fits)
    }
}

fn small_sizes(image: &Information) -> Vec<String> {
    let small = |size: &&Dimensions| size.width().max(size.height()) <= SMALL;
    let spelt = |size: &Dimensions| {
        Size::canonical(*size, image.full, &image.limits, image.version).to_string()
    };
    image.sizes.iter().filter(small).map(spelt).collect()
}

fn is_offered(size: &str, image: &Information) -> bool {
    let size = Size::parse(size, image.version);
    size.is_ok_and(|size| {
        let resolved = size.resolve(image.full, &image.limits, image.version);
        resolved.is_ok()
    })
}

/// A level as OpenSeadragon sees it.
#[derive(Clone, Copy)]
struct Level {
    factor: u32,
    size: Dimensions,
}

impl Level {
    fn columns(self, tile: Dimensions) -> u32 {
        self.size.width().div_ceil(tile.width())
    }

    fn rows(self, tile: Dimensions) -> u32 {
        self.size.height().div_ceil(tile.height())
    }

    fn tiles(self, tile: Dimensions) -> u64 {
        u64::from(self.columns(tile)) * u64::from(self.rows(tile))
    }
}

/// The lowest first. OpenSeadragon takes their dimensions from `sizes` where those are the levels.
fn levels(image: &Information, tiles: &Tiles) -> Vec<Level> {
    let factors = tiles.scale_factors.iter().copied();
    let mut sizes = image.sizes.clone();
    let lacks_full = |last: &Dimensions| {
        last.width() < image.full.width() && last.height() < image.full.height()
    };
    if sizes.last().is_some_and(lacks_full) {
        sizes.push(image.full);
    }
    let are_levels = sizes.len() == tiles.scale_factors.len()
        && factors
            .clone()
            .zip(&sizes)
            .all(|(factor, size)| is_level(image.full, *size, factor));
    factors
        .enumerate()
        .map(|(index, factor)| Level {
            factor,
            size: if are_levels {
                sizes[index]
            } else {
                divided(image.full, factor)
            },
        })
        .collect()
}

fn is_level(full: Dimensions, size: Dimensions, factor: u32) -> bool {
    let ratio = |full: u32, size: u32| round_half_up(full.into(), size.into());
    let factor = u128::from(factor);
    ratio(full.width(), size.width()) == factor && ratio(full.height(), size.height()) == factor
}

fn divided(full: Dimensions, factor: u32) -> Dimensions {
    Dimensions::at_least_one(
        full.width().div_ceil(factor),
        full.height().div_ceil(factor),
    )
}

/// All tiles of a level, row by row.
fn grid(image: &Information, tile: Dimensions, level: Level) -> Vec<String> {
    let (columns, rows) = (level.columns(tile), level.rows(tile));
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    places
        .filter_map(|(column, row)| {
            let (x, width) = part(column, tile.width(), level.size.width());
            let (y, height) = part(row, tile.height(), level.size.height());
            let region = covered(image.full, tile, level.factor, (x, y))?;
            Some(spellings(image, region, Dimensions::new(width, height)?))
        })
        .flatten()
        .collect()
}

/// Where a tile begins on its level, and how much of it there is.
fn part(index: u32, tile: u32, level: u32) -> (u32, u32) {
    let start = index * tile;
    (start, tile.min(level - start))
}

/// The pixels of the full image that a tile shows.
fn covered(full: Dimensions, tile: Dimensions, factor: u32, at: (u32, u32)) -> Option<Rect> {
    let side = |start: u32, tile: u32, full: u32| {
        let start = start.checked_mul(factor)?;
        let length = tile.saturating_mul(factor).min(full.checked_sub(start)?);
        Some((start, length))
    };
    let (x, width) = side(at.0, tile.width(), full.width())?;
    let (y, height) = side(at.1, tile.height(), full.height())?;
    Rect::new(x, y, width, height)
}

/// A tile as viewers write it. In version 2, OpenSeadragon wrote `w,` until 2025, as the specification's canonical
/// form does, and `w,h` since: where these are two images, both are asked for.
fn spellings(image: &Information, region: Rect, size: Dimensions) -> Vec<String> {
    let (width, height) = (size.width(), size.height());
    let mut sizes = Vec::new();
    match image.version {
        Version::V3 if size == image.full => sizes.push("max".to_owned()),
        Version::V3 => sizes.push(format!("{width},{height}")),
        Version::V2 if width == image.full.width() => sizes.push("full".to_owned()),
        Version::V2 => {
            sizes.push(format!("{width},"));
            if by_width(image, region, width) != Some(size) {
                sizes.push(format!("{width},{height}"));
            }
        }
    }
    let region = if region == Rect::whole(image.full) {
        Region::Full
    } else {
        Region::Pixels {
            x: region.x(),
            y: region.y(),
            width: region.width(),
            height: region.height(),
        }
    };
    let path = |size| format!("{region}/{size}/0/default.jpg");
    sizes.into_iter().map(path).collect()
}

/// What `w,` means.
fn by_width(image: &Information, region: Rect, width: u32) -> Option<Dimensions> {
    let size = Size {
        upscale: false,
        form: SizeForm::Width(width),
    };
    let size = size.resolve(region.dimensions(), &image.limits, image.version);
    size.ok()
}

#[cfg(test)]
mod tests;
