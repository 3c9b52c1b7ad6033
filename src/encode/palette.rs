//! At most 256 colours for an image.

use std::collections::HashMap;

use color_quant::NeuQuant;

use super::Plain;

type Color = [u8; 3];

/// What GIF can index with a byte.
const LARGEST: usize = 256;

/// At most this many frequent colours are kept as they are when there are too many in all. The rest of the palette is
/// what the quantiser needs at least to follow gradients.
const KEPT: usize = 128;

/// A colour is frequent that fills at least this share of the image: flat areas, not the shades at their edges.
const FREQUENT: usize = 1000;

/// One pixel in this many teaches the quantiser, once there are many.
const SAMPLING: i32 = 10;

/// Alpha below it becomes fully transparent, from it on opaque.
const OPAQUE_FROM: u8 = 128;

/// Pixels as indices into a palette.
pub struct Indexed {
    pub palette: Vec<Color>,
    /// The index that means nothing is there.
    pub transparent: Option<u8>,
    pub indices: Vec<u8>,
}

/// Keeps every colour if there are at most 256, with transparency 255 (F08). Otherwise it keeps the frequent ones and
/// approximates the rest.
pub fn index(plain: Plain<'_>) -> Indexed {
    let pixels = pixels(plain);
    let transparent = pixels.contains(&None);
    let room = LARGEST - usize::from(transparent);
    let counts = counted(&pixels);
    let (mut palette, lookup) = if counts.len() <= room {
        exact(&counts)
    } else {
        approximate(&pixels, &counts, room)
    };
    let transparent = transparent.then(|| {
        palette.push([0; 3]);
        (palette.len() - 1) as u8
    });
    let nothing = transparent.unwrap_or(0);
    let indices = pixels
        .into_iter()
        .map(|pixel| pixel.map_or(nothing, |color| lookup[&color]))
        .collect();
    Indexed {
        palette,
        transparent,
        indices,
    }
}

/// `None` is a transparent pixel.
fn pixels(plain: Plain<'_>) -> Vec<Option<Color>> {
    let visible = |color, alpha| (alpha >= OPAQUE_FROM).then_some(color);
    let samples = plain.samples;
    match (plain.color, plain.alpha) {
        (false, false) => samples.iter().map(|&v| Some([v; 3])).collect(),
        (false, true) => {
            let pixels = samples.as_chunks().0.iter();
            pixels.map(|&[v, alpha]| visible([v; 3], alpha)).collect()
        }
        (true, false) => samples.as_chunks().0.iter().copied().map(Some).collect(),
        (true, true) => {
            let pixels = samples.as_chunks().0.iter();
            pixels
                .map(|&[r, g, b, alpha]| visible([r, g, b], alpha))
                .collect()
        }
    }
}

fn counted(pixels: &[Option<Color>]) -> HashMap<Color, usize> {
    let mut counts = HashMap::new();
    for color in pixels.iter().flatten() {
        *counts.entry(*color).or_default() += 1;
    }
    counts
}

/// Every colour has its place; sorted, because equal images must give equal bytes.
fn exact(counts: &HashMap<Color, usize>) -> (Vec<Color>, HashMap<Color, u8>) {
    let mut palette: Vec<Color> = counts.keys().copied().collect();
    palette.sort_unstable();
    let lookup = places(&palette);
    (palette, lookup)
}

fn places(palette: &[Color]) -> HashMap<Color, u8> {
    palette.iter().copied().zip(0..=u8::MAX).collect()
}

fn approximate(
    pixels: &[Option<Color>],
    counts: &HashMap<Color, usize>,
    room: usize,
) -> (Vec<Color>, HashMap<Color, u8>) {
    let mut palette = frequent(counts, pixels.len());
    let mut lookup = places(&palette);
    let offset = palette.len();
    let others = pixels
        .iter()
        .flatten()
        .filter(|color| !lookup.contains_key(*color));
    let others: Vec<u8> = others.flat_map(|&color| opaque(color)).collect();
    let sampling = if others.len() / 4 < 10_000 {
        1
    } else {
        SAMPLING
    };
    let quantiser = NeuQuant::new(sampling, room - offset, &others);
    for color in counts.keys() {
        lookup
            .entry(*color)
            .or_insert_with(|| (offset + quantiser.index_of(&opaque(*color))) as u8);
    }
    let learnt = quantiser.color_map_rgb();
    palette.extend_from_slice(learnt.as_chunks().0);
    (palette, lookup)
}

const fn opaque([red, green, blue]: Color) -> [u8; 4] {
    [red, green, blue, 255]
}

fn frequent(counts: &HashMap<Color, usize>, area: usize) -> Vec<Color> {
    let mut frequent: Vec<(usize, Color)> = counts
        .iter()
        .filter(|&(_, &count)| count > 1 && count >= area / FREQUENT)
        .map(|(&color, &count)| (count, color))
        .collect();
    frequent.sort_unstable_by(|a, b| b.cmp(a));
    frequent.truncate(KEPT);
    frequent.into_iter().map(|(_, color)| color).collect()
}
