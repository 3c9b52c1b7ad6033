use super::*;
use crate::iiif::SizeLimits;
use crate::iiif::tiling::Tiling;

/// As this server describes an image.
fn document(
    version: Version,
    (width, height): (u32, u32),
    tile: Option<(u32, u32)>,
    limits: SizeLimits,
) -> String {
    let full = Dimensions::new(width, height).unwrap();
    let tile = tile.and_then(|(width, height)| Dimensions::new(width, height));
    let information = crate::iiif::Information {
        page_count: None,
        full,
        tiling: Tiling::new(full, tile, &limits),
        limits,
        image_is_gray: false,
        rights: None,
        attribution: None,
    };
    information.document(version, "x").to_string()
}

fn image(version: Version, full: (u32, u32), limits: SizeLimits) -> Information {
    let text = document(version, full, Some((256, 256)), limits);
    Information::read(text.as_bytes()).unwrap()
}

fn wanted(sizes: &[&str], levels: usize) -> Wanted {
    Wanted {
        sizes: sizes.iter().map(|&size| size.to_owned()).collect(),
        levels,
    }
}

/// The regions and sizes of paths that all end alike.
fn short(paths: &[String]) -> Vec<&str> {
    let end = "/0/default.jpg";
    paths
        .iter()
        .map(|path| path.strip_suffix(end).unwrap())
        .collect()
}

fn unlimited() -> SizeLimits {
    SizeLimits {
        upscaling: true,
        ..SizeLimits::default()
    }
}

fn tiles(version: Version, full: (u32, u32), levels: usize) -> Vec<String> {
    wanted(&[], levels)
        .tiles(&image(version, full, unlimited()))
        .0
}

/// What OpenSeadragon 6.1.1 answered, asked for the same tiles with the same document.
#[test]
fn tiles_of_version_3_are_those_of_openseadragon() {
    let paths = tiles(Version::V3, (1001, 700), 2);
    let expected = [
        "full/251,176",
        "0,0,512,512/256,256",
        "512,0,489,512/245,256",
        "0,512,512,188/256,94",
        "512,512,489,188/245,94",
    ];
    assert_eq!(short(&paths), expected);
    let full_level = tiles(Version::V3, (1001, 700), 9).split_off(5);
    let expected = [
        "0,0,256,256/256,256",
        "256,0,256,256/256,256",
        "512,0,256,256/256,256",
        "768,0,233,256/233,256",
    ];
    assert_eq!(short(&full_level[..4]), expected);
    assert_eq!(full_level.len(), 12);
    assert_eq!(short(&tiles(Version::V3, (201, 100), 2)), ["full/max"]);
}

/// As OpenSeadragon spelt them until 2025. Since then it writes the height, too: where that is another image, it is
/// asked for as well.
#[test]
fn tiles_of_version_2_have_a_width() {
    let paths = tiles(Version::V2, (1001, 700), 2);
    let expected = [
        "full/251,",
        "0,0,512,512/256,",
        "512,0,489,512/245,",
        // Which means 257 rows, one more than the tile has.
        "512,0,489,512/245,256",
        "0,512,512,188/256,",
        "512,512,489,188/245,",
    ];
    assert_eq!(short(&paths), expected);
    assert_eq!(short(&tiles(Version::V2, (201, 100), 2)), ["full/full"]);
}

#[test]
fn levels_are_computed_where_sizes_are_not_the_levels() {
    let limits = SizeLimits {
        max_width: Some(400),
        ..unlimited()
    };
    let paths = wanted(&[], 1)
        .tiles(&image(Version::V3, (1001, 700), limits))
        .0;
    assert_eq!(short(&paths), ["full/251,175"]);
}

#[test]
fn no_levels_and_no_tiles() {
    let mut image = image(Version::V3, (1001, 700), unlimited());
    assert_eq!(wanted(&[], 0).tiles(&image), (vec![], 0));
    image.tiles = None;
    assert_eq!(wanted(&[], 3).tiles(&image), (vec![], 0));
}

/// Of a server that says more than it can mean.
#[test]
fn tiles_beyond_the_image_are_not_asked_for() {
    let mut image = image(Version::V3, (1001, 700), unlimited());
    let tile = Dimensions::new(256, 256).unwrap();
    image.tiles = Some(Tiles {
        tile,
        scale_factors: vec![u32::MAX, 4],
    });
    let paths = wanted(&[], 2).tiles(&image).0;
    assert_eq!(short(&paths), ["full/1,1", "full/251,175"]);
    // A size that is a level by its rounding, and taller than the tiles.
    image.full = Dimensions::new(1749, 8180).unwrap();
    image.sizes = vec![Dimensions::new(110, 514).unwrap(), image.full];
    image.tiles = Some(Tiles {
        tile: Dimensions::new(512, 512).unwrap(),
        scale_factors: vec![16, 1],
    });
    let paths = wanted(&[], 1).tiles(&image).0;
    assert_eq!(short(&paths), ["full/110,512"]);
}

/// Of a server that means harm, or a writer of documents that has made a mistake.
#[test]
fn levels_of_too_many_tiles_are_left_out() {
    let mut image = image(Version::V3, (4_000_000_000, 4_000_000_000), unlimited());
    image.tiles = Some(Tiles {
        tile: Dimensions::new(1, 1).unwrap(),
        scale_factors: vec![1_000_000_000, 100_000_000, 10_000_000, 2, 1],
    });
    let (paths, left_out) = wanted(&[], 9).tiles(&image);
    assert_eq!((paths.len(), left_out), (16 + 1600, 3));
    let lowest = wanted(&[], 1).tiles(&image);
    assert_eq!((lowest.0.len(), lowest.1), (16, 0));
}

#[test]
fn small_sizes_are_asked_for_unless_others_are() {
    let sizes = |version, sizes: &[&str]| {
        let image = image(version, (1001, 700), unlimited());
        wanted(sizes, 0).sizes(&image)
    };
    let v3 = sizes(Version::V3, &[]);
    assert_eq!(short(&v3), ["full/251,176", "full/501,350"]);
    let v2 = sizes(Version::V2, &[]);
    assert_eq!(short(&v2), ["full/251,", "full/501,"]);
    let others = sizes(Version::V3, &["!100,100", "^2000,"]);
    assert_eq!(short(&others), ["full/!100,100", "full/^2000,"]);
}

#[test]
fn sizes_that_the_image_cannot_have_are_left_out() {
    let limits = SizeLimits {
        max_width: Some(2_000),
        ..unlimited()
    };
    let asked = ["full", "!100,100", "1500,", "^3000,", "max"];
    let sizes = |version| wanted(&asked, 0).sizes(&image(version, (1001, 700), limits));
    let v3 = sizes(Version::V3);
    assert_eq!(short(&v3), ["full/!100,100", "full/max"]);
    let v2 = sizes(Version::V2);
    let expected = ["full/full", "full/!100,100", "full/1500,", "full/max"];
    assert_eq!(short(&v2), expected);
}
