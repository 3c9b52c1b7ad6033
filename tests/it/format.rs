//! F: the formats. Their bodies are decoded, so that type, signature and content agree.

use std::collections::HashSet;
use std::fs;

use axum::http::Method;
use serde_json::{Value, json};

use crate::chart;
use crate::server::{Picture, Server, VERSIONS, fixtures};
use crate::steps::picture_of_pdf;

/// Name, media type, and how the body begins.
const FORMATS: [(&str, &str, &[u8]); 7] = [
    ("jpg", "image/jpeg", b"\xff\xd8\xff"),
    ("png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ("tif", "image/tiff", b"II*\0"),
    ("gif", "image/gif", b"GIF89a"),
    ("jp2", "image/jp2", b"\0\0\0\x0cjP  \r\n\x87\n"),
    ("pdf", "application/pdf", b"%PDF-1."),
    ("webp", "image/webp", b"RIFF"),
];

#[tokio::test]
async fn f01_f02_f03_f09_type_and_signature_agree() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for (format, media_type, signature) in FORMATS {
            let path = format!("/iiif/{version}/chart.png/full/160,/0/default.{format}");
            let answer = server.get(&path).await;
            answer.assert_ok();
            assert_eq!(answer.header("content-type"), Some(media_type), "{path}");
            assert!(answer.body.starts_with(signature), "{path}");
            let picture = match format {
                "pdf" => picture_of_pdf(&answer.body),
                _ => answer.picture(),
            };
            assert_eq!(picture.size(), (160, 112), "{path}");
        }
    }
}

/// Formats without loss keep every pixel; the others are near.
#[tokio::test]
async fn f03_every_format_shows_the_picture() {
    let root = tempfile::tempdir().unwrap();
    let smooth = Picture::new(120, 80, |x, y| [2 * x as u8, 3 * y as u8, 60, 255]);
    smooth.store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        for (format, tolerance) in [
            ("png", 0),
            ("tif", 0),
            ("jp2", 12),
            ("jpg", 12),
            ("webp", 16),
            ("gif", 40),
        ] {
            let path = format!("/iiif/{version}/x/full/max/0/default.{format}");
            let difference = server.picture(&path).await.difference(&smooth);
            assert!(difference <= tolerance, "{path}: {difference}");
        }
        let pdf = server
            .get(&format!("/iiif/{version}/x/full/max/0/default.pdf"))
            .await;
        picture_of_pdf(&pdf.body).assert_like(&smooth, 12);
    }
}

#[tokio::test]
async fn f04_other_formats_are_refused() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for format in ["JPG", "jpeg", "tiff", "bmp", "avif", "svg", "", "jpg%20"] {
            let path = format!("/iiif/{version}/chart.png/full/max/0/default.{format}");
            assert_eq!(server.status(&path).await, 400, "{format}");
        }
    }
}

#[tokio::test]
async fn f05_the_suffix_decides() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/full/20,/0/default.png");
        let plain = server.get(&path).await;
        for accept in [
            "image/webp",
            "image/jpeg;q=1,image/png;q=0",
            "text/html",
            "*/*",
        ] {
            let answer = server.send(Method::GET, &path, &[("accept", accept)]).await;
            answer.assert_ok();
            assert_eq!(answer.header("content-type"), Some("image/png"), "{accept}");
            assert_eq!(answer.body, plain.body, "{accept}");
        }
    }
}

const TRANSPARENT: [&str; 4] = [
    "png-rgba.png",
    "jp2-rgba.jp2",
    "webp-lossless-alpha.webp",
    "tiff-alpha-unassociated.tif",
];

#[tokio::test]
async fn f06_opacity_survives() {
    let server = Server::of_fixtures();
    let wanted = Picture::transparent_chart();
    let opacity =
        |picture: &Picture| -> Vec<u8> { picture.pixels.iter().map(|pixel| pixel[3]).collect() };
    for version in VERSIONS {
        for identifier in TRANSPARENT {
            let path = format!("/iiif/{version}/{identifier}/full/max/0/default");
            for format in ["png", "tif"] {
                let picture = server.picture(&format!("{path}.{format}")).await;
                assert_eq!(picture.difference(&wanted), 0, "{path}.{format}");
            }
            let webp = server.picture(&format!("{path}.webp")).await;
            assert_eq!(opacity(&webp), opacity(&wanted), "{path}.webp");
            let gif = server.picture(&format!("{path}.gif")).await;
            let halves: Vec<u8> = opacity(&wanted)
                .iter()
                .map(|&alpha| if alpha < 128 { 0 } else { 255 })
                .collect();
            assert_eq!(opacity(&gif), halves, "{path}.gif");
        }
    }
}

#[tokio::test]
async fn f06_without_opacity_it_is_laid_on_white() {
    let server = Server::of_fixtures();
    let wanted = Picture::transparent_chart().on([255; 3]);
    // The middles of the blocks that are of one colour.
    let is_flat = |column, row| (column + 2 * row) % 5 == 0;
    let blocks: Vec<(u32, u32)> = (0..6)
        .flat_map(|row| (0..9).map(move |column| (column, row)))
        .collect();
    for version in VERSIONS {
        for identifier in TRANSPARENT {
            let path = format!("/iiif/{version}/{identifier}/full/max/0/default");
            let jpg = server.picture(&format!("{path}.jpg")).await;
            let pdf = picture_of_pdf(&server.get(&format!("{path}.pdf")).await.body);
            for &(column, row) in blocks.iter().filter(|&&(column, row)| is_flat(column, row)) {
                let middle =
                    |picture: &Picture| picture.cropped(32 * column + 16, 32 * row + 16, 1, 1);
                middle(&jpg).assert_like(&middle(&wanted), 5);
                middle(&pdf).assert_like(&middle(&wanted), 5);
            }
        }
    }
}

/// What golden pixels there are, over HTTP: inks, Lab, deep samples, profiles, palettes.
#[tokio::test]
async fn f07_every_source_becomes_plain_srgb() {
    let server = Server::of_fixtures();
    let manifest: Vec<Value> =
        serde_json::from_slice(&fs::read(fixtures("manifest.json")).unwrap()).unwrap();
    let mut compared = 0;
    for fixture in &manifest {
        let identifier = fixture["file"].as_str().unwrap();
        let path = format!("/iiif/3/{identifier}/full/max/0/default");
        let answer = server.get(&format!("{path}.png")).await;
        let picture = answer.picture();
        assert_eq!(answer.body[24], 8, "{identifier}: bits of each sample");
        server.picture(&format!("{path}.jpg")).await;
        let expected = &fixture["expected"];
        let tolerance = expected["tolerance"].as_u64().unwrap_or(0) as u8 + 1;
        let wanted = match (expected["png"].as_str(), expected["chart"].as_str()) {
            (Some(png), _) => Some(Picture::from_png(&fs::read(fixtures(png)).unwrap())),
            (_, Some("rgb" | "rgb16")) => Some(Picture::chart()),
            (_, Some("rgba" | "rgba16")) => Some(Picture::transparent_chart()),
            _ => None,
        };
        if let Some(wanted) = wanted {
            let difference = picture.difference(&wanted);
            assert!(difference <= tolerance, "{identifier}: {difference}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[tokio::test]
async fn f08_gif_keeps_up_to_256_colours() {
    let server = Server::of_fixtures();
    let (width, height) = chart::DIMENSIONS;
    let indexed = Picture::new(width, height, |x, y| {
        let [r, g, b] = chart::indexed(x, y);
        [r, g, b, 255]
    });
    for version in VERSIONS {
        let path = format!("/iiif/{version}/png-palette.png/full/max/0/default.gif");
        assert_eq!(server.picture(&path).await.difference(&indexed), 0);
        let path = format!("/iiif/{version}/chart.png/full/max/0/default.gif");
        let colors: HashSet<[u8; 4]> = server.picture(&path).await.pixels.into_iter().collect();
        assert!(colors.len() <= 256);
    }
}

#[tokio::test]
async fn f09_pdf_is_one_page_of_the_size_of_the_image() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/full/160,/0/default.pdf");
        let body = server.get(&path).await.body;
        let has = |text: &str| {
            body.windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        assert!(has("/MediaBox [0 0 160 112]") && has("/Count 1"));
        assert!(body.trim_ascii_end().ends_with(b"%%EOF"));
    }
}

#[tokio::test]
async fn f10_f11_formats_beyond_level_2_are_listed() {
    let server = Server::of_fixtures();
    let formats = json!(["webp", "tif", "gif", "jp2", "pdf"]);
    let three = server.json("/iiif/3/chart.png/info.json").await;
    assert_eq!(three["extraFormats"], formats);
    let two = server.json("/iiif/2/chart.png/info.json").await;
    assert_eq!(two["profile"][1]["formats"], formats);
}

/// A hundred squares as in the validators' picture.
#[tokio::test]
async fn f08_f12_flat_colours_stay() {
    let root = tempfile::tempdir().unwrap();
    let color = |column: u32, row: u32| {
        [
            (column * 91 + row * 17) as u8,
            (row * 53 + column) as u8,
            (column * row * 29) as u8,
            255,
        ]
    };
    Picture::new(1_000, 1_000, |x, y| color(x / 100, y / 100)).store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        for format in ["jpg", "webp", "gif", "jp2", "tif", "png"] {
            let path = format!("/iiif/{version}/x/full/max/0/default.{format}");
            let picture = server.picture(&path).await;
            for (column, row) in (0..10).flat_map(|row| (0..10).map(move |column| (column, row))) {
                let middle = Picture::flat(1, 1, picture.at(column * 100 + 50, row * 100 + 50));
                let difference = middle.difference(&Picture::flat(1, 1, color(column, row)));
                assert!(difference <= 5, "{format}: {column},{row}: {difference}");
            }
        }
    }
}
