//! Random access: what is cut out of a codestream shows the same pixels as the whole of it, and only what a window
//! needs is read.

use super::tests::{Counting, LIMITS, windows};
use super::*;
use crate::input::ReadAt;
use crate::raster::Samples;

/// Codestreams in `fixtures/packets` whose packets can be chosen.
const LISTED: [&str; 21] = [
    "cprl",
    "cprl-offset",
    "lossless",
    "lrcp",
    "markers",
    "parts-by-component",
    "parts-by-layer",
    "parts-by-resolution",
    "parts-without-lengths",
    "pcrl",
    "pcrl-offset",
    "rlcp",
    "rpcl",
    "rpcl-offset",
    "subsampled-cprl",
    "subsampled-pcrl",
    "subsampled-rpcl",
    "tiled",
    "tiled-odd",
    "tiled-offset",
    "tiled-parts",
];
/// Those whose order of packets changes.
const UNLISTED: [&str; 1] = ["changing"];

fn file(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/packets");
    std::fs::read(format!("{folder}/{name}.j2k")).unwrap()
}

fn image(bytes: Vec<u8>) -> Image {
    let length = bytes.len() as u64;
    let coded = Coded::open(Arc::new(bytes), 0, length, &LIMITS).unwrap();
    coded.into_image().unwrap()
}

/// An image that always gives the whole codestream to OpenJPEG.
fn uncut(bytes: Vec<u8>) -> Image {
    let codestream = Codestream {
        length: bytes.len() as u64,
        input: Arc::new(bytes),
        offset: 0,
    };
    let mut main = MainHeader::read(&codestream).unwrap();
    main.packed_headers = true;
    let coded = Coded::new(codestream, main, &LIMITS).unwrap();
    assert!(!coded.is_ours);
    coded.into_image().unwrap()
}

/// Each window of an image of its own, which has kept nothing.
fn assert_same(name: &str, bytes: &[u8], expected: &Image) {
    for (level, stored) in expected.header.levels.iter().enumerate() {
        for rect in windows(stored.dimensions) {
            let window = Window { level, rect };
            let image = image(bytes.to_vec());
            let raster = image.decode(&window).unwrap();
            let part = image.part(&window).unwrap();
            if let Some(tiles) = image.our_tiles(&part).unwrap() {
                let ours = image.decode_band(&window, &part, &tiles, rect, 1);
                assert!(ours.unwrap() == raster, "{name}: ours gives up");
            }
            let difference = largest_difference(&raster, &expected.decode(&window).unwrap());
            // Of numbers with fractions the last bit differs, and seldom that makes another sample.
            let is_lossless = image.coded.main.styles.iter().all(|style| style.reversible);
            let most = u32::from(!is_lossless);
            assert!(
                difference <= most,
                "{name}: level {level}, {rect}: {difference}"
            );
        }
    }
}

fn largest_difference(a: &Raster, b: &Raster) -> u32 {
    let samples = |raster: &Raster| match raster.samples() {
        Samples::U8(samples) => samples.iter().copied().map(u32::from).collect(),
        Samples::U16(samples) => samples.iter().copied().map(u32::from).collect::<Vec<_>>(),
    };
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = samples(a).into_iter().zip(samples(b));
    pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

/// Whether the packets of all tiles are known.
fn are_listed(image: &Image) -> bool {
    let coded = &image.coded;
    let numbers = 0..coded.main.size.all_tiles() as u16;
    let tiles = coded.tiles.get(&coded.codestream, &coded.main, numbers);
    tiles.unwrap().iter().all(|tile| tile.packets.is_some())
}

#[test]
fn every_order_of_packets_shows_what_the_whole_codestream_shows() {
    for name in LISTED {
        assert!(are_listed(&image(file(name))), "{name}");
        assert_same(name, &file(name), &uncut(file(name)));
    }
}

#[test]
fn packets_that_cannot_be_chosen_are_given_as_they_are() {
    for name in UNLISTED {
        assert!(!are_listed(&image(file(name))), "{name}");
        assert_same(name, &file(name), &uncut(file(name)));
    }
}

/// The bytes read for a window of an image that has been opened, and again for the same window.
fn bytes_read(bytes: &[u8], level: usize, sides: (u32, u32)) -> (usize, usize) {
    let input = Counting::new(bytes.to_vec());
    let length = bytes.len() as u64;
    let coded = Coded::open(Arc::clone(&input) as Input, 0, length, &LIMITS).unwrap();
    let mut image = coded.into_image().unwrap();
    input.bytes_read();
    let rect = Rect::new(0, 0, sides.0, sides.1).unwrap();
    let mut read = || {
        image.coded.kept = Kept::new(LIMITS.kept_bytes);
        image.decode(&Window { level, rect }).unwrap();
        input.bytes_read()
    };
    (read(), read())
}

#[test]
fn only_the_packets_of_the_window_are_read() {
    for name in ["lossless", "rpcl", "lrcp", "pcrl", "cprl", "rlcp"] {
        let file = file(name);
        let (first, second) = bytes_read(&file, 0, (16, 16));
        assert!(second < file.len() * 2 / 5, "{name}: {second} bytes");
        assert!(second < first, "{name}: the index is kept");
    }
    let file = file("lossless");
    let (_, small) = bytes_read(&file, 0, (1, 1));
    assert!(small < file.len() / 4, "{small} bytes");
}

#[test]
fn what_is_decoded_is_not_read_again() {
    let input = Counting::new(file("lossless"));
    let coded = Coded::open(Arc::clone(&input) as Input, 0, input.size(), &LIMITS).unwrap();
    let image = coded.into_image().unwrap();
    let read = |x, width| {
        let rect = Rect::new(x, 0, width, 64).unwrap();
        image.decode(&Window { level: 0, rect }).unwrap();
        input.bytes_read()
    };
    assert!(read(0, 40) > 0);
    assert_eq!(read(0, 40), 0);
    assert_eq!(read(4, 30), 0);
    assert!(read(100, 40) > 0);
}

/// `cache.headers` may be small.
#[test]
fn no_more_is_kept_than_may_be() {
    let bytes = super::tests::noise(Dimensions::new(900, 900).unwrap());
    let kept = |kept_bytes| {
        let limits = Limits {
            kept_bytes,
            ..LIMITS
        };
        let input = Arc::new(bytes.clone());
        let coded = Coded::open(input, 0, bytes.len() as u64, &limits).unwrap();
        let image = coded.into_image().unwrap();
        let rect = Rect::whole(image.header.stored_dimensions());
        image.decode(&Window { level: 0, rect }).unwrap();
        image.coded.kept.memory()
    };
    let all = kept(u64::MAX);
    assert!(all > 1 << 20, "{all}");
    let few = kept(100 << 10);
    assert!((50 << 10..=2 * (100 << 10)).contains(&few), "{few}");
    assert_eq!(kept(0), 0);
}

/// A packet is a whole resolution, and no marker says how long it is.
#[test]
fn of_large_packets_only_what_is_needed_is_read() {
    let size = Dimensions::new(900, 900).unwrap();
    let file = super::tests::noise(size);
    let input = Counting::new(file.clone());
    let coded = Coded::open(Arc::clone(&input) as Input, 0, input.size(), &LIMITS).unwrap();
    let image = coded.into_image().unwrap();
    assert!(are_listed(&image));
    let read = |x, y| {
        let rect = Rect::new(x, y, 16, 16).unwrap();
        image.decode(&Window { level: 0, rect }).unwrap();
        input.bytes_read()
    };
    read(0, 0);
    let second = read(700, 500);
    assert!(
        second > 0 && second < file.len() / 10,
        "{second} of {}",
        file.len()
    );
}

#[test]
fn only_the_resolutions_of_the_level_are_read() {
    for name in ["lossless", "rpcl", "lrcp", "pcrl", "cprl", "tiled-parts"] {
        let file = file(name);
        let (_, thumbnail) = bytes_read(&file, 3, (18, 14));
        assert!(thumbnail < file.len() / 5, "{name}: {thumbnail} bytes");
    }
}

#[test]
fn only_the_tiles_of_the_window_are_read() {
    let file = file("tiled");
    // Nine tiles.
    let (_, tile) = bytes_read(&file, 0, (64, 48));
    assert!(tile < file.len() / 5, "{tile} bytes");
}

/// The position of the content of the first marker segment of a kind.
fn find(bytes: &[u8], marker: u16) -> usize {
    let marker = marker.to_be_bytes();
    let found = bytes.windows(2).position(|pair| pair == marker);
    found.unwrap() + 4
}

#[test]
fn an_index_that_lies_is_not_believed() {
    let right = file("tiled");
    let expected = uncut(right.clone());
    // The first entry of TLM: tile and length follow the number and the sizes of the fields.
    let tlm = find(&right, segments::TLM);
    let mut swapped = right.clone();
    swapped[tlm + 3] ^= 1;
    let mut longer = right.clone();
    longer[tlm + 7] ^= 1;
    let mut shifted = right.clone();
    shifted[tlm + 7] -= 1;
    shifted[tlm + 13] += 1;
    // The first length of PLT.
    let mut packets = right.clone();
    let plt = find(&right, segments::PLT);
    packets[plt + 1] ^= 1;
    for (name, bytes) in [
        ("swapped", swapped),
        ("longer", longer),
        ("shifted", shifted),
        ("packets", packets),
    ] {
        assert_ne!(bytes, right, "{name}");
        assert_same(name, &bytes, &expected);
    }
}

#[test]
fn a_colour_transform_of_one_component_is_none() {
    let right = super::tests::noise(Dimensions::new(60, 50).unwrap());
    let mut bytes = right.clone();
    bytes[find(&right, segments::COD) + 4] = 1;
    assert_same("gray", &bytes, &uncut(right));
}

/// Every packet has a byte.
#[test]
fn there_are_not_more_packets_than_bytes() {
    let image = image(file("lrcp"));
    let main = &image.coded.main;
    let area = main.size.tile_area(0);
    let count = packets::ordered(main, &area, u64::MAX).unwrap().len() as u64;
    assert!(packets::ordered(main, &area, count).is_some());
    assert!(packets::ordered(main, &area, count - 1).is_none());
}

/// One of nine tiles has a coding style of its own, although the same.
#[test]
fn openjpeg_decodes_the_tiles_that_are_not_ours() {
    let right = file("tiled");
    let style = find(&right, segments::COD);
    let length = usize::from(u16::from_be_bytes([right[style - 2], right[style - 1]]));
    let style = right[style - 4..style - 2 + length].to_vec();
    let mut bytes = right.clone();
    let start = find(&bytes, segments::SOT);
    let tile_part = &mut bytes[start + 2..start + 6];
    let longer = u32::from_be_bytes(tile_part.try_into().unwrap()) + style.len() as u32;
    tile_part.copy_from_slice(&longer.to_be_bytes());
    bytes.splice(start + 8..start + 8, style);
    let image = image(bytes.clone());
    let Coded {
        codestream,
        main,
        tiles,
        ..
    } = &image.coded;
    let tiles = tiles.get(codestream, main, 0..9).unwrap();
    let ours = tiles.iter().filter(|tile| tile.coding.is_some()).count();
    assert_eq!((tiles.len(), ours), (9, 8));
    assert_same("tiled", &bytes, &uncut(right));
}

fn decoded_whole(bytes: Vec<u8>) -> Result<Raster, DecodeError> {
    let image = image(bytes);
    let rect = Rect::whole(image.header.stored_dimensions());
    image.decode(&Window { level: 0, rect })
}

/// Psot of the first tile-part of a file without TLM.
fn with_length(length: u32) -> Vec<u8> {
    let mut bytes = file("rpcl");
    let start = find(&bytes, segments::SOT);
    bytes[start + 2..start + 6].copy_from_slice(&length.to_be_bytes());
    bytes
}

#[test]
fn the_last_tile_part_may_reach_to_the_end() {
    let expected = decoded_whole(file("rpcl")).unwrap();
    assert!(decoded_whole(with_length(0)).unwrap() == expected);
}

#[test]
fn tile_parts_of_impossible_length_are_errors() {
    for length in [1, 11, 12, 13, 100, 6_000, 7_000, u32::MAX] {
        let error = decoded_whole(with_length(length)).unwrap_err();
        let is_malformed = matches!(error, DecodeError::Malformed { .. });
        assert!(is_malformed, "{length}: {error:?}");
    }
    let error = decoded_whole(with_length(u32::MAX)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "broken JPEG 2000: a tile-part beyond the end of the codestream"
    );
}

#[test]
fn a_missing_tile_is_named() {
    let mut bytes = file("tiled-odd");
    let last = bytes
        .windows(2)
        .rposition(|pair| pair == segments::SOT.to_be_bytes())
        .unwrap();
    bytes.truncate(last);
    bytes.extend(segments::EOC.to_be_bytes());
    let error = decoded_whole(bytes).unwrap_err();
    assert_eq!(error.to_string(), "broken JPEG 2000: tile 8 is missing");
}

/// The compressed bytes that OpenJPEG holds count as memory, after filtering.
#[test]
fn the_compressed_bytes_count_as_memory() {
    let image = image(file("lossless"));
    let estimate = |side| {
        let rect = Rect::new(0, 0, side, side).unwrap();
        let part = image.part(&Window { level: 0, rect }).unwrap();
        let Coded {
            codestream,
            main,
            tiles,
            ..
        } = &image.coded;
        let cut = cut::cut(codestream, main, tiles, &part).unwrap();
        let length = cut.codestream.length();
        (length, cost::of_decoding(&cut))
    };
    let (small, large) = (estimate(1), estimate(100));
    assert!(small.0 < 9_000 && large.0 > 20_000, "{small:?} {large:?}");
    let samples = 3 * 8 * (100 * 100 - 1);
    assert_eq!(large.1 - small.1, samples + large.0 - small.0);
}

#[test]
fn damaged_indexes_do_no_harm() {
    let mut random = 7_u32;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize
    };
    for name in ["rpcl", "tiled", "tiled-parts", "changing"] {
        let whole = file(name);
        let reach = find(&whole, segments::SOD).min(whole.len());
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next() % 3 {
                bytes[next() % reach] = next() as u8;
            }
            let length = bytes.len() as u64;
            let Ok(coded) = Coded::open(Arc::new(bytes), 0, length, &LIMITS) else {
                continue;
            };
            let Ok(image) = coded.into_image() else {
                continue;
            };
            for (level, stored) in image.header.levels.iter().enumerate() {
                let (width, height) = (stored.dimensions.width(), stored.dimensions.height());
                let rect = Rect::new(width / 2, height / 2, 1, 1).unwrap();
                let _ = image.decode(&Window { level, rect });
            }
        }
    }
}
