//! Which pixels of which level a request is made from.

use super::*;
use crate::decode::{SourceFormat, sample_header};
use crate::geometry::ScaleFactor;
use crate::iiif::{Identifier, Region, Size};
use proptest::prelude::*;

fn header(width: u32, height: u32, factors: &[u32], orientation: u16) -> Header {
    let full = Dimensions::new(width, height).unwrap();
    let level = |factor: &u32| {
        let scale_factor = ScaleFactor::new(*factor).unwrap();
        sample_header::level(full.divided(scale_factor), scale_factor)
    };
    Header {
        orientation: Orientation::from_tag(orientation),
        resolution: Some(Resolution { x: 300.0, y: 300.0 }),
        ..sample_header::header(factors.iter().map(level).collect())
    }
}

fn request(region: &str, size: &str) -> ImageRequest {
    ImageRequest {
        version: Version::V3,
        identifier: Identifier::new("x".to_owned()).unwrap(),
        region: Region::parse(region).unwrap(),
        size: Size::parse(size, Version::V3).unwrap(),
        rotation: Rotation::NONE,
        quality: Quality::Default,
        format: Format::Jpg,
    }
}

/// The same of an image that seems to be smaller.
fn scaled_request(scale: &str, region: &str, size: &str) -> ImageRequest {
    let identifier = Identifier::new(format!("x;{scale}")).unwrap();
    ImageRequest {
        identifier: identifier.with_suffixes().unwrap(),
        ..request(region, size)
    }
}

fn plan(header: &Header, region: &str, size: &str) -> Plan {
    Plan::new(
        &request(region, size),
        &View::default(),
        header,
        &SizeLimits::default(),
    )
    .unwrap()
}

#[test]
fn a_tile_comes_from_the_level_of_its_scale_factor() {
    let header = header(8000, 6000, &[1, 2, 4, 8], 1);
    let plan = plan(&header, "2048,0,2048,2048", "512,512");
    assert_eq!(plan.window.level, 2);
    assert_eq!(plan.window.rect, Rect::new(512, 0, 512, 512).unwrap());
    assert_eq!(plan.target, plan.window.rect.dimensions());
}

/// The last tiles of its information, too, are whole tiles of the file.
#[test]
fn half_of_a_pyramid_is_its_next_level() {
    let header = header(8001, 5999, &[1, 2, 4, 8], 1);
    let plan = |region: &str, size: &str| {
        let request = scaled_request("1:2", region, size);
        Plan::new(&request, &View::default(), &header, &SizeLimits::default()).unwrap()
    };
    for (region, size, level, window) in [
        ("0,0,512,512", "512,512", 1, (0, 0, 512, 512)),
        ("3584,2560,417,440", "417,440", 1, (3584, 2560, 417, 440)),
        ("2048,0,1024,1024", "512,512", 2, (1024, 0, 512, 512)),
        ("full", "501,375", 3, (0, 0, 1001, 750)),
    ] {
        let plan = plan(region, size);
        let (x, y, width, height) = window;
        let rect = Rect::new(x, y, width, height).unwrap();
        assert_eq!(plan.window, Window { level, rect }, "{region}");
        let is_whole_tile = region != "full";
        assert_eq!(plan.strategy() == "as stored", is_whole_tile, "{region}");
    }
    let whole = plan("full", "max");
    assert_eq!((whole.size.width(), whole.size.height()), (4001, 3000));
    assert_eq!(whole.resolution, Some(Resolution { x: 150.0, y: 150.0 }));
    assert!(
        Plan::new(
            &scaled_request("1:2", "4001,0,10,10", "max"),
            &View::default(),
            &header,
            &SizeLimits::default()
        )
        .is_err()
    );
}

#[test]
fn a_thumbnail_comes_from_the_smallest_level_that_is_large_enough() {
    let header = header(8000, 6000, &[1, 2, 4, 8, 16], 1);
    assert_eq!(plan(&header, "full", "!600,600").window.level, 3);
    assert_eq!(plan(&header, "full", "500,").window.level, 4);
    assert_eq!(plan(&header, "full", "max").window.level, 0);
}

#[test]
fn r16_a_turned_image_is_read_where_its_pixels_are_stored() {
    let header = header(400, 300, &[1], 6);
    let plan = plan(&header, "0,0,100,50", "50,25");
    // Upright it is 300x400; what is shown at the top left is stored at the bottom left.
    assert_eq!(plan.window.rect, Rect::new(0, 200, 50, 100).unwrap());
    assert_eq!(plan.target, Dimensions::new(25, 50).unwrap());
    assert_eq!(plan.size, Dimensions::new(50, 25).unwrap());
}

#[test]
fn the_resolution_shrinks_with_the_image() {
    let header = header(400, 300, &[1], 1);
    let resolution = plan(&header, "full", "pct:50").resolution.unwrap();
    assert!((resolution.x - 150.0).abs() < 1e-9);
}

#[test]
fn a_format_that_cannot_be_that_long_is_refused() {
    let header = header(20_000, 10, &[1], 1);
    let webp = ImageRequest {
        format: Format::Webp,
        ..request("full", "max")
    };
    let refused = Plan::new(&webp, &View::default(), &header, &SizeLimits::default());
    assert!(matches!(
        refused,
        Err(RequestError::TooLongForFormat {
            longest: 16_383,
            ..
        })
    ));
}

fn decoded(header: &Header, region: &str, size: &str) -> (Rect, bool) {
    let plan = plan(header, region, size).widened(header, u64::MAX);
    assert_eq!(plan.summary()["decode"]["kept"], plan.is_kept());
    (plan.decoded, plan.is_kept())
}

#[test]
fn a_small_level_is_decoded_whole_and_kept() {
    let header = header(8000, 6000, &[1, 2, 4, 8, 16], 1);
    let whole = |width, height| (Rect::new(0, 0, width, height).unwrap(), true);
    assert_eq!(decoded(&header, "full", "!400,400"), whole(500, 375));
    assert_eq!(decoded(&header, "full", "!460,460"), whole(500, 375));
    // More than half of it.
    let most = decoded(&header, "0,0,8000,4000", "900,450");
    assert_eq!(most, whole(1000, 750));
}

#[test]
fn a_large_level_and_a_small_part_are_decoded_as_asked() {
    let header = header(8000, 6000, &[1, 2, 4, 8, 16], 1);
    let large = plan(&header, "full", "1400,");
    assert_eq!(large.window.level, 2);
    let widened = large.clone().widened(&header, u64::MAX);
    assert_eq!(widened.kept, Kept::Nothing);
    let part = Rect::new(0, 0, 512, 512).unwrap();
    assert_eq!(decoded(&header, "0,0,4096,4096", "512,"), (part, false));
    // More than the memory for kept pixels allows.
    let thumbnail = plan(&header, "full", "!400,400");
    let unkept = thumbnail.widened(&header, 500 * 375 * 3 - 1);
    assert_eq!(unkept.kept, Kept::Nothing);
}

/// Others that overlap the window, or lie beside it, need them, too; whole tiles are asked for once.
#[test]
fn tiles_that_a_window_cuts_are_kept() {
    let mut header = header(8000, 6000, &[1, 2, 4, 8, 16], 1);
    header.format = SourceFormat::Tiff;
    let tiles = |header: &mut Header, side| {
        let tile = Dimensions::new(side, side).unwrap();
        header
            .levels
            .iter_mut()
            .for_each(|level| level.unit = Unit::Tile(tile));
    };
    tiles(&mut header, 256);
    let widened = |header: &Header, region: &str, most| {
        let plan = plan(header, region, "800,").widened(header, most);
        let is_whole = plan.decoded == plan.window.rect;
        assert_eq!(
            is_whole,
            plan.kept == Kept::Nothing,
            "the tiles, or as asked"
        );
        plan.kept
    };
    let cut = "100,100,1600,1200";
    assert_eq!(widened(&header, cut, u64::MAX), Kept::Tiles);
    // From column 0 to 1280 and row 0 to 768 of the second level.
    assert_eq!(widened(&header, cut, 1024 * 768 * 3), Kept::Tiles);
    assert_eq!(widened(&header, cut, 1024 * 768 * 3 - 1), Kept::Nothing);
    assert_eq!(
        widened(&header, "1024,512,2048,2048", u64::MAX),
        Kept::Nothing
    );
    assert_eq!(
        widened(&header, "4096,0,3904,2048", u64::MAX),
        Kept::Nothing,
        "to the edge"
    );
    for small in ["100,100,20,20", "500,500,40,40"] {
        let plan = Plan::new(
            &request(small, "max"),
            &View::default(),
            &header,
            &SizeLimits::default(),
        );
        let widened = plan.unwrap().widened(&header, u64::MAX);
        assert_eq!(widened.kept, Kept::Nothing, "a small part of them");
    }
    tiles(&mut header, 1040);
    assert_eq!(
        widened(&header, "1500,100,1600,1200", u64::MAX),
        Kept::Nothing,
        "large tiles"
    );
    tiles(&mut header, 256);
    header.format = SourceFormat::Jp2;
    assert_eq!(widened(&header, cut, u64::MAX), Kept::Nothing);
}

#[test]
fn the_reduction_of_a_jpeg_is_kept_and_what_is_copied_is_not() {
    let mut header = header(8000, 6000, &[1, 2, 4, 8], 1);
    header.format = SourceFormat::Jpeg;
    for level in &mut header.levels {
        level.unit = Unit::Level;
    }
    assert!(decoded(&header, "full", "!400,400").1);
    assert!(
        !decoded(&header, "full", "!1400,1400").1,
        "seldom asked for"
    );
    header.levels[3].coding = Some(Coding::Jpeg);
    let copied = plan(&header, "full", "1000,750").widened(&header, u64::MAX);
    assert!(copied.is_copied() && copied.kept == Kept::Nothing);
}

#[test]
fn what_is_kept_counts_as_memory() {
    let mut header = header(8000, 6000, &[1, 2, 4, 8], 1);
    let tile = plan(&header, "0,0,8000,4000", "400,200");
    let kept = tile.clone().widened(&header, u64::MAX);
    let (level, window) = (1000 * 750 * 3, 1000 * 500 * 3);
    assert_eq!(kept.bytes(&header), level + window);
    assert!(tile.bytes(&header) < level + window);
    header.format = SourceFormat::Tiff;
    let tile = Unit::Tile(Dimensions::new(1000, 1000).unwrap());
    header.levels.iter_mut().for_each(|level| level.unit = tile);
    let kept = plan(&header, "900,900,1000,1000", "max").widened(&header, u64::MAX);
    assert_eq!(kept.kept, Kept::Tiles);
    let (tile, window) = (1000 * 1000 * 3, 1000 * 1000 * 3);
    assert_eq!(kept.bytes(&header), 4 * tile + window);
}

proptest! {
    /// The window always lies on its level, and the crop inside the extended window.
    #[test]
    fn windows_lie_on_their_level(
        width in 1..3000_u32, height in 1..3000_u32, x in 0..3000_u32, y in 0..3000_u32, w in 1..3000_u32,
        h in 1..3000_u32, tw in 1..600_u32, th in 1..600_u32, floor: bool, tag in 1..9_u16,
        n in prop_oneof![Just(1), 1..30_u32, Just(u32::MAX - 1)],
        d in prop_oneof![Just(1), 1..30_u32, Just(u32::MAX)],
    ) {
        let mut header = header(width, height, &[1, 2, 4, 8, 16], tag);
        if floor {
            for level in &mut header.levels {
                let factor = level.scale_factor.get();
                level.dimensions = Dimensions::at_least_one(width / factor, height / factor);
            }
        }
        let limits = SizeLimits { upscaling: true, ..SizeLimits::default() };
        let scale = format!("{}:{}", n.min(d), d);
        let request = scaled_request(&scale, &format!("{x},{y},{w},{h}"), &format!("^{tw},{th}"));
        if let Ok(plan) = Plan::new(&request, &View::default(), &header, &limits) {
            prop_assert!(plan.window.rect.is_within(header.levels[plan.window.level].dimensions));
            prop_assert!(plan.window.rect.dimensions().fits_in(plan.extended));
            prop_assert!(plan.crop.left + plan.crop.width <= f64::from(plan.extended.width()) + 1e-9);
            prop_assert!(plan.crop.top + plan.crop.height <= f64::from(plan.extended.height()) + 1e-9);
            prop_assert!(plan.crop.width > 0.0 && plan.crop.height > 0.0);
        }
    }
}
