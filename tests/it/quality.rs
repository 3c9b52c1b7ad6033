//! Q: the qualities.

use serde_json::json;

use crate::chart;
use crate::server::{Picture, Server, VERSIONS};

fn is_gray(&[r, g, b, _]: &[u8; 4]) -> bool {
    r == g && g == b
}

fn is_black_or_white(pixel: &[u8; 4]) -> bool {
    is_gray(pixel) && [0, 255].contains(&pixel[0])
}

#[tokio::test]
async fn q01_q02_default_and_color_are_the_colours_of_the_source() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for quality in ["default", "color"] {
            let path = format!("/iiif/{version}/chart.png/full/max/0/{quality}.png");
            assert_eq!(server.picture(&path).await.difference(&Picture::chart()), 0);
            for identifier in [
                "jpeg-gray.jpg",
                "png-gray.png",
                "tiff-1bit-g4.tif",
                "jp2-gray.jp2",
                "png-gray-alpha.png",
            ] {
                let path = format!("/iiif/{version}/{identifier}/full/max/0/{quality}.png");
                assert!(
                    server.picture(&path).await.pixels.iter().all(is_gray),
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn q03_q10_gray_is_luminance() {
    let server = Server::of_fixtures();
    let (width, height) = chart::DIMENSIONS;
    let wanted = Picture::new(width, height, |x, y| {
        let gray = chart::gray(x, y);
        [gray, gray, gray, 255]
    });
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/full/max/0/gray.png");
        let gray = server.picture(&path).await;
        assert_eq!(gray.channels, 1);
        gray.assert_like(&wanted, 1);
    }
}

#[tokio::test]
async fn q04_q10_bitonal_is_black_and_white() {
    let server = Server::of_fixtures();
    let (width, height) = chart::DIMENSIONS;
    for version in VERSIONS {
        for identifier in ["chart.png", "png-gray.png", "tiff-1bit-g4.tif"] {
            let path = format!("/iiif/{version}/{identifier}/full/max/0/bitonal");
            let picture = server.picture(&format!("{path}.png")).await;
            assert_eq!(picture.channels, 1, "{path}");
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let [value, ..] = picture.at(x, y);
                // The luminance of a pixel may be off by one, so that only the others are certain.
                let is_certain = chart::gray(x, y).abs_diff(128) > 1;
                assert!(
                    !is_certain || value == chart::bilevel(x, y),
                    "{path}: {x},{y}"
                );
                assert!([0, 255].contains(&value));
            }
            for format in ["gif", "tif", "jp2", "webp"] {
                let picture = server.picture(&format!("{path}.{format}")).await;
                let near = |pixel: &[u8; 4]| is_gray(pixel) && (pixel[0] < 40 || pixel[0] > 215);
                let wrong = picture.pixels.iter().filter(|pixel| !near(pixel)).count();
                assert!(
                    wrong * 50 < picture.pixels.len(),
                    "{path}.{format}: {wrong}"
                );
            }
        }
        // Also where scaling makes grays: the quality comes after the size.
        let path = format!("/iiif/{version}/chart.png/full/100,/0/bitonal.png");
        assert!(
            server
                .picture(&path)
                .await
                .pixels
                .iter()
                .all(is_black_or_white)
        );
    }
}

#[tokio::test]
async fn q05_other_names_are_refused() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for quality in [
            "grey",
            "native",
            "Default",
            "GRAY",
            "colour",
            "",
            "default%20",
            "bitonal2",
        ] {
            let path = format!("/iiif/{version}/chart.png/full/max/0/{quality}.jpg");
            assert_eq!(server.status(&path).await, 400, "{quality}");
        }
    }
}

#[tokio::test]
async fn q06_the_qualities_are_listed() {
    let server = Server::of_fixtures();
    for (identifier, qualities) in [
        ("chart.png", json!(["color", "gray", "bitonal"])),
        ("png-gray.png", json!(["gray", "bitonal"])),
        ("tiff-1bit-g4.tif", json!(["gray", "bitonal"])),
    ] {
        let document = server
            .json(&format!("/iiif/3/{identifier}/info.json"))
            .await;
        assert_eq!(document["extraQualities"], qualities, "{identifier}");
        for quality in qualities.as_array().unwrap() {
            let quality = quality.as_str().unwrap();
            let path = format!("/iiif/3/{identifier}/full/20,/0/{quality}.jpg");
            server.get(&path).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn q07_gray_and_bitonal_jpg_have_one_component() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for (quality, channels) in [("default", 3), ("gray", 1), ("bitonal", 1)] {
            let path = format!("/iiif/{version}/chart.png/full/60,/0/{quality}.jpg");
            assert_eq!(server.picture(&path).await.channels, channels, "{quality}");
            let rotated = format!("/iiif/{version}/chart.png/full/60,/20/{quality}.jpg");
            assert_eq!(
                server.picture(&rotated).await.channels,
                channels,
                "{quality}"
            );
        }
    }
}

#[tokio::test]
async fn q08_gray_and_bitonal_keep_transparency() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for quality in ["gray", "bitonal"] {
            let turned = format!("/iiif/{version}/chart.png/full/100,/30/{quality}.png");
            let turned = server.picture(&turned).await;
            assert_eq!((turned.channels, turned.at(0, 0)[3]), (2, 0), "{quality}");
            let source = format!("/iiif/{version}/png-rgba.png/full/max/0/{quality}.png");
            let source = server.picture(&source).await;
            let opacity = |picture: &Picture| {
                picture
                    .pixels
                    .iter()
                    .map(|pixel| pixel[3])
                    .collect::<Vec<_>>()
            };
            let mut wanted = opacity(&Picture::transparent_chart());
            if quality == "bitonal" {
                // What is half transparent would become gray on a background.
                for alpha in &mut wanted {
                    *alpha = if *alpha >= 128 { 255 } else { 0 };
                }
            }
            assert!(opacity(&source) == wanted, "{quality}");
        }
    }
}

#[tokio::test]
async fn q09_gray_and_bitonal_sources_in_every_quality() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for identifier in [
            "jpeg-gray.jpg",
            "png-gray-16bit.png",
            "tiff-1bit-g4.tif",
            "png-1bit.png",
            "bmp-1bit.bmp",
        ] {
            for quality in ["default", "color", "gray", "bitonal"] {
                for format in ["jpg", "png"] {
                    let path =
                        format!("/iiif/{version}/{identifier}/full/50,/0/{quality}.{format}");
                    server.get(&path).await.assert_ok();
                }
            }
        }
    }
}
