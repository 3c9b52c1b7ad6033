//! What overlays draw, and which are refused.

use std::path::PathBuf;

use super::*;
use crate::config::hex_color::HexColor;
use crate::overlay::config::Position;
use crate::raster::{Layout, Samples};

fn frame(width: u32, height: u32, layout: Layout, pixel: &[u8]) -> Raster {
    let dimensions = Dimensions::new(width, height).unwrap();
    let samples = pixel.repeat(dimensions.area() as usize);
    Raster::new(dimensions, layout, Samples::U8(samples))
}

fn fixture(name: &str) -> Option<PathBuf> {
    Some(PathBuf::from("fixtures/images").join(name))
}

fn logo() -> OverlayConfig {
    OverlayConfig {
        image: fixture("jpeg-orientation-6.jpg"),
        width: Some(0.5),
        position: Position::TopLeft,
        inset: 0,
        ..OverlayConfig::default()
    }
}

#[test]
fn an_image_is_drawn_upright_in_its_colours() {
    let overlay = Overlay::load("logo", &logo()).unwrap();
    let natural = overlay.natural();
    let upright = decode::open(
        Arc::new(fs::read("fixtures/images/jpeg-orientation-6.jpg").unwrap()),
        &Limits::DEFAULT,
    );
    assert_eq!(natural, upright.unwrap().header().dimensions());
    let side = natural.width() * 2;
    let on = frame(side, side, Layout::Rgb, &[1, 2, 3]);
    let drawn = overlay.draw(on.clone()).unwrap();
    let shown = drawn.crop(Rect::whole(natural));
    let Drawn::Image(logo) = &overlay.drawn else {
        panic!("an image");
    };
    assert_eq!(with_alpha(shown), *logo);
    let rest = Rect::new(natural.width(), 0, natural.width(), side).unwrap();
    assert_eq!(drawn.crop(rest), on.crop(rest), "nothing beside it");
}

#[test]
fn it_grows_with_the_answer_and_leaves_small_ones_alone() {
    let overlay = Overlay::load(
        "logo",
        &OverlayConfig {
            min_width: 50,
            min_height: 40,
            ..logo()
        },
    );
    let overlay = overlay.unwrap();
    let changed = |width, height| {
        let on = frame(width, height, Layout::Gray, &[77]);
        let drawn = overlay.draw(on).unwrap();
        let samples = drawn.as_u8().unwrap();
        samples.iter().filter(|sample| **sample != 77).count()
    };
    assert_eq!(changed(49, 100), 0);
    assert_eq!(changed(100, 39), 0);
    let (small, large) = (changed(50, 200), changed(100, 400));
    assert!(small > 100);
    assert!(large > 3 * small && large < 5 * small, "{small} {large}");
}

#[test]
fn a_text_has_its_colour_and_opacity() {
    let overlay = Overlay::load(
        "logo",
        &OverlayConfig {
            text: Some("███".to_owned()),
            color: HexColor::BLACK,
            opacity: 0.5,
            font_size: 60,
            position: Position::Center,
            ..OverlayConfig::default()
        },
    );
    let on = frame(300, 100, Layout::Rgba, &[200, 100, 50, 255]);
    let drawn = overlay.unwrap().draw(on).unwrap();
    let middle = drawn.crop(Rect::new(140, 45, 1, 1).unwrap());
    assert_eq!(middle.as_u8().unwrap(), [100, 50, 25, 255]);
}

#[test]
fn no_answer_is_too_small_or_too_long() {
    for config in [
        logo(),
        OverlayConfig {
            text: Some("Watermark".to_owned()),
            inset: 100,
            ..OverlayConfig::default()
        },
        OverlayConfig {
            position: Position::Repeat,
            ..logo()
        },
    ] {
        let overlay = Overlay::load("logo", &config).unwrap();
        for (width, height) in [(1, 1), (1, 900), (900, 1), (3, 2), (17, 400)] {
            let drawn = overlay.draw(frame(width, height, Layout::GrayAlpha, &[9, 9]));
            let drawn = drawn.unwrap();
            assert_eq!(drawn.dimensions(), Dimensions::new(width, height).unwrap());
            assert_eq!(drawn.layout(), Layout::GrayAlpha);
        }
    }
}

#[test]
fn whatever_changes_what_is_drawn_changes_the_digest() {
    let digest =
        |config: OverlayConfig| Overlay::load("logo", &config).unwrap().digest().to_owned();
    let text = |text: &str| OverlayConfig {
        text: Some(text.to_owned()),
        ..OverlayConfig::default()
    };
    let of_another_file = OverlayConfig {
        image: fixture("jpeg-orientation-7.jpg"),
        ..logo()
    };
    let fainter = OverlayConfig {
        opacity: 0.9,
        ..logo()
    };
    let all = [logo(), of_another_file, fainter, text("a"), text("b")];
    let digests: std::collections::BTreeSet<_> = all.map(digest).into_iter().collect();
    assert_eq!(digests.len(), 5);
    assert_eq!(digest(logo()), digest(logo()));
}

#[test]
fn a_file_that_is_replaced_under_its_name_has_another_digest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logo.png");
    let digest = |from: &str| {
        fs::copy(fixture(from).unwrap(), &file).unwrap();
        let config = OverlayConfig {
            image: Some(file.clone()),
            ..OverlayConfig::default()
        };
        Overlay::load("logo", &config).unwrap().digest().to_owned()
    };
    assert_ne!(digest("png-gray.png"), digest("chart.png"));
}

#[test]
fn what_cannot_be_drawn_is_an_error_at_the_start() {
    for config in [
        OverlayConfig::default(),
        OverlayConfig {
            text: Some("both".to_owned()),
            ..logo()
        },
        OverlayConfig {
            image: Some(PathBuf::from("nowhere.png")),
            ..OverlayConfig::default()
        },
        OverlayConfig {
            image: Some(PathBuf::from("Cargo.toml")),
            ..OverlayConfig::default()
        },
        OverlayConfig {
            text: Some("a".to_owned()),
            font: Some(PathBuf::from("Cargo.toml")),
            ..OverlayConfig::default()
        },
    ] {
        assert!(Overlay::load("logo", &config).is_err(), "{config:?}");
        let named = BTreeMap::from([("logo".to_owned(), config)]);
        let error = Overlays::load(&named).err().unwrap().to_string();
        assert!(error.starts_with("overlays.logo: "), "{error}");
    }
}
