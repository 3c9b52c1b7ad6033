//! What decoding with OpenJPEG takes, estimated from the main header.

use super::codestream::{MainHeader, Size, Style};
use super::cut::Cut;
use super::grid::samples_within;
use crate::ffi::openjpeg::Part;

/// OpenJPEG decodes to 4 bytes per sample, in a tile and then in the image.
pub const SAMPLE: u64 = 8;
/// What it keeps for each tile of the codestream and for each component of it, decoded or not.
const TILE: u64 = 6_000;
const TILE_COMPONENT: u64 = 1_200;
/// What it keeps for each precinct and code-block of a tile that it decodes, at whatever reduction.
const PRECINCT: u64 = 300;
const BLOCK: u64 = 200;

/// Bytes that OpenJPEG needs to decode a part, with the codestream of a tile, which it holds as a whole.
pub fn of_decoding(cut: &Cut) -> u64 {
    let main = &cut.main;
    samples(&main.size, &cut.part)
        .saturating_mul(SAMPLE)
        .saturating_add(tiles(&main.size))
        .saturating_add(structures(main))
        .saturating_add(cut.codestream.length())
}

fn samples(size: &Size, part: &Part) -> u64 {
    let of_component = |(step_x, step_y)| {
        let x = samples_within(part.x0, part.x1, step_x, part.reduction);
        let y = samples_within(part.y0, part.y1, step_y, part.reduction);
        (x.end - x.start).saturating_mul(y.end - y.start)
    };
    let components = size.components.iter();
    let steps = components.map(|component| (component.step_x, component.step_y));
    steps.map(of_component).fold(0, u64::saturating_add)
}

fn tiles(size: &Size) -> u64 {
    size.all_tiles() * (TILE + TILE_COMPONENT * size.components.len() as u64)
}

/// Precincts and code-blocks of one tile.
fn structures(main: &MainHeader) -> u64 {
    let size = &main.size;
    let width = size.tile.width().min(size.x.end - size.x.start);
    let height = size.tile.height().min(size.y.end - size.y.start);
    let components = size.components.iter().zip(&main.styles);
    components
        .map(|(component, style)| {
            let width = width.div_ceil(component.step_x);
            let height = height.div_ceil(component.step_y);
            of_tile_component(width, height, style)
        })
        .fold(0, u64::saturating_add)
}

fn of_tile_component(width: u32, height: u32, style: &Style) -> u64 {
    let resolutions = 0..=style.levels;
    resolutions
        .map(|resolution| {
            let reduction = style.levels - resolution;
            let side = |side: u32| u64::from(side).div_ceil(1 << reduction);
            of_resolution(side(width), side(height), resolution, style)
        })
        .fold(0, u64::saturating_add)
}

/// A stretch may begin within a precinct or block, which makes one more.
fn of_resolution(width: u64, height: u64, resolution: u8, style: &Style) -> u64 {
    let count = |length: u64, log: u8| length.div_ceil(1 << log) + 1;
    let (across, down) = style.precinct(usize::from(resolution));
    let precincts = count(width, across) * count(height, down);
    // The three sub-bands of a resolution hold about its samples together; blocks end at precincts (B-17, B-18).
    let (block_x, block_y) = style.block;
    let blocks = count(width, block_x.min(across)) * count(height, block_y.min(down));
    precincts * PRECINCT + blocks.max(precincts) * BLOCK
}
