//! Answers that are stored bytes: nothing is decoded, and they mean what decoding would give.

use std::sync::Arc;

use azulejo::decode::{self, Coding, Decoder, Limits, Unit, Window};
use azulejo::geometry::{Dimensions, Rect};
use azulejo::raster::Raster;

use crate::server::{Server, fixtures};

fn open(bytes: Vec<u8>) -> Box<dyn Decoder> {
    decode::open(Arc::new(bytes), &Limits::default()).unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures("images").join(name)).unwrap()
}

fn whole(decoder: &dyn Decoder) -> Raster {
    let rect = Rect::whole(decoder.header().stored_dimensions());
    decoder.decode(&Window { level: 0, rect }).unwrap()
}

/// All units of all levels that can be copied, each as what it shows and as the file that it is.
fn units(decoder: &dyn Decoder) -> Vec<(Raster, Vec<u8>)> {
    let mut found = Vec::new();
    for (index, level) in decoder.header().levels.iter().enumerate() {
        if level.coding.is_none() {
            continue;
        }
        for rect in grid(level.unit, level.dimensions) {
            let window = Window { level: index, rect };
            let shown = decoder.decode(&window).unwrap();
            found.extend(
                decoder
                    .stored(&window, None, u64::MAX)
                    .map(|file| (shown, file)),
            );
        }
    }
    found
}

fn grid(unit: Unit, level: Dimensions) -> Vec<Rect> {
    let mut found: Vec<Rect> = Vec::new();
    for y in 0..level.height() {
        for x in 0..level.width() {
            let is_new = found.iter().all(|rect| {
                let pixel = Rect::new(x, y, 1, 1).unwrap();
                rect.intersection(pixel).is_none()
            });
            if is_new {
                found.push(unit.enclosing(Rect::new(x, y, 1, 1).unwrap(), level));
            }
        }
    }
    found
}

/// The largest difference, but for the last column and row: beside them chroma was interpolated from pixels that a cropped
/// tile does not have.
fn worst_difference(one: &Raster, other: &Raster) -> u8 {
    assert_eq!(one.dimensions(), other.dimensions());
    let (width, height) = (one.dimensions().width(), one.dimensions().height());
    let inner = Rect::new(0, 0, (width - 1).max(1), (height - 1).max(1)).unwrap();
    let (one, other) = (one.crop(inner), other.crop(inner));
    let pairs = one.as_u8().unwrap().iter().zip(other.as_u8().unwrap());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// Tiles at the edge included, which are cut; with the shared tables spliced in, Y'CbCr, RGB and gray.
#[test]
fn stored_tiles_show_what_decoding_shows() {
    let tiled = [
        ("tiff-tiled-jpeg-gray.tif", Coding::Jpeg),
        ("tiff-tiled-jpeg-rgb.tif", Coding::Jpeg),
        ("tiff-tiled-jpeg-tables-rgb.tif", Coding::Jpeg),
        ("tiff-tiled-jpeg-tables-ycbcr.tif", Coding::Jpeg),
        ("tiff-tiled-jpeg-ycbcr-420.tif", Coding::Jpeg),
        ("tiff-pyramid-pages-jpeg.tif", Coding::Jpeg),
        ("tiff-tiled-webp.tif", Coding::Webp),
        ("jpeg-420.jpg", Coding::Jpeg),
        ("jpeg-gray.jpg", Coding::Jpeg),
        ("jpeg-progressive-420.jpg", Coding::Jpeg),
    ];
    for (name, coding) in tiled {
        let decoder = open(fixture(name));
        assert_eq!(decoder.header().levels[0].coding, Some(coding), "{name}");
        let units = units(&*decoder);
        assert!(!units.is_empty(), "{name}");
        for (shown, file) in units {
            let worst = worst_difference(&whole(&*open(file)), &shown);
            assert!(worst <= 1, "{name}: {worst}");
        }
    }
}

#[test]
fn what_browsers_do_not_show_alike_is_never_copied() {
    for name in [
        "jpeg-cmyk-adobe.jpg",
        "jpeg-ycck-adobe.jpg",
        "jpeg-arithmetic.jpg",
        "tiff-tiled-jpeg2000-33005.tif",
        "chart.png",
    ] {
        let decoder = open(fixture(name));
        assert_eq!(decoder.header().levels[0].coding, None, "{name}");
    }
}

#[test]
fn a_tile_that_lost_its_end_is_not_copied() {
    let bytes = fixture("jpeg-420.jpg");
    let decoder = open(bytes[..bytes.len() - 2].to_vec());
    let rect = Rect::whole(decoder.header().stored_dimensions());
    assert_eq!(
        decoder.stored(&Window { level: 0, rect }, None, u64::MAX),
        None
    );
}

/// K04: else one tile could claim gigabytes, or many tiles the same megabytes.
#[test]
fn no_more_is_read_for_a_copy_than_allowed() {
    for (name, width) in [("jpeg-420.jpg", None), ("sample-azulejo.tif", Some(512))] {
        let decoder = open(fixture(name));
        let whole = decoder.header().stored_dimensions();
        let rect = width.and_then(|width| Rect::new(0, 0, width, width));
        let rect = rect.unwrap_or(Rect::whole(whole));
        let window = Window { level: 0, rect };
        let file = decoder.stored(&window, None, u64::MAX).unwrap();
        let few = file.len() as u64 / 2;
        assert_eq!(decoder.stored(&window, None, few), None, "{name}");
    }
}

#[tokio::test]
async fn a_whole_jpeg_is_the_file_itself() {
    let server = Server::of_fixtures();
    for name in ["jpeg-420.jpg", "jpeg-gray.jpg", "jpeg-rgb.jpg"] {
        for version in ["2/{}/full/full", "3/{}/full/max"] {
            let image = version.replace("{}", name);
            let answer = server.get(&format!("/iiif/{image}/0/default.jpg")).await;
            assert_eq!(answer.header("content-type"), Some("image/jpeg"));
            assert!(answer.body == fixture(name), "{image}");
        }
    }
}

#[tokio::test]
async fn what_has_to_be_changed_is_not_the_file_itself() {
    let server = Server::of_fixtures();
    for request in [
        "jpeg-420.jpg/full/max/!0/default.jpg",
        "jpeg-420.jpg/full/max/90/default.jpg",
        "jpeg-420.jpg/full/max/0/gray.jpg",
        "jpeg-420.jpg/0,0,100,100/max/0/default.jpg",
        "jpeg-icc-rgb.jpg/full/max/0/default.jpg",
        "jpeg-orientation-6.jpg/full/max/0/default.jpg",
        "jpeg-cmyk-adobe.jpg/full/max/0/default.jpg",
    ] {
        let answer = server.get(&format!("/iiif/3/{request}")).await;
        let name = request.split('/').next().unwrap();
        answer.picture();
        assert!(answer.body != fixture(name), "{request}");
    }
}

/// S18 and C01: every spelling is the same request, and so the same bytes.
#[tokio::test]
async fn every_spelling_of_a_tile_is_the_same_copy() {
    let server = Server::of_fixtures();
    let name = "sample-azulejo.tif";
    let decoder = open(fixture(name));
    let tile = Rect::new(256, 0, 256, 256).unwrap();
    let resolution = decoder.header().resolution;
    let window = Window {
        level: 0,
        rect: tile,
    };
    let stored = decoder.stored(&window, resolution, u64::MAX).unwrap();
    for size in ["max", "256,", ",256", "256,256", "!256,256", "!300,256"] {
        let path = format!("/iiif/3/{name}/256,0,256,256/{size}/0/default.jpg");
        assert!(server.get(&path).await.body == stored, "{size}");
    }
    // A level of the pyramid.
    let window = Window {
        level: 1,
        rect: tile,
    };
    let stored = decoder.stored(
        &window,
        resolution.map(|full| azulejo::decode::Resolution {
            x: full.x / 2.0,
            y: full.y / 2.0,
        }),
        u64::MAX,
    );
    let path = format!("/iiif/3/{name}/512,0,512,512/256,256/0/default.jpg");
    assert!(Some(&server.get(&path).await.body[..]) == stored.as_deref());
}

/// Tiles that are joined, at the edges of the image too. Beside the seams colour is interpolated across them.
#[tokio::test]
async fn joined_tiles_show_what_decoding_shows() {
    let server = Server::of_fixtures();
    let name = "sample-azulejo.tif";
    let decoder = open(fixture(name));
    for (x, y, width, height) in [
        (0, 0, 512, 512),
        (512, 256, 300, 299),
        (2048, 1536, 352, 264),
    ] {
        let region = format!("{x},{y},{width},{height}");
        let answer = server
            .get(&format!("/iiif/3/{name}/{region}/max/0/default.jpg"))
            .await;
        let found = whole(&*open(answer.body.to_vec()));
        let rect = Rect::new(x, y, width, height).unwrap();
        let window = Window { level: 0, rect };
        assert!(
            decoder
                .stored(&window, decoder.header().resolution, u64::MAX)
                .is_some()
        );
        let shown = decoder.decode(&window).unwrap();
        let pairs = found.as_u8().unwrap().iter().zip(shown.as_u8().unwrap());
        let differing = pairs.filter(|(a, b)| a.abs_diff(**b) > 1).count();
        let share = differing as f64 / found.samples().len() as f64;
        assert!(share < 0.03, "{region}: {share}");
    }
}

#[tokio::test]
async fn copying_can_be_switched_off() {
    let server = Server::configured(fixtures("images"), |config| {
        config.encode.passthrough = false;
    });
    let path = "/iiif/3/jpeg-420.jpg/full/max/0/default.jpg";
    let answer = server.get(path).await;
    assert!(answer.body != fixture("jpeg-420.jpg"));
    let copying = Server::of_fixtures().get(path).await;
    assert_ne!(answer.header("etag"), copying.header("etag"));
}
