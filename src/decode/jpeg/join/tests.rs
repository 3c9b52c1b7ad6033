use proptest::prelude::*;

use super::*;
use crate::ffi::turbojpeg::{self, Encoding, Pixels, Scale, Subsampling};

const SIDE: u32 = 32;

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// A tile of a picture without repetitions.
fn tile(index: u32, pixels: Pixels, subsampling: Subsampling, quality: u8) -> Vec<u8> {
    let count = SIDE * SIDE * pixels.channels() as u32;
    let samples: Vec<u8> = (0..count)
        .map(|i| ((i * 7 + i / 96 * 13 + index * 50) % 256) as u8)
        .collect();
    let encoding = Encoding {
        quality,
        subsampling,
        density: None,
        profile: None,
    };
    turbojpeg::encode(&samples, dimensions(SIDE, SIDE), pixels, &encoding).unwrap()
}

fn six_tiles(pixels: Pixels, subsampling: Subsampling) -> Vec<Vec<u8>> {
    (0..6)
        .map(|index| tile(index, pixels, subsampling, 85))
        .collect()
}

fn join_all(tiles: &[Vec<u8>], columns: usize, width: u32, height: u32) -> Option<Vec<u8>> {
    let mut streams = Vec::new();
    for tile in tiles {
        streams.push(Stream::parse(&[], tile)?);
    }
    join(&streams, columns, dimensions(width, height), &[])
}

fn decoded(jpeg: &[u8], pixels: Pixels) -> Vec<u8> {
    turbojpeg::decode(jpeg, pixels, Scale::Full, None).unwrap()
}

/// Every row of each tile stands in the joined image.
fn assert_joined(
    pixels: Pixels,
    subsampling: Subsampling,
    seen_as: Pixels,
    width: u32,
    height: u32,
) {
    let tiles = six_tiles(pixels, subsampling);
    let joined = join_all(&tiles, 3, width, height).unwrap();
    assert_eq!(
        turbojpeg::read_frame(&joined).unwrap().dimensions,
        dimensions(width, height)
    );
    let found = decoded(&joined, seen_as);
    let channels = seen_as.channels();
    for (index, tile) in tiles.iter().enumerate() {
        let (column, row) = (index % 3 * SIDE as usize, index / 3 * SIDE as usize);
        let expected = decoded(tile, seen_as);
        for (y, line) in expected.chunks(SIDE as usize * channels).enumerate() {
            let shown = (width as usize - column).min(SIDE as usize) * channels;
            let start = ((row + y) * width as usize + column) * channels;
            if row + y < height as usize {
                assert_eq!(
                    found[start..start + shown],
                    line[..shown],
                    "tile {index} row {y}"
                );
            }
        }
    }
}

#[test]
fn every_pixel_is_that_of_its_tile() {
    assert_joined(Pixels::Gray, Subsampling::S444, Pixels::Gray, 96, 64);
    assert_joined(Pixels::Rgb, Subsampling::S444, Pixels::Rgb, 96, 64);
}

/// Only brightness: colour is interpolated across the seams once they are joined.
#[test]
fn sub_sampled_tiles_are_joined() {
    assert_joined(Pixels::Rgb, Subsampling::S420, Pixels::Gray, 96, 64);
}

#[test]
fn the_last_column_and_row_may_be_cut_anywhere() {
    for (width, height) in [(65, 33), (95, 63), (80, 48), (73, 41)] {
        assert_joined(Pixels::Rgb, Subsampling::S444, Pixels::Rgb, width, height);
        assert_joined(Pixels::Rgb, Subsampling::S420, Pixels::Gray, width, height);
    }
}

#[test]
fn tables_may_stand_elsewhere() {
    let jpeg = tile(0, Pixels::Rgb, Subsampling::S420, 85);
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    let scan = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let frame_end = frame + 2 + 17;
    let shared = [&jpeg[..frame], &jpeg[frame_end..scan], &[0xFF, 0xD9]].concat();
    let abbreviated = [&[0xFF, 0xD8], &jpeg[frame..frame_end], &jpeg[scan..]].concat();
    let stream = Stream::parse(&shared, &abbreviated).unwrap();
    let joined = join(&[stream], 1, dimensions(32, 32), &[]).unwrap();
    assert_eq!(decoded(&joined, Pixels::Rgb), decoded(&jpeg, Pixels::Rgb));
}

#[test]
fn tiles_that_do_not_fit_together_are_not_joined() {
    let mut tiles = six_tiles(Pixels::Rgb, Subsampling::S420);
    assert!(
        join_all(&tiles, 3, 97, 64).is_none(),
        "wider than all tiles"
    );
    assert!(join_all(&tiles, 3, 96, 65).is_none(), "higher");
    assert!(
        join_all(&tiles, 3, 64, 64).is_none(),
        "a column without pixels"
    );
    tiles[4] = tile(4, Pixels::Rgb, Subsampling::S420, 50);
    assert!(join_all(&tiles, 3, 96, 64).is_none(), "another quality");
    tiles[4] = tile(4, Pixels::Rgb, Subsampling::S444, 85);
    assert!(
        join_all(&tiles, 3, 96, 64).is_none(),
        "another sub-sampling"
    );
}

#[test]
fn what_is_not_baseline_or_restarts_is_not_parsed() {
    for name in [
        "jpeg-progressive-420.jpg",
        "jpeg-restart-420.jpg",
        "jpeg-arithmetic.jpg",
    ] {
        let jpeg = std::fs::read(format!("fixtures/images/{name}")).unwrap();
        assert!(Stream::parse(&[], &jpeg).is_none(), "{name}");
    }
    let jpeg = std::fs::read("fixtures/images/jpeg-420.jpg").unwrap();
    assert!(Stream::parse(&[], &jpeg).is_some());
}

/// Units that are missing are noticed, not made up.
#[test]
fn a_tile_that_is_cut_is_not_joined() {
    let tiles = six_tiles(Pixels::Rgb, Subsampling::S420);
    let whole = &tiles[5];
    for length in 0..whole.len() - 2 {
        let mut cut = tiles.clone();
        cut[5] = [&whole[..length], &[0xFF, 0xD9]].concat();
        let Some(joined) = join_all(&cut, 3, 96, 64) else {
            continue;
        };
        // What filled the last byte up may be missing, as may a byte of ones that stands for it.
        let expected = join_all(&tiles, 3, 96, 64).unwrap();
        assert!(joined == expected, "{length} of {}", whole.len());
    }
}

proptest! {
    #[test]
    fn damaged_tiles_never_panic(at in any::<prop::sample::Index>(), value: u8) {
        let mut tiles = six_tiles(Pixels::Rgb, Subsampling::S420);
        let at = at.index(tiles[1].len());
        tiles[1][at] = value;
        let _ = join_all(&tiles, 3, 96, 64);
    }
}
