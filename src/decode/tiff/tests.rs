//! The contract of the decoder, shown with files that are made here.

use std::sync::Arc;

use proptest::prelude::*;

use super::ifd::ByteOrder;
use super::tags::Tag;
use super::testing::{Picture, TestFile};
use crate::decode::{Aids, ColorModel, DecodeError, Decoder, Limits, Shelf, Window};
use crate::ffi::turbojpeg::{self, Encoding, Pixels, Subsampling};
use crate::geometry::{Dimensions, Rect};
use crate::input::Input;
use crate::page::Page;
use crate::raster::{Layout, Raster, Samples};

const LIMITS: Limits = Limits {
    source_pixels: 1_000_000,
    decoded_bytes: 1_000_000,
    ..Limits::DEFAULT
};

fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    super::open(input, limits, Page::FIRST)
}

fn opened(picture: Picture) -> Box<dyn Decoder> {
    open(Arc::new(TestFile::new(vec![picture]).bytes()), &LIMITS).unwrap()
}

fn whole(decoder: &dyn Decoder, level: usize) -> Result<Raster, DecodeError> {
    let rect = Rect::whole(decoder.header().levels[level].dimensions);
    decoder.decode(&Window { level, rect })
}

fn samples_of(picture: Picture) -> Samples {
    whole(&*opened(picture), 0).unwrap().into_samples()
}

/// Noise that differs from sample to sample.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32)
        .map(|i| (i.wrapping_mul(i).wrapping_mul(7).wrapping_add(i / 3)) as u8)
        .collect()
}

/// 40x30 RGB in tiles of 16x16, each compressed.
fn tiled_rgb(compress: impl Fn(&[u8]) -> Vec<u8>) -> Picture {
    let tile = |index: usize| compress(&noise(16 * 16 * 3 + index)[index..]);
    Picture::new(40, 30, 8, 2, 3)
        .with(Tag::TILE_WIDTH, &[16])
        .with(Tag::TILE_LENGTH, &[16])
        .chunks((0..6).map(tile).collect())
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    let order = weezl::BitOrder::Msb;
    weezl::encode::Encoder::with_tiff_size_switch(order, 8)
        .encode(bytes)
        .unwrap()
}

fn tiled_lzw() -> Picture {
    tiled_rgb(lzw)
        .with(Tag::COMPRESSION, &[5])
        .with(Tag::PREDICTOR, &[2])
}

/// 20x13 gray in strips of 5 rows.
fn stripped_gray() -> Picture {
    let all = noise(20 * 13);
    Picture::new(20, 13, 8, 1, 1)
        .with(Tag::ROWS_PER_STRIP, &[5])
        .chunks(all.chunks(20 * 5).map(<[u8]>::to_vec).collect())
}

#[test]
fn both_byte_orders_and_both_sizes_of_offsets_give_the_same_pixels() {
    for (order, big) in [
        (ByteOrder::Little, false),
        (ByteOrder::Big, false),
        (ByteOrder::Little, true),
        (ByteOrder::Big, true),
    ] {
        let stored = [1_u16, 256, 65535, 4].map(|value| match order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
        let picture = Picture::new(2, 2, 16, 1, 1).chunks(vec![stored.concat()]);
        let mut file = TestFile::new(vec![picture]);
        (file.order, file.big) = (order, big);
        let decoder = open(Arc::new(file.bytes()), &LIMITS).unwrap();
        let expected = Samples::U16(vec![1, 256, 65535, 4]);
        assert_eq!(whole(&*decoder, 0).unwrap().into_samples(), expected);
    }
}

#[test]
fn strips_are_joined() {
    assert_eq!(samples_of(stripped_gray()), Samples::U8(noise(20 * 13)));
}

#[test]
fn planes_are_interleaved() {
    let planes = vec![vec![1, 2], vec![3, 4], vec![5, 6], vec![0, 255]];
    let picture = Picture::new(2, 1, 8, 2, 4)
        .with(Tag::PLANAR_CONFIGURATION, &[2])
        .with(Tag::EXTRA_SAMPLES, &[2]);
    let decoder = opened(picture.clone().chunks(planes.clone()));
    assert!(decoder.header().alpha);
    let samples = whole(&*decoder, 0).unwrap().into_samples();
    assert_eq!(samples, Samples::U8(vec![1, 3, 5, 0, 2, 4, 6, 255]));
}

#[test]
fn extra_samples_of_unknown_meaning_are_left_out() {
    let picture = Picture::new(2, 1, 8, 2, 4).chunks(vec![vec![1, 2, 3, 99, 4, 5, 6, 99]]);
    assert_eq!(samples_of(picture), Samples::U8(vec![1, 2, 3, 4, 5, 6]));
}

#[test]
fn a_palette_of_four_bits_becomes_rgb() {
    let map: Vec<u64> = (0..48).map(|value| value * 257).collect();
    let picture = Picture::new(3, 1, 4, 3, 1)
        .with(Tag::COLOR_MAP, &map)
        .chunks(vec![vec![0x0F, 0x20]]);
    let decoder = opened(picture);
    assert_eq!(decoder.header().color, ColorModel::Palette);
    let samples = whole(&*decoder, 0).unwrap().into_samples();
    assert_eq!(samples, Samples::U8(vec![0, 16, 32, 15, 31, 47, 2, 18, 34]));
}

#[test]
fn bilevel_is_black_and_white_whichever_is_zero() {
    let picture =
        |photometric| Picture::new(3, 1, 1, photometric, 1).chunks(vec![vec![0b0100_0000]]);
    assert_eq!(samples_of(picture(1)), Samples::U8(vec![0, 255, 0]));
    assert_eq!(samples_of(picture(0)), Samples::U8(vec![255, 0, 255]));
    let reversed = Picture::new(3, 1, 1, 1, 1)
        .with(Tag::FILL_ORDER, &[2])
        .chunks(vec![vec![0b0000_0010]]);
    assert_eq!(samples_of(reversed), Samples::U8(vec![0, 255, 0]));
}

#[test]
fn sub_sampled_chroma_is_repeated() {
    let picture = Picture::new(2, 2, 8, 6, 3)
        .with(Tag::YCBCR_SUBSAMPLING, &[2, 2])
        .chunks(vec![vec![10, 20, 30, 40, 128, 128]]);
    let expected = [10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40];
    assert_eq!(samples_of(picture), Samples::U8(expected.to_vec()));
}

/// 16 columns of one colour as JPEG with a JFIF marker, which says Y'CbCr.
fn red_jpeg(height: u32) -> Vec<u8> {
    let encoding = Encoding {
        quality: 100,
        subsampling: Subsampling::S444,
        density: None,
        profile: None,
    };
    let red = [200, 50, 50].repeat(16 * height as usize);
    let dimensions = Dimensions::new(16, height).unwrap();
    turbojpeg::encode(&red, dimensions, Pixels::Rgb, &encoding).unwrap()
}

fn jpeg_picture(photometric: u64) -> Picture {
    Picture::new(16, 16, 8, photometric, 3)
        .with(Tag::COMPRESSION, &[7])
        .chunks(vec![red_jpeg(16)])
}

/// Else a hostile file could have thousands of strips that are each as large as the limits allow.
#[test]
fn a_jpeg_strip_may_be_taller_by_no_more_than_its_units() {
    let of_rows = |rows| {
        let picture = Picture::new(16, 10, 8, 6, 3)
            .with(Tag::COMPRESSION, &[7])
            .chunks(vec![red_jpeg(rows)]);
        whole(&*opened(picture), 0)
    };
    let dimensions = of_rows(16).unwrap().dimensions();
    assert_eq!(dimensions, Dimensions::new(16, 10).unwrap());
    assert!(matches!(of_rows(17), Err(DecodeError::Malformed { .. })));
    assert!(matches!(of_rows(9), Err(DecodeError::Malformed { .. })));
}

/// Joined, the rows that a strip has too many would stand in the middle of the image.
#[test]
fn strips_with_more_rows_than_they_show_are_not_copied() {
    let of_rows = |rows: [u32; 2]| {
        let picture = Picture::new(16, 16, 8, 6, 3)
            .with(Tag::COMPRESSION, &[7])
            .with(Tag::ROWS_PER_STRIP, &[8])
            .chunks(rows.map(red_jpeg).to_vec());
        let rect = Rect::new(0, 0, 16, 16).unwrap();
        opened(picture).stored(&Window { level: 0, rect }, None, u64::MAX)
    };
    assert!(of_rows([8, 8]).is_some());
    assert!(of_rows([8, 16]).is_some());
    assert!(of_rows([16, 8]).is_none());
}

/// The stream holds Y' 95, Cb 103, Cr 203 for red 200, green 50, blue 50.
#[test]
fn the_photometric_tag_and_not_the_stream_says_whether_a_jpeg_is_ycbcr() {
    for (photometric, expected) in [(6, [200, 50, 50]), (2, [95, 103, 203])] {
        let Samples::U8(samples) = samples_of(jpeg_picture(photometric)) else {
            panic!("8 bits are expected");
        };
        let is_close = samples[..3]
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(is_close, "{photometric}: {:?}", &samples[..3]);
    }
}

#[test]
fn the_profile_of_lab_is_dropped_because_the_samples_are_srgb() {
    let picture = |photometric| {
        Picture::new(1, 1, 8, photometric, 3)
            .with(Tag::ICC_PROFILE, &[1, 2])
            .chunks(vec![vec![255, 0, 0]])
    };
    assert_eq!(opened(picture(8)).header().profile, None);
    assert!(opened(picture(2)).header().profile.is_some());
    assert_eq!(samples_of(picture(8)), Samples::U8(vec![255, 255, 255]));
}

#[test]
fn the_orientation_is_told_and_not_applied() {
    let picture = Picture::new(2, 1, 8, 1, 1)
        .with(Tag::ORIENTATION, &[6])
        .chunks(vec![vec![1, 2]]);
    let decoder = opened(picture);
    assert_eq!(decoder.header().orientation.tag(), 6);
    assert_eq!(
        decoder.header().dimensions(),
        Dimensions::new(1, 2).unwrap()
    );
    assert_eq!(whole(&*decoder, 0).unwrap().as_u8(), Some(&[1, 2][..]));
}

#[test]
fn the_resolution_is_told_per_inch() {
    let resolution = |unit| {
        let picture = plain(1, 1, 0)
            .with(Tag::X_RESOLUTION, &[100])
            .with(Tag::Y_RESOLUTION, &[200])
            .with(Tag::RESOLUTION_UNIT, &[unit]);
        let resolution = opened(picture).header().resolution;
        resolution.map(|per_inch| (per_inch.x, per_inch.y))
    };
    assert_eq!(resolution(2), Some((100.0, 200.0)));
    assert_eq!(resolution(3), Some((254.0, 508.0)));
    assert_eq!(resolution(1), None);
}

/// An image of one value.
fn plain(width: u64, height: u64, value: u8) -> Picture {
    Picture::new(width, height, 8, 1, 1).chunks(vec![vec![value; (width * height) as usize]])
}

fn reduced(width: u64, height: u64, value: u8) -> Picture {
    plain(width, height, value).with(Tag::NEW_SUBFILE_TYPE, &[1])
}

fn factors(decoder: &dyn Decoder) -> Vec<u32> {
    let levels = &decoder.header().levels;
    levels
        .iter()
        .map(|level| level.scale_factor.get())
        .collect()
}

#[test]
fn sub_images_are_levels() {
    let mut full = plain(21, 10, 1);
    full.subs = vec![reduced(6, 3, 3), reduced(10, 5, 2)];
    let decoder = opened(full);
    assert_eq!(factors(&*decoder), [1, 2, 4]);
    assert_eq!(decoder.header().pages, 1);
    assert_eq!(whole(&*decoder, 1).unwrap().as_u8(), Some(&[2; 50][..]));
    assert_eq!(whole(&*decoder, 2).unwrap().as_u8(), Some(&[3; 18][..]));
}

#[test]
fn pages_are_levels_if_they_fit_and_pages_if_not() {
    let chain = vec![
        plain(20, 10, 1),
        plain(10, 5, 2),
        // A thumbnail of another shape, a mask, another page, a second of half the size, a photograph of half the size.
        reduced(4, 4, 9),
        plain(20, 10, 9).with(Tag::NEW_SUBFILE_TYPE, &[4]),
        plain(20, 10, 9),
        plain(10, 5, 9),
        Picture::new(10, 5, 8, 2, 3).chunks(vec![vec![9; 150]]),
    ];
    let decoder = open(Arc::new(TestFile::new(chain).bytes()), &LIMITS).unwrap();
    assert_eq!(factors(&*decoder), [1, 2]);
    assert_eq!(decoder.header().pages, 4);
    assert_eq!(whole(&*decoder, 1).unwrap().as_u8(), Some(&[2; 50][..]));
}

fn page(chain: Vec<Picture>, number: u32) -> Result<Box<dyn Decoder>, DecodeError> {
    let bytes = TestFile::new(chain).bytes();
    super::open(Arc::new(bytes), &LIMITS, Page::new(number).unwrap())
}

/// F000-9. Each with its own levels: those that are marked as reduced after it.
#[test]
fn f000_9_every_page_can_be_opened() {
    let chain = || {
        vec![
            plain(20, 10, 1),
            reduced(10, 5, 2),
            plain(40, 8, 3),
            reduced(20, 4, 4),
            reduced(5, 3, 5),
            plain(40, 8, 6),
        ]
    };
    for (number, levels) in [(1, &[1, 2][..]), (2, &[3, 4]), (3, &[6])] {
        let decoder = page(chain(), number).unwrap();
        assert_eq!(decoder.header().pages, 3, "{number}");
        let first = |level| whole(&*decoder, level).unwrap().as_u8().unwrap()[0];
        let found: Vec<u8> = (0..decoder.header().levels.len()).map(first).collect();
        assert_eq!(found, levels, "{number}");
    }
    let missing = page(chain(), 4).err().unwrap();
    let text = "page 4 is asked for, and the number of pages is 3";
    assert_eq!(missing.to_string(), text);
}

/// Whichever page was opened: as `info.json` has each, upright.
#[test]
fn all_pages_are_told_from_one_opened_file() {
    let chain = || {
        vec![
            plain(20, 10, 1),
            reduced(10, 5, 2),
            plain(40, 8, 3).with(Tag::ORIENTATION, &[6]),
            plain(20, 10, 4).with(Tag::NEW_SUBFILE_TYPE, &[4]),
            plain(7, 9, 5),
        ]
    };
    for number in 1..=3 {
        let contents = page(chain(), number).unwrap().contents().unwrap();
        let told: Vec<Dimensions> = contents.pages.into_iter().map(Result::unwrap).collect();
        let of_page = |number| page(chain(), number).unwrap().header().dimensions();
        assert_eq!(told, [1, 2, 3].map(of_page));
        let sides = told.iter().map(|d| (d.width(), d.height()));
        assert_eq!(sides.collect::<Vec<_>>(), [(20, 10), (8, 40), (7, 9)]);
    }
}

/// One that could not be opened says so, and hides no other.
#[test]
fn a_broken_page_is_told_among_the_others() {
    let chain = || {
        vec![
            plain(20, 10, 1),
            plain(7, 9, 2).with(Tag::COMPRESSION, &[999]),
            Picture::new(2000, 2000, 8, 1, 1).chunks(vec![vec![0; 10]]),
            plain(5, 6, 3),
        ]
    };
    let contents = page(chain(), 1).unwrap().contents().unwrap();
    let is_told: Vec<bool> = contents.pages.iter().map(Result::is_ok).collect();
    assert_eq!(is_told, [true, false, false, true]);
    for (number, is_told) in (1..).zip(is_told) {
        assert_eq!(page(chain(), number).is_ok(), is_told, "{number}");
    }
}

/// What is marked as reduced after another page is that page's, even if it would fit.
#[test]
fn the_levels_of_one_page_are_not_shown_for_another() {
    let chain = || vec![plain(20, 10, 1), plain(20, 10, 2), reduced(10, 5, 3)];
    assert_eq!(factors(&*page(chain(), 1).unwrap()), [1]);
    assert_eq!(factors(&*page(chain(), 2).unwrap()), [1, 2]);
}

/// K07.
#[test]
fn loops_of_directories_end() {
    let mut file = TestFile::new(vec![plain(2, 2, 1), plain(3, 2, 2)]);
    file.looped = true;
    let decoder = open(Arc::new(file.bytes()), &LIMITS).unwrap();
    assert_eq!(decoder.header().pages, 2);
    let to_itself = plain(2, 2, 1).with(Tag::SUB_IFDS, &[8]);
    assert_eq!(factors(&*opened(to_itself)), [1]);
}

#[test]
fn only_the_tiles_that_a_window_touches_are_read() {
    let mut picture = tiled_lzw();
    picture.chunks[5] = vec![0xFF; 10];
    let decoder = opened(picture);
    let window = |x, y, width, height| Window {
        level: 0,
        rect: Rect::new(x, y, width, height).unwrap(),
    };
    assert!(decoder.decode(&window(0, 0, 40, 16)).is_ok());
    assert!(decoder.decode(&window(0, 0, 32, 30)).is_ok());
    assert!(decoder.decode(&window(0, 0, 33, 17)).is_err());
}

#[test]
fn a_tile_that_is_kept_is_not_decoded_again() {
    let shelf = Shelf::default();
    let aids = Aids {
        threads: 1,
        tiles: Some(&shelf),
    };
    let whole = whole(&*opened(tiled_lzw()), 0).unwrap();
    let window = |x, y, width, height| Window {
        level: 0,
        rect: Rect::new(x, y, width, height).unwrap(),
    };
    let decode = |picture: Picture, window: Window| opened(picture).decode_with(&window, aids);
    assert!(decode(tiled_lzw(), window(5, 3, 20, 8)).is_ok());
    let mut broken = tiled_lzw();
    broken.chunks.fill(vec![0xFF; 10]);
    let beside = window(10, 1, 22, 15);
    let found = decode(broken, beside).unwrap();
    assert_eq!(found, whole.crop(beside.rect));
    let mut broken = tiled_lzw();
    broken.chunks.fill(vec![0xFF; 10]);
    assert!(decode(broken, window(10, 1, 23, 15)).is_err());
}

/// With tiles that are shared as without them.
#[test]
fn what_is_broken_below_the_window_in_its_tile_does_not_matter() {
    let mut picture = tiled_rgb(lzw);
    picture.chunks[1] = lzw(&noise(16 * 8 * 3));
    let decoder = opened(picture.with(Tag::COMPRESSION, &[5]));
    let rect = Rect::new(10, 0, 10, 8).unwrap();
    let window = Window { level: 0, rect };
    let expected = decoder.decode(&window).unwrap();
    let shelf = Shelf::default();
    let aids = Aids {
        threads: 1,
        tiles: Some(&shelf),
    };
    assert_eq!(decoder.decode_with(&window, aids).unwrap(), expected);
    assert_eq!(shelf.0.lock().unwrap().len(), 1, "the other tile is whole");
}

#[test]
fn tiles_that_were_never_written_are_zero() {
    let picture = Picture::new(32, 16, 8, 1, 1)
        .with(Tag::TILE_WIDTH, &[16])
        .with(Tag::TILE_LENGTH, &[16])
        .with(Tag::TILE_OFFSETS, &[0, 8])
        .with(Tag::TILE_BYTE_COUNTS, &[0, 256])
        .chunks(vec![vec![]]);
    let decoder = opened(picture);
    let rect = Rect::whole(Dimensions::new(16, 16).unwrap());
    let first = decoder.decode(&Window { level: 0, rect }).unwrap();
    assert_eq!(first.as_u8(), Some(&[0; 256][..]));
}

#[test]
fn a_strip_may_lack_its_rows_and_its_length() {
    let picture = plain(3, 2, 7)
        .with(Tag::ROWS_PER_STRIP, &[0xFFFF_FFFF])
        .with(Tag::STRIP_BYTE_COUNTS, &[0]);
    assert_eq!(samples_of(picture), Samples::U8(vec![7; 6]));
}

#[test]
fn a_strip_that_is_too_short_is_an_error() {
    let picture = Picture::new(3, 2, 8, 1, 1).chunks(vec![vec![7; 5]]);
    let result = whole(&*opened(picture), 0);
    assert!(matches!(result, Err(DecodeError::Malformed { .. })));
}

/// K04.
#[test]
fn limits_hold_before_anything_is_allocated() {
    let bomb = |width, height| {
        Picture::new(width, height, 8, 1, 1)
            .with(Tag::COMPRESSION, &[8])
            .chunks(vec![vec![0; 10]])
    };
    let open = |picture| open(Arc::new(TestFile::new(vec![picture]).bytes()), &LIMITS);
    let too_many_pixels = open(bomb(100_000, 100_000)).err();
    assert!(matches!(
        too_many_pixels,
        Some(DecodeError::TooLarge { .. })
    ));
    // A tile may be larger than the image.
    let tile = |side| {
        bomb(100, 100)
            .with(Tag::TILE_WIDTH, &[side])
            .with(Tag::TILE_LENGTH, &[side])
    };
    let too_large = whole(&*open(tile(16_384)).unwrap(), 0);
    assert!(matches!(too_large, Err(DecodeError::TooLarge { .. })));
    let error = open(tile(16_385)).err().unwrap().to_string();
    assert_eq!(
        error,
        "TIFF of 100x100 with tiles of 16385x16385 is not supported"
    );
}

/// K04: each tile is small enough, and they all are the same bytes.
#[test]
fn the_tiles_of_a_window_have_a_limit_together() {
    let zeros = lzw(&[0; 16_384]);
    let picture = Picture::new(1, 1000, 8, 1, 1)
        .with(Tag::COMPRESSION, &[5])
        .with(Tag::TILE_WIDTH, &[16_384])
        .with(Tag::TILE_LENGTH, &[1])
        .chunks(vec![zeros; 1000]);
    let decoder = opened(picture);
    let too_much = whole(&*decoder, 0);
    assert!(matches!(
        too_much,
        Err(DecodeError::TooLarge {
            limit: 8_000_000,
            ..
        })
    ));
    let rect = Rect::new(0, 500, 1, 100).unwrap();
    assert!(decoder.decode(&Window { level: 0, rect }).is_ok());
}

/// Else one tall strip could not be zoomed into.
#[test]
fn only_the_rows_that_are_read_of_a_plain_strip_count() {
    let all = noise(100 * 200);
    let picture = Picture::new(100, 200, 8, 1, 1).chunks(vec![all.clone()]);
    let limits = Limits {
        decoded_bytes: 1000,
        ..LIMITS
    };
    let decoder = open(Arc::new(TestFile::new(vec![picture]).bytes()), &limits).unwrap();
    let rect = Rect::new(0, 150, 100, 10).unwrap();
    let rows = decoder.decode(&Window { level: 0, rect }).unwrap();
    assert_eq!(rows.as_u8(), Some(&all[15_000..16_000]));
}

#[test]
fn a_narrow_column_may_be_cut_out_of_all_strips() {
    let all = noise(1000 * 1000);
    let picture = Picture::new(1000, 1000, 8, 1, 1)
        .with(Tag::COMPRESSION, &[5])
        .with(Tag::ROWS_PER_STRIP, &[1])
        .chunks(all.chunks(1000).map(lzw).collect());
    let rect = Rect::new(700, 0, 1, 1000).unwrap();
    let column = opened(picture).decode(&Window { level: 0, rect }).unwrap();
    let expected: Vec<u8> = all.iter().skip(700).step_by(1000).copied().collect();
    assert_eq!(column.as_u8(), Some(&expected[..]));
}

/// K04: their offsets are kept.
#[test]
fn more_tiles_than_an_image_can_need_are_refused() {
    let picture = Picture::new(3000, 3000, 8, 1, 1)
        .with(Tag::TILE_WIDTH, &[1])
        .with(Tag::TILE_LENGTH, &[1]);
    let result = open(Arc::new(TestFile::new(vec![picture]).bytes()), &LIMITS);
    let error = result.err().unwrap().to_string();
    assert_eq!(error, "TIFF with 9000000 strips or tiles is not supported");
}

#[test]
fn what_would_come_out_wrong_is_refused_by_name() {
    let refused = [
        (
            plain(1, 1, 0).with(Tag::COMPRESSION, &[6]),
            "old-style JPEG",
        ),
        (
            plain(1, 1, 0).with(Tag::SAMPLE_FORMAT, &[2]),
            "signed samples",
        ),
        (Picture::new(1, 1, 8, 32803, 1), "colour filter array"),
        (
            Picture::new(1, 1, 24, 1, 1)
                .with(Tag::COMPRESSION, &[8])
                .with(Tag::PREDICTOR, &[2]),
            "a predictor",
        ),
        (
            Picture::new(1, 1, 8, 5, 4).with(Tag::INK_SET, &[2]),
            "inks other than CMYK",
        ),
    ];
    for (picture, name) in refused {
        let bytes = TestFile::new(vec![picture]).bytes();
        let Err(DecodeError::Unsupported(feature)) = open(Arc::new(bytes), &LIMITS) else {
            panic!("{name} is not refused");
        };
        assert!(feature.contains(name), "{feature}");
    }
}

#[test]
fn a_file_that_ends_too_early_is_an_error_wherever_it_ends() {
    for picture in [tiled_lzw(), stripped_gray(), jpeg_picture(6)] {
        let bytes = TestFile::new(vec![picture]).bytes();
        for length in 0..bytes.len() {
            let input = Arc::new(bytes[..length].to_vec());
            let result = open(input, &LIMITS).and_then(|decoder| whole(&*decoder, 0));
            assert!(result.is_err(), "{length} of {} bytes", bytes.len());
        }
    }
}

/// Every kind of storage that the window has to be cut out of.
fn all_kinds() -> Vec<Picture> {
    let bits = |width: u64, bits: u64| (width * bits).div_ceil(8) as usize * 13;
    vec![
        tiled_lzw(),
        stripped_gray(),
        jpeg_picture(6),
        tiled_rgb(<[u8]>::to_vec).with(Tag::FILL_ORDER, &[2]),
        Picture::new(19, 13, 1, 0, 1).chunks(vec![noise(bits(19, 1))]),
        Picture::new(19, 13, 12, 2, 3).chunks(vec![noise(bits(57, 12))]),
        Picture::new(19, 13, 8, 6, 3)
            .with(Tag::YCBCR_SUBSAMPLING, &[4, 2])
            .chunks(vec![noise(5 * 7 * 10)]),
        Picture::new(19, 13, 32, 5, 4)
            .with(Tag::PLANAR_CONFIGURATION, &[2])
            .chunks((0..4).map(|plane| noise(19 * 13 * 4 + plane)).collect()),
        Picture::new(19, 13, 16, 1, 2)
            .with(Tag::EXTRA_SAMPLES, &[1])
            .chunks(vec![noise(19 * 13 * 4)]),
    ]
}

proptest! {
    #[test]
    fn a_window_equals_the_crop_of_the_whole(x in 0..1000_u32, y in 0..1000_u32, width in 0..1000_u32, height in 0..1000_u32) {
        for picture in all_kinds() {
            let decoder = opened(picture);
            let all = whole(&*decoder, 0).unwrap();
            let full = all.dimensions();
            let (x, y) = (x % full.width(), y % full.height());
            let (width, height) = (width % (full.width() - x) + 1, height % (full.height() - y) + 1);
            let rect = Rect::new(x, y, width, height).unwrap();
            prop_assert_eq!(decoder.decode(&Window { level: 0, rect }).unwrap(), all.crop(rect));
        }
    }

    #[test]
    fn damaged_files_do_not_panic(at in 0..600_usize, value in any::<u8>()) {
        for picture in all_kinds() {
            let mut bytes = TestFile::new(vec![picture]).bytes();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(decoder) = open(Arc::new(bytes), &LIMITS)
                && let Ok(raster) = whole(&*decoder, 0)
            {
                prop_assert!(raster.layout() != Layout::GrayAlpha || decoder.header().alpha);
            }
        }
    }
}
