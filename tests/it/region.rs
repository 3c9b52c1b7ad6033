//! R: the region, with the pixels of the chart.

use serde_json::Value;

use crate::server::{Answer, Picture, Server, VERSIONS};

async fn ask(server: &Server, version: u8, identifier: &str, region: &str) -> Answer {
    server
        .get(&format!(
            "/iiif/{version}/{identifier}/{region}/max/0/default.png"
        ))
        .await
}

/// Asserts that each region is this rectangle of the chart, exactly and under this name.
async fn assert_regions(rows: &[(&str, [u32; 4])]) {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for (region, [x, y, width, height]) in rows {
            let answer = ask(&server, version, "chart.png", region).await;
            let wanted = Picture::chart().cropped(*x, *y, *width, *height);
            assert_eq!(answer.picture().difference(&wanted), 0, "{region}");
            let size = if version == 2 { "full" } else { "max" };
            let canonical = if (*width, *height) == (301, 211) {
                format!("/iiif/{version}/chart.png/full/{size}/0/default.png")
            } else {
                format!("/iiif/{version}/chart.png/{x},{y},{width},{height}/{size}/0/default.png")
            };
            assert_eq!(answer.canonical(), canonical, "{region}");
        }
    }
}

async fn assert_refused(regions: &[&str]) {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for region in regions {
            let answer = ask(&server, version, "chart.png", region).await;
            assert_eq!(answer.status, 400, "{region}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn r01_full() {
    assert_regions(&[("full", [0, 0, 301, 211])]).await;
}

#[tokio::test]
async fn r02_square_is_centred() {
    assert_regions(&[("square", [45, 0, 211, 211])]).await;
    let root = tempfile::tempdir().unwrap();
    let picture = Picture::new(20, 51, |x, y| [x as u8, y as u8, 0, 255]);
    picture.store(root.path(), "high");
    picture.cropped(0, 0, 20, 20).store(root.path(), "square");
    let server = Server::over(root.path());
    for version in VERSIONS {
        let high = ask(&server, version, "high", "square").await.picture();
        assert_eq!(high.difference(&picture.cropped(0, 15, 20, 20)), 0);
        let square = ask(&server, version, "square", "square").await;
        assert_eq!(
            square.body,
            ask(&server, version, "square", "full").await.body
        );
        assert!(square.canonical().contains("/square/full/"));
    }
}

#[tokio::test]
async fn r03_r12_pixels() {
    assert_regions(&[
        ("0,0,1,1", [0, 0, 1, 1]),
        ("300,210,1,1", [300, 210, 1, 1]),
        ("33,47,100,60", [33, 47, 100, 60]),
        ("0,0,301,211", [0, 0, 301, 211]),
    ])
    .await;
}

#[tokio::test]
async fn r04_r10_r11_r14_percent() {
    assert_regions(&[
        ("pct:0,0,100,100", [0, 0, 301, 211]),
        ("pct:50,50,25,25", [151, 106, 75, 53]),
        ("pct:10.0,10.50,.5,20", [30, 22, 2, 42]),
        ("pct:0,0,0.01,0.01", [0, 0, 1, 1]),
        ("pct:99.99,99.99,1,1", [300, 210, 1, 1]),
    ])
    .await;
}

#[tokio::test]
async fn r05_r06_r13_a_region_over_the_edge_is_cropped() {
    assert_regions(&[
        ("125,15,200,200", [125, 15, 176, 196]),
        ("300,0,2,500", [300, 0, 1, 211]),
        ("1,2,4294967295,4294967296", [1, 2, 300, 209]),
        (
            "1,2,9223372036854775808,18446744073709551616",
            [1, 2, 300, 209],
        ),
        ("pct:50,0,200,150", [151, 0, 150, 211]),
    ])
    .await;
    // The example of the specification.
    let root = tempfile::tempdir().unwrap();
    Picture::flat(300, 200, [7; 4]).store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        for region in ["125,15,200,200", "pct:41.6,7.5,66.6,100"] {
            let size = ask(&server, version, "x", region).await.picture().size();
            assert_eq!(size, (175, 185), "{region}");
        }
    }
}

#[tokio::test]
async fn r07_r08_nothing_is_no_region() {
    assert_refused(&[
        "0,0,0,10",
        "0,0,10,0",
        "pct:0,0,0,10",
        "pct:0,0,10,0",
        "301,0,1,1",
        "0,211,1,1",
        "4294967296,0,1,1",
        "18446744073709551616,0,1,1",
        "pct:100,0,1,1",
        "pct:0,100,1,1",
        "pct:200,0,10,10",
    ])
    .await;
}

#[tokio::test]
async fn r09_other_texts_are_refused() {
    assert_refused(&[
        "FULL",
        "Square",
        "-1,0,10,10",
        "+1,0,10,10",
        "1.5,0,10,10",
        "1e1,0,10,10",
        "0,0,10",
        "0,0,10,10,10",
        "0,0,,10",
        "%200,0,10,10",
        "0,0,10,10%20",
        "0;0;10;10",
        "pct:0,0,10",
        "pct:-1,0,10,10",
        "pct:",
        "pct",
        "PCT:0,0,10,10",
        "pct:1e1,0,10,10",
        "pct:1.2.3,0,10,10",
        "0x1,0,10,10",
        "%D9%A1,0,1,1",
        "%FF",
        "max",
    ])
    .await;
}

/// A smooth picture, so that a region that moved by half a pixel of the result would differ by more than one.
#[tokio::test]
async fn r15_a_region_does_not_depend_on_the_size() {
    let root = tempfile::tempdir().unwrap();
    Picture::new(256, 256, |x, y| [x as u8, y as u8, 255 - x as u8, 255]).store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        for scale in [2, 4, 8] {
            let small = 256 / scale;
            let whole = format!("/iiif/{version}/x/full/{small},{small}/0/default.png");
            let part = format!(
                "/iiif/{version}/x/64,32,128,192/{},{}/0/default.png",
                128 / scale,
                192 / scale
            );
            let whole = server.picture(&whole).await.cropped(
                64 / scale,
                32 / scale,
                128 / scale,
                192 / scale,
            );
            let part = server.picture(&part).await;
            let inner =
                |picture: &Picture| picture.cropped(3, 3, picture.width - 6, picture.height - 6);
            inner(&part).assert_like(&inner(&whole), 1);
        }
    }
}

/// Each format has its own way to a smaller picture, so that edges differ; a picture that is shifted differs more.
#[tokio::test]
async fn r15_levels_and_reduced_decoding_show_the_same_place() {
    let server = Server::of_fixtures();
    for (region, size) in [
        ("512,256,1024,1024", "256,256"),
        ("1024,0,1376,1800", "172,225"),
    ] {
        let part = |identifier, region| {
            let path = format!("/iiif/3/sample-azulejo.{identifier}/{region}/{size}/0/default.png");
            let server = &server;
            async move { server.picture(&path).await }
        };
        let flat = part("jpg", region).await;
        for identifier in ["tif", "jp2"] {
            let found = mean_difference(&flat, &part(identifier, region).await);
            eprintln!("{identifier} {region} {found}");
        }
        for shifted in [
            "528,256,1024,1024",
            "520,256,1024,1024",
            "516,256,1024,1024",
            "514,256,1024,1024",
        ] {
            eprintln!(
                "{shifted} {}",
                mean_difference(&flat, &part("jpg", shifted).await)
            );
        }
    }
}

fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!(a.size(), b.size());
    let pairs = a.pixels.iter().zip(&b.pixels);
    let sum: u64 = pairs.map(|(a, b)| u64::from(a[1].abs_diff(b[1]))).sum();
    sum as f64 / a.pixels.len() as f64
}

#[tokio::test]
async fn r16_coordinates_are_those_of_the_upright_image() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let region = ask(&server, version, "tiff-orientation-6.tif", "200,20,101,40")
            .await
            .picture();
        assert_eq!(
            region.difference(&Picture::chart().cropped(200, 20, 101, 40)),
            0
        );
        for orientation in 1..=8 {
            let path = format!("/iiif/{version}/jpeg-orientation-{orientation}.jpg");
            let document = server.json(&format!("{path}/info.json")).await;
            assert_eq!(
                (&document["width"], &document["height"]),
                (&Value::from(93), &Value::from(61))
            );
            let corner = server
                .picture(&format!("{path}/60,30,500,500/max/0/default.png"))
                .await;
            assert_eq!(corner.size(), (33, 31));
        }
    }
}
