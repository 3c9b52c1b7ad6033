//! The contract of [`Decoder`], which every format passes: decoding a window equals cropping the whole decoded level,
//! and a broken file is an error, never a panic and never made-up pixels.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::samples::{self, Sample};
use super::{Aids, DecodeError, Decoder, Level, Limits, Shelf, Window, open};
use crate::geometry::{Dimensions, Rect};
use crate::raster::Raster;

const LIMITS: Limits = Limits {
    source_pixels: 1_000_000,
    decoded_bytes: 4_000_000,
    ..Limits::DEFAULT
};

fn open_bytes(bytes: &[u8]) -> Result<Box<dyn Decoder>, DecodeError> {
    open(Arc::new(bytes.to_vec()), &LIMITS)
}

/// A decoder and all levels that it decodes as a whole.
struct Decoded {
    name: String,
    decoder: Box<dyn Decoder>,
    levels: Vec<Raster>,
}

impl Decoded {
    fn new(sample: &Sample) -> Self {
        let decoder =
            open_bytes(&sample.bytes).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let levels = (0..decoder.header().levels.len())
            .map(|level| {
                let dimensions = decoder.header().levels[level].dimensions;
                let rect = Rect::whole(dimensions);
                let raster = decoder
                    .decode(&Window { level, rect })
                    .unwrap_or_else(|error| panic!("{}: {error}", sample.name));
                assert_eq!(raster.dimensions(), dimensions, "{}", sample.name);
                raster
            })
            .collect();
        Self {
            name: sample.name.clone(),
            decoder,
            levels,
        }
    }

    fn assert_window(&self, level: usize, rect: Rect) {
        let part = self
            .decoder
            .decode(&Window { level, rect })
            .unwrap_or_else(|error| panic!("{} level {level} window {rect}: {error}", self.name));
        assert!(
            part == self.levels[level].crop(rect),
            "{} level {level} window {rect} differs from the whole",
            self.name
        );
    }
}

static ALL: LazyLock<Vec<Decoded>> =
    LazyLock::new(|| samples::all().iter().map(Decoded::new).collect());

pub fn windows_of(dimensions: Dimensions) -> Vec<Rect> {
    let (width, height) = (dimensions.width(), dimensions.height());
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let (right, bottom) = (width - half_width, height - half_height);
    [
        (0, 0, half_width, half_height),
        (right, 0, half_width, half_height),
        (0, bottom, half_width, half_height),
        (right, bottom, half_width, half_height),
        (0, 0, 1, 1),
        (width - 1, 0, 1, 1),
        (0, height - 1, 1, 1),
        (width - 1, height - 1, 1, 1),
        (width / 2, height / 2, 1, 1),
        (0, height / 2, width, 1),
        (width / 2, 0, 1, height),
    ]
    .into_iter()
    .filter_map(|(x, y, width, height)| Rect::new(x, y, width, height))
    .collect()
}

#[test]
fn corners_and_lines_equal_the_crop_of_the_whole() {
    for decoded in ALL.iter() {
        for (level, whole) in decoded.levels.iter().enumerate() {
            for rect in windows_of(whole.dimensions()) {
                decoded.assert_window(level, rect);
            }
        }
    }
}

#[test]
fn several_threads_decode_the_same_pixels() {
    for decoded in ALL.iter() {
        for (level, whole) in decoded.levels.iter().enumerate() {
            let rect = Rect::whole(whole.dimensions());
            let found = decoded.decoder.decode_with(
                &Window { level, rect },
                Aids {
                    threads: 3,
                    ..Aids::NONE
                },
            );
            assert!(found.unwrap() == *whole, "{} level {level}", decoded.name);
        }
    }
}

#[test]
fn windows_that_share_tiles_have_the_same_pixels() {
    let mut tiled = samples::folder(Path::new("fixtures/images"));
    tiled.retain(|sample| sample.name.contains("tiff-"));
    let tiled: Vec<_> = tiled.iter().map(Decoded::new).collect();
    let mut kept = 0;
    for decoded in ALL.iter().chain(&tiled) {
        let shelf = Shelf::default();
        let aids = Aids {
            threads: 2,
            tiles: Some(&shelf),
        };
        for (level, whole) in decoded.levels.iter().enumerate() {
            for rect in windows_of(whole.dimensions()) {
                let found = decoded.decoder.decode_with(&Window { level, rect }, aids);
                assert!(
                    found.unwrap() == whole.crop(rect),
                    "{} level {level} window {rect}",
                    decoded.name
                );
            }
        }
        let header = decoded.decoder.header();
        for (Window { level, rect }, tile) in shelf.0.into_inner().unwrap() {
            let Level {
                unit, dimensions, ..
            } = header.levels[level];
            let name = &decoded.name;
            assert!(header.format.shares_tiles(), "{name}");
            assert!(unit.is_one(rect, dimensions), "{name}: {rect} of {unit}");
            assert!(*tile == decoded.levels[level].crop(rect), "{name}: {rect}");
            kept += 1;
        }
    }
    assert!(kept > 100, "{kept} tiles");
}

#[test]
fn several_threads_find_damage() {
    for sample in samples::all() {
        for length in (0..sample.bytes.len()).step_by(97) {
            let Ok(decoder) = open_bytes(&sample.bytes[..length]) else {
                continue;
            };
            let rect = Rect::whole(decoder.header().stored_dimensions());
            let window = Window { level: 0, rect };
            let (one, several) = (
                decoder.decode(&window),
                decoder.decode_with(
                    &window,
                    Aids {
                        threads: 3,
                        ..Aids::NONE
                    },
                ),
            );
            assert_eq!(
                one.is_ok(),
                several.is_ok(),
                "{} cut to {length}",
                sample.name
            );
        }
    }
}

#[test]
fn the_contents_are_as_many_pages_as_the_header_says() {
    for Decoded { name, decoder, .. } in ALL.iter() {
        let pages = decoder.contents().unwrap().pages;
        assert_eq!(pages.len() as u32, decoder.header().pages, "{name}");
        let first = pages.into_iter().next().unwrap().unwrap();
        assert_eq!(first, decoder.header().dimensions(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10000))]

    #[test]
    fn any_window_equals_the_crop_of_the_whole(
        which in any::<prop::sample::Index>(),
        level in any::<prop::sample::Index>(),
        x in any::<prop::sample::Index>(),
        y in any::<prop::sample::Index>(),
        width in any::<prop::sample::Index>(),
        height in any::<prop::sample::Index>(),
    ) {
        let decoded = &ALL[which.index(ALL.len())];
        let level = level.index(decoded.levels.len());
        let whole = decoded.levels[level].dimensions();
        let (x, y) = (x.index(whole.width() as usize), y.index(whole.height() as usize));
        let width = 1 + width.index(whole.width() as usize - x);
        let height = 1 + height.index(whole.height() as usize - y);
        let rect = Rect::new(x as u32, y as u32, width as u32, height as u32).unwrap();
        decoded.assert_window(level, rect);
    }
}

/// The whole full-size image, if the bytes give one.
fn decode_whole(bytes: &[u8]) -> Result<Raster, DecodeError> {
    let decoder = open_bytes(bytes)?;
    let rect = Rect::whole(decoder.header().stored_dimensions());
    decoder.decode(&Window { level: 0, rect })
}

/// ER05. Bytes after the last pixel may be missing; then the pixels are the same.
#[test]
fn a_truncated_file_is_an_error() {
    for sample in samples::all() {
        let whole = decode_whole(&sample.bytes).unwrap();
        for length in 0..sample.bytes.len() {
            match decode_whole(&sample.bytes[..length]) {
                Ok(raster) => assert!(
                    raster == whole,
                    "{} cut to {length} of {} bytes has other pixels",
                    sample.name,
                    sample.bytes.len()
                ),
                Err(error) => assert!(
                    matches!(
                        error,
                        DecodeError::Malformed { .. } | DecodeError::UnknownFormat
                    ),
                    "{} cut to {length} bytes: {error:?}",
                    sample.name
                ),
            }
        }
    }
}

/// K04. The smallest sample has 8 pixels.
#[test]
fn every_ceiling_is_checked_when_opening() {
    let few_pixels = Limits {
        source_pixels: 7,
        ..LIMITS
    };
    let few_bytes = Limits {
        decoded_bytes: 7,
        ..LIMITS
    };
    for (sample, limits) in samples::all()
        .iter()
        .flat_map(|s| [(s, few_pixels), (s, few_bytes)])
    {
        let result = open(Arc::new(sample.bytes.clone()), &limits);
        assert!(
            matches!(result, Err(DecodeError::TooLarge { .. })),
            "{} under {limits:?}: {:?}",
            sample.name,
            result.err()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn damaged_bytes_never_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let samples = samples::all();
        let mut bytes = samples[which.index(samples.len())].bytes.clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = decode_whole(&bytes);
    }

    /// Headers are where lengths and sizes are.
    #[test]
    fn damaged_headers_never_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((0..100_usize, any::<u8>()), 1..4),
    ) {
        let samples = samples::all();
        let mut bytes = samples[which.index(samples.len())].bytes.clone();
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = decode_whole(&bytes);
    }
}
