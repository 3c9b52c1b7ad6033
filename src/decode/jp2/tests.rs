//! What the decoder as a whole promises, on codestreams made here.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::ffi::openjpeg::{Coded as Transform, Encoding, Plane};
use crate::input::ReadAt;
use crate::raster::{Layout, Samples};

/// Counts the bytes that are read.
pub struct Counting {
    bytes: Vec<u8>,
    read: AtomicUsize,
}

impl Counting {
    pub fn new(bytes: Vec<u8>) -> Arc<Self> {
        let read = AtomicUsize::new(0);
        Arc::new(Self { bytes, read })
    }

    /// Since the last time.
    pub fn bytes_read(&self) -> usize {
        self.read.swap(0, Ordering::Relaxed)
    }
}

impl ReadAt for Counting {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.fetch_add(buffer.len(), Ordering::Relaxed);
        self.bytes.read_exact_at(buffer, offset)
    }
}

pub const LIMITS: Limits = Limits {
    source_pixels: 1 << 20,
    decoded_bytes: 1 << 26,
    ..Limits::DEFAULT
};

const LOSSLESS: Encoding = Encoding {
    coded: Transform::Lossless,
    resolutions: 4,
    color_transform: false,
    origin: (0, 0),
    tile: None,
    precinct: None,
};

const LOSSY: Encoding = Encoding {
    coded: Transform::Lossy { ratio: 8 },
    color_transform: true,
    ..LOSSLESS
};

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Ramps with an edge and some noise, so that every sub-band has something to say.
fn plane(size: Dimensions, encoding: &Encoding, step: u32, precision: u8, seed: u32) -> Plane {
    let (x0, y0) = encoding.origin;
    let range = |from: u32, length: u32| from.div_ceil(step)..(from + length).div_ceil(step);
    let mut samples = Vec::new();
    for y in range(y0, size.height()) {
        for x in range(x0, size.width()) {
            let noise = ((x * 7919) ^ (y * 104_729) ^ seed).wrapping_mul(2_654_435_761) >> 28;
            let edge = if x * step > 60 && y * step > 40 {
                90
            } else {
                0
            };
            let value = (x * 2 + y * (seed + 1) + noise + edge) % 256;
            samples.push(((value << 8 | value) >> (16 - precision)) as i32);
        }
    }
    Plane {
        step: (step, step),
        precision,
        signed: false,
        samples,
    }
}

fn planes(size: Dimensions, encoding: &Encoding, count: u32) -> Vec<Plane> {
    let plane = |seed| plane(size, encoding, 1, 8, seed);
    (0..count).map(plane).collect()
}

fn encoded(planes: &[Plane], size: Dimensions, encoding: &Encoding) -> Vec<u8> {
    openjpeg::encode(planes, size, encoding).unwrap()
}

/// A codestream of one component, without loss, tiles, precincts and lengths of packets.
pub fn noise(size: Dimensions) -> Vec<u8> {
    encoded(&planes(size, &LOSSLESS, 1), size, &LOSSLESS)
}

fn opened(file: Vec<u8>) -> Box<dyn Decoder> {
    open(Arc::new(file), &LIMITS).unwrap()
}

fn decoded(decoder: &dyn Decoder, level: usize, rect: Rect) -> Raster {
    decoder.decode(&Window { level, rect }).unwrap()
}

fn whole(decoder: &dyn Decoder, level: usize) -> Raster {
    let dimensions = decoder.header().levels[level].dimensions;
    decoded(decoder, level, Rect::whole(dimensions))
}

/// A JP2 file around a codestream, with these boxes in its header.
fn jp2(header: &[(&[u8; 4], &[u8])], codestream: &[u8]) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    };
    let header: Vec<_> = header
        .iter()
        .map(|(kind, content)| boxed(kind, content))
        .collect();
    [
        boxed(b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]),
        boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "),
        boxed(b"jp2h", &header.concat()),
        boxed(b"jp2c", codestream),
    ]
    .concat()
}

/// Windows at the corners, across tile borders, one pixel, and the whole.
pub fn windows(level: Dimensions) -> Vec<Rect> {
    let (width, height) = (level.width(), level.height());
    let mut windows = vec![Rect::whole(level)];
    for (x, y) in [(0, 0), (width / 3, height / 2), (width - 1, height - 1)] {
        for side in [1, 5, 33, 64] {
            let rect = Rect::new(x, y, side.min(width - x), side.min(height - y));
            windows.extend(rect);
        }
    }
    windows
}

fn assert_windows_are_crops(decoder: &dyn Decoder, name: &str) {
    for (level, stored) in decoder.header().levels.iter().enumerate() {
        let all = whole(decoder, level);
        assert_eq!(all.dimensions(), stored.dimensions, "{name}");
        for rect in windows(stored.dimensions) {
            let window = decoded(decoder, level, rect);
            assert!(window == all.crop(rect), "{name}: level {level}, {rect}");
        }
    }
}

/// Every arrangement of tiles, precincts and offset.
fn arrangements(base: Encoding) -> [(&'static str, Encoding); 5] {
    let tile = Some(dimensions(48, 40));
    let (plain, tiled) = (base, Encoding { tile, ..base });
    let origin = (13, 7);
    let precinct = Some(64);
    [
        ("plain", plain),
        ("tiled", tiled),
        ("precincts", Encoding { precinct, ..plain }),
        ("offset", Encoding { origin, ..plain }),
        ("tiled offset", Encoding { origin, ..tiled }),
    ]
}

#[test]
fn decoding_a_window_equals_cropping_the_level() {
    let size = dimensions(131, 97);
    for base in [LOSSLESS, LOSSY] {
        for (name, encoding) in arrangements(base) {
            let file = encoded(&planes(size, &encoding, 3), size, &encoding);
            let name = format!("{name}, {:?}", base.coded);
            assert_windows_are_crops(&*opened(file), &name);
        }
    }
}

#[test]
fn windows_of_subsampled_components_are_crops_too() {
    let size = dimensions(131, 97);
    for (name, encoding) in arrangements(LOSSLESS) {
        let planes: Vec<_> = [1, 2, 2]
            .iter()
            .map(|&step| plane(size, &encoding, step, 8, 3))
            .collect();
        let file = encoded(&planes, size, &encoding);
        assert_windows_are_crops(&*opened(file), name);
    }
}

#[test]
fn what_is_encoded_without_loss_is_decoded() {
    let size = dimensions(131, 97);
    for (name, encoding) in arrangements(LOSSLESS) {
        let planes = planes(size, &encoding, 3);
        let raster = whole(&*opened(encoded(&planes, size, &encoding)), 0);
        let expected: Vec<u8> = (0..planes[0].samples.len())
            .flat_map(|index| planes.iter().map(move |plane| plane.samples[index] as u8))
            .collect();
        assert!(raster.as_u8() == Some(&expected[..]), "{name}");
    }
}

#[test]
fn large_windows_are_put_together_of_bands() {
    let size = dimensions(1400, 1300);
    let tiled = Encoding {
        tile: Some(dimensions(500, 300)),
        ..LOSSLESS
    };
    for encoding in [LOSSLESS, tiled] {
        let planes = planes(size, &encoding, 1);
        let limits = Limits {
            source_pixels: 1 << 21,
            ..LIMITS
        };
        let decoder = open(Arc::new(encoded(&planes, size, &encoding)), &limits).unwrap();
        let expected: Vec<u8> = planes[0]
            .samples
            .iter()
            .map(|sample| *sample as u8)
            .collect();
        assert!(whole(&*decoder, 0).as_u8() == Some(&expected[..]));
        let part = decoded(&*decoder, 0, Rect::new(3, 700, 1390, 590).unwrap());
        assert!(part == whole(&*decoder, 0).crop(Rect::new(3, 700, 1390, 590).unwrap()));
    }
}

#[test]
fn levels_have_the_dimensions_and_tiles_of_the_codestream() {
    let size = dimensions(131, 97);
    let [_, (_, tiled), (_, precincts), (_, offset), _] = arrangements(LOSSLESS);
    let levels = |encoding| {
        let decoder = opened(encoded(&planes(size, &encoding, 1), size, &encoding));
        let levels = decoder.header().levels.iter();
        let text = |level: &Level| match level.tile {
            Some(tile) => format!("{} in {tile}", level.dimensions),
            None => level.dimensions.to_string(),
        };
        levels.map(text).collect::<Vec<_>>()
    };
    assert_eq!(levels(LOSSLESS), ["131x97", "66x49", "33x25", "17x13"]);
    assert_eq!(
        levels(tiled),
        [
            "131x97 in 48x40",
            "66x49 in 24x20",
            "33x25 in 12x10",
            "17x13 in 6x5"
        ]
    );
    // 64 at the top, then half of it for each smaller resolution.
    assert_eq!(
        levels(precincts),
        [
            "131x97 in 64x64",
            "66x49 in 32x32",
            "33x25 in 16x16",
            "17x13 in 8x8"
        ]
    );
    // 13..144 by 7..104, then 7..72 by 4..52, 4..36 by 2..26 and 2..18 by 1..13.
    assert_eq!(levels(offset), ["131x97", "65x48", "32x24", "16x12"]);
}

#[test]
fn subsampled_components_are_spread_over_their_pixels() {
    let size = dimensions(4, 2);
    let encoding = Encoding {
        resolutions: 1,
        ..LOSSLESS
    };
    let mut planes: Vec<_> = [1, 2, 2]
        .map(|step| plane(size, &encoding, step, 8, 0))
        .into();
    planes[0].samples = vec![10; 8];
    planes[1].samples = vec![20, 40];
    planes[2].samples = vec![30, 50];
    let raster = whole(&*opened(encoded(&planes, size, &encoding)), 0);
    let row = [10, 20, 30, 10, 20, 30, 10, 40, 50, 10, 40, 50];
    assert_eq!(raster.as_u8(), Some(&[row, row].concat()[..]));
}

#[test]
fn depths_above_eight_bits_fill_sixteen() {
    let size = dimensions(2, 1);
    let encoding = Encoding {
        resolutions: 1,
        ..LOSSLESS
    };
    let mut plane = plane(size, &encoding, 1, 12, 0);
    plane.samples = vec![0, 4095];
    let decoder = opened(encoded(&[plane], size, &encoding));
    assert_eq!(decoder.header().bit_depth, 12);
    let raster = whole(&*decoder, 0);
    assert_eq!(raster.samples(), &Samples::U16(vec![0, 65_535]));
}

#[test]
fn signed_components_and_components_of_different_depths_are_levelled() {
    let size = dimensions(2, 1);
    let encoding = Encoding {
        resolutions: 1,
        ..LOSSLESS
    };
    let mut planes: Vec<_> = [8, 4, 1]
        .map(|depth| plane(size, &encoding, 1, depth, 0))
        .into();
    planes[0].signed = true;
    planes[0].samples = vec![-128, 127];
    planes[1].samples = vec![0, 15];
    planes[2].samples = vec![1, 0];
    let raster = whole(&*opened(encoded(&planes, size, &encoding)), 0);
    assert_eq!(raster.as_u8(), Some(&[0, 0, 255, 255, 255, 0][..]));
}

/// A palette of two colours: blue and a yellow.
const PALETTE: [u8; 12] = [0, 2, 3, 7, 7, 7, 0, 0, 255, 250, 240, 0];
const MAPPING: [u8; 12] = [0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2];
const SRGB: [u8; 7] = [1, 0, 0, 0, 0, 0, 16];

#[test]
fn palettes_are_applied_and_have_one_level() {
    let size = dimensions(40, 40);
    let mut plane = plane(size, &LOSSLESS, 1, 8, 0);
    let indices = (0..1600).map(|index| (index / 3) % 2);
    plane.samples = indices.clone().collect();
    let codestream = encoded(&[plane], size, &LOSSLESS);
    let header: [(_, &[u8]); 3] = [(b"pclr", &PALETTE), (b"cmap", &MAPPING), (b"colr", &SRGB)];
    let decoder = opened(jp2(&header, &codestream));
    let header = decoder.header();
    assert_eq!(
        (header.color, header.levels.len()),
        (super::super::ColorModel::Palette, 1)
    );
    let raster = whole(&*decoder, 0);
    let colors = [[0, 0, 255], [250, 240, 0]];
    let expected: Vec<u8> = indices.flat_map(|index| colors[index as usize]).collect();
    assert!(raster.as_u8() == Some(&expected[..]));
    assert_windows_are_crops(&*decoder, "palette");
}

#[test]
fn profiles_and_alpha_are_taken_from_the_boxes() {
    let size = dimensions(3, 1);
    let encoding = Encoding {
        resolutions: 1,
        ..LOSSLESS
    };
    let mut planes = planes(size, &encoding, 2);
    planes[0].samples = vec![255, 128, 0];
    planes[1].samples = vec![0, 64, 128];
    let codestream = encoded(&planes, size, &encoding);
    let profile = [&[2, 0, 0][..], &[0; 16], b"GRAY", &[9; 108]].concat();
    // The first channel is the alpha, premultiplied.
    let definitions = [0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1];
    let decoder = opened(jp2(
        &[(b"colr", &profile), (b"cdef", &definitions)],
        &codestream,
    ));
    assert_eq!(decoder.header().profile.as_deref(), Some(&profile[3..]));
    let raster = whole(&*decoder, 0);
    assert_eq!(raster.layout(), Layout::GrayAlpha);
    assert_eq!(raster.as_u8(), Some(&[0, 255, 128, 128, 128, 0][..]));
}

#[test]
fn a_raw_codestream_in_memory_is_decoded_whole() {
    let size = dimensions(50, 30);
    let planes = planes(size, &LOSSLESS, 1);
    let raster = decode_codestream(encoded(&planes, size, &LOSSLESS), &LIMITS).unwrap();
    let expected: Vec<u8> = planes[0]
        .samples
        .iter()
        .map(|&sample| sample as u8)
        .collect();
    assert_eq!(raster.as_u8(), Some(&expected[..]));
}

#[test]
fn a_file_cut_anywhere_is_broken() {
    let size = dimensions(60, 50);
    let tile = Some(dimensions(32, 32));
    for encoding in [LOSSLESS, Encoding { tile, ..LOSSY }] {
        let codestream = encoded(&planes(size, &encoding, 3), size, &encoding);
        for file in [jp2(&[(b"colr", &SRGB)], &codestream), codestream] {
            for length in 0..file.len() {
                let result = open(Arc::new(file[..length].to_vec()), &LIMITS).and_then(|decoder| {
                    let rect = Rect::whole(size);
                    decoder.decode(&Window { level: 0, rect })
                });
                let is_malformed = matches!(result, Err(DecodeError::Malformed { .. }));
                assert!(is_malformed, "{length} of {} bytes", file.len());
            }
        }
    }
}

#[test]
fn damaged_files_do_no_harm() {
    let size = dimensions(60, 50);
    let tile = Some(dimensions(32, 32));
    let mut random = 1_u32;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize
    };
    for encoding in [LOSSLESS, Encoding { tile, ..LOSSY }] {
        let codestream = encoded(&planes(size, &encoding, 3), size, &encoding);
        let file = jp2(&[(b"colr", &SRGB)], &codestream);
        for round in 0..600 {
            let mut file = file.clone();
            // Half of the rounds damage the headers, the others anything.
            let reach = if round % 2 == 0 { 250 } else { file.len() };
            for _ in 0..1 + next() % 4 {
                let at = next() % reach;
                file[at] = next() as u8;
            }
            let Ok(decoder) = open(Arc::new(file), &LIMITS) else {
                continue;
            };
            for (level, stored) in decoder.header().levels.iter().enumerate() {
                let rect = Rect::whole(stored.dimensions);
                if let Ok(raster) = decoder.decode(&Window { level, rect }) {
                    assert_eq!(raster.dimensions(), stored.dimensions);
                }
            }
        }
    }
}

#[test]
fn limits_are_checked_before_decoding() {
    let size = dimensions(100, 100);
    let codestream = encoded(&planes(size, &LOSSLESS, 1), size, &LOSSLESS);
    let open_within = |source_pixels, decoded_bytes| {
        let limits = Limits {
            source_pixels,
            decoded_bytes,
            ..Limits::DEFAULT
        };
        open(Arc::new(codestream.clone()), &limits)
    };
    assert!(matches!(
        open_within(9_999, 1 << 20),
        Err(DecodeError::TooLarge { .. })
    ));
    let decoder = open_within(10_000, 50_000).unwrap();
    let decode = |side| {
        let rect = Rect::new(0, 0, side, side).unwrap();
        decoder.decode(&Window { level: 0, rect })
    };
    assert!(decode(20).is_ok());
    assert!(matches!(decode(100), Err(DecodeError::TooLarge { .. })));
}

/// OpenJPEG gave gray for any part of a tile of Part 15.
#[test]
fn windows_of_high_throughput_images_are_those_of_the_whole() {
    for name in ["htj2k-untiled-lossless.jph", "htj2k-tiled128-lossless.j2c"] {
        let path = std::path::Path::new("fixtures/images").join(name);
        let image = open(Arc::new(std::fs::read(path).unwrap()), &LIMITS).unwrap();
        for (level, stored) in image.header().levels.iter().enumerate() {
            let (width, height) = (stored.dimensions.width(), stored.dimensions.height());
            let whole = Rect::whole(stored.dimensions);
            let whole = image.decode(&Window { level, rect: whole }).unwrap();
            for (x, y) in [(0, 0), (width / 3, height / 2), (width - 1, height - 1)] {
                let rect = Rect::new(x, y, (width - x).min(70), (height - y).min(50)).unwrap();
                let part = image.decode(&Window { level, rect }).unwrap();
                assert!(part == whole.crop(rect), "{name}, level {level}, {rect}");
            }
        }
    }
}
