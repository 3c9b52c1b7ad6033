//! T: mirroring and rotation, with the pixels of the chart.

use crate::server::{Picture, Server, VERSIONS, fixtures};
use crate::steps::picture_of_pdf;

/// The chart as it must look after each lossless rotation.
fn lossless() -> [(&'static str, Picture); 8] {
    let upright = Picture::chart();
    let mirrored = upright.mirrored();
    [
        ("0", upright.clone()),
        ("90", upright.turned()),
        ("180", upright.turned().turned()),
        ("270", upright.turned().turned().turned()),
        ("!0", mirrored.clone()),
        ("!90", mirrored.turned()),
        ("!180", mirrored.turned().turned()),
        ("!270", mirrored.turned().turned().turned()),
    ]
}

#[tokio::test]
async fn t01_t02_t04_t10_t11_quarter_turns_only_move_pixels() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for identifier in [
            "chart.png",
            "tiff-tiled-lzw.tif",
            "jp2-tiled64-lossless.jp2",
            "tiff-orientation-6.tif",
        ] {
            for (rotation, wanted) in lossless() {
                let path = format!("/iiif/{version}/{identifier}/full/max/{rotation}/default.png");
                assert_eq!(server.picture(&path).await.difference(&wanted), 0, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn t03_any_number_from_0_to_360() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = |rotation| format!("/iiif/{version}/chart.png/full/40,/{rotation}/default.png");
        for (rotation, same) in [
            ("360", "0"),
            ("!360", "!0"),
            ("90.0", "90"),
            ("180.000", "180"),
            ("022.50", "22.5"),
        ] {
            let answer = server.get(&path(rotation)).await;
            answer.assert_ok();
            assert_eq!(
                answer.body,
                server.get(&path(same)).await.body,
                "{rotation}"
            );
        }
        for rotation in ["0.5", "1", "89.999", "137.25", "359.9", "!22.5"] {
            server.get(&path(rotation)).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn t05_other_texts_are_refused() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for rotation in [
            "361",
            "360.1",
            "-90",
            "+90",
            "!",
            "!!0",
            "90!",
            "%2090",
            "1e2",
            "NaN",
            "inf",
            "1.2.3",
            ".",
            "right",
            "1,5",
            "0x5a",
            "99999999999999999999",
        ] {
            let path = format!("/iiif/{version}/chart.png/full/max/{rotation}/default.png");
            assert_eq!(server.status(&path).await, 400, "{rotation}");
        }
    }
}

#[tokio::test]
async fn t06_corners_are_transparent_where_the_format_can() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for format in ["png", "webp", "tif", "gif", "jp2"] {
            let path = format!("/iiif/{version}/jpeg-420.jpg/full/100,/30/default.{format}");
            let picture = server.picture(&path).await;
            for (x, y) in corners(&picture) {
                assert_eq!(picture.at(x, y)[3], 0, "{format}: {x},{y}");
            }
            assert_eq!(
                picture.at(picture.width / 2, picture.height / 2)[3],
                255,
                "{format}"
            );
        }
    }
}

#[tokio::test]
async fn t06_corners_are_filled_where_it_cannot() {
    let white = Server::of_fixtures();
    let blue = Server::configured(fixtures("images"), |config| {
        config.encode.background = "#2040c0".parse().unwrap();
    });
    for (server, color) in [(white, [255; 3]), (blue, [0x20, 0x40, 0xc0])] {
        for version in VERSIONS {
            let path = format!("/iiif/{version}/jpeg-420.jpg/full/100,/30/default");
            let jpg = server.picture(&format!("{path}.jpg")).await;
            let pdf = picture_of_pdf(&server.get(&format!("{path}.pdf")).await.body);
            for picture in [jpg, pdf] {
                for (x, y) in corners(&picture) {
                    let [r, g, b] = color;
                    let corner = Picture::flat(1, 1, picture.at(x, y));
                    corner.assert_like(&Picture::flat(1, 1, [r, g, b, 255]), 5);
                }
            }
        }
    }
}

fn corners(picture: &Picture) -> [(u32, u32); 4] {
    let (right, bottom) = (picture.width - 1, picture.height - 1);
    [(0, 0), (right, 0), (0, bottom), (right, bottom)]
}

#[tokio::test]
async fn t07_nothing_is_cut_off() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for degrees in [1.0_f64, 22.5, 45.0, 89.5, 100.0, 137.25, 200.0, 315.0] {
            let path = format!("/iiif/{version}/chart.png/0,0,120,50/max/{degrees}/default.png");
            let picture = server.picture(&path).await;
            let (sin, cos) = degrees.to_radians().sin_cos();
            let near = |found: u32, wanted: f64| (f64::from(found) - wanted).abs() <= 1.0;
            assert!(
                near(picture.width, (120.0 * cos).abs() + (50.0 * sin).abs()),
                "{path}"
            );
            assert!(
                near(picture.height, (50.0 * cos).abs() + (120.0 * sin).abs()),
                "{path}"
            );
        }
    }
}

/// What is opaque has the area of the picture, and what is dark in it that of the dark square: neither has been cut
/// nor scaled. The square stays in the centre.
#[tokio::test]
async fn t08_contents_are_not_scaled() {
    let root = tempfile::tempdir().unwrap();
    let is_dark = |x, y| (70..130).contains(&x) && (30..90).contains(&y);
    let picture = Picture::new(200, 120, |x, y| {
        if is_dark(x, y) {
            [0, 0, 0, 255]
        } else {
            [255; 4]
        }
    });
    picture.store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        for rotation in ["15", "45", "!222.5"] {
            let turned = server
                .picture(&format!(
                    "/iiif/{version}/x/full/max/{rotation}/default.png"
                ))
                .await;
            let sum =
                |weight: fn(&[u8; 4]) -> u32| turned.pixels.iter().map(weight).sum::<u32>() / 255;
            let area = sum(|pixel| pixel[3].into());
            let dark = sum(|pixel| u32::from(255 - pixel[0]) * u32::from(pixel[3]) / 255);
            assert!(area.abs_diff(200 * 120) < 240, "{rotation}: {area}");
            assert!(dark.abs_diff(60 * 60) < 36, "{rotation}: {dark}");
            assert!(turned.at(turned.width / 2, turned.height / 2)[0] == 0);
        }
    }
}

#[tokio::test]
async fn t09_every_combination_is_served() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for (rotation, size) in [("90", (30, 40)), ("!180", (40, 30)), ("45", (49, 49))] {
            for quality in ["default", "color", "gray", "bitonal"] {
                for format in ["jpg", "png", "webp", "tif", "gif", "jp2"] {
                    let path = format!(
                        "/iiif/{version}/chart.png/9,9,160,120/40,/{rotation}/{quality}.{format}"
                    );
                    assert_eq!(server.picture(&path).await.size(), size, "{path}");
                }
                let path =
                    format!("/iiif/{version}/chart.png/9,9,160,120/40,/{rotation}/{quality}.pdf");
                assert_eq!(
                    picture_of_pdf(&server.get(&path).await.body).size(),
                    size,
                    "{path}"
                );
            }
        }
    }
}
