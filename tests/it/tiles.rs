//! S16, S17: the sizes and tiles that `info.json` declares are served, exactly.

use serde_json::Value;

use crate::server::{Picture, Server, VERSIONS};

const TILED: [&str; 8] = [
    "tiff-pyramid-pages.tif",
    "tiff-pyramid-subifd.tif",
    "tiff-orientation-6.tif",
    "jp2-tiled64-lossless.jp2",
    "jp2-untiled-lossless.jp2",
    "jpeg-420.jpg",
    "chart.png",
    "jpeg-orientation-6.jpg",
];

#[tokio::test]
async fn s16_every_declared_size_is_served() {
    let server = Server::of_fixtures();
    for identifier in TILED.iter().chain(&[
        "sample-azulejo.tif",
        "sample-azulejo.jp2",
        "sample-azulejo.jpg",
    ]) {
        check_sizes(&server, identifier).await;
    }
    let odd = odd_sizes();
    let server = Server::over(odd.path());
    for (width, height) in ODD {
        check_sizes(&server, &format!("{width}x{height}.png")).await;
    }
}

#[tokio::test]
async fn s17_every_declared_tile_is_served() {
    let server = Server::of_fixtures();
    for identifier in TILED {
        check_tiles(&server, identifier).await;
    }
    let odd = odd_sizes();
    let server = Server::over(odd.path());
    for (width, height) in ODD {
        check_tiles(&server, &format!("{width}x{height}.png")).await;
    }
}

#[tokio::test]
async fn s17_every_declared_tile_of_a_large_image_is_served() {
    let server = Server::of_fixtures();
    for identifier in [
        "sample-azulejo.tif",
        "sample-azulejo.jp2",
        "sample-azulejo.jpg",
    ] {
        check_tiles(&server, identifier).await;
    }
}

const ODD: [(u32, u32); 5] = [(1, 1), (513, 1), (3, 1_025), (1_023, 601), (515, 1_027)];

fn odd_sizes() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (width, height) in ODD {
        Picture::flat(width, height, [9, 99, 199, 255])
            .store(root.path(), &format!("{width}x{height}.png"));
    }
    root
}

async fn check_sizes(server: &Server, identifier: &str) {
    for version in VERSIONS {
        let base = format!("/iiif/{version}/{identifier}");
        let document = server.json(&format!("{base}/info.json")).await;
        let sizes = document["sizes"].as_array().unwrap();
        assert!(!sizes.is_empty());
        for size in sizes {
            let (width, height) = (number(&size["width"]), number(&size["height"]));
            let mut forms = vec![format!("{width},{height}")];
            if version == 2 {
                forms.push(format!("{width},"));
            }
            for form in forms {
                let picture = server
                    .picture(&format!("{base}/full/{form}/0/default.jpg"))
                    .await;
                assert_eq!(picture.size(), (width, height), "{base}: {form}");
            }
        }
    }
}

/// As a viewer cuts the image (Image API 3.0, implementation notes, section 3).
async fn check_tiles(server: &Server, identifier: &str) {
    let document = server
        .json(&format!("/iiif/3/{identifier}/info.json"))
        .await;
    let full = (number(&document["width"]), number(&document["height"]));
    let tiles = &document["tiles"][0];
    let tile = (number(&tiles["width"]), number(&tiles["height"]));
    let factors: Vec<u32> = tiles["scaleFactors"]
        .as_array()
        .unwrap()
        .iter()
        .map(number)
        .collect();
    for factor in factors {
        for y in (0..full.1).step_by((tile.1 * factor) as usize) {
            for x in (0..full.0).step_by((tile.0 * factor) as usize) {
                let width = (tile.0 * factor).min(full.0 - x);
                let height = (tile.1 * factor).min(full.1 - y);
                check_tile(server, identifier, [x, y, width, height], factor).await;
            }
        }
    }
}

async fn check_tile(
    server: &Server,
    identifier: &str,
    [x, y, width, height]: [u32; 4],
    factor: u32,
) {
    let (w, h) = (width.div_ceil(factor), height.div_ceil(factor));
    for version in VERSIONS {
        let region = format!("/iiif/{version}/{identifier}/{x},{y},{width},{height}");
        let picture = server
            .picture(&format!("{region}/{w},{h}/0/default.jpg"))
            .await;
        assert_eq!(picture.size(), (w, h), "{region}/{w},{h}");
    }
    let region = format!("/iiif/2/{identifier}/{x},{y},{width},{height}");
    let picture = server
        .picture(&format!("{region}/{w},/0/default.jpg"))
        .await;
    // `w,` keeps the proportions of the region, so that it gives the same where the factor divides both sides.
    let kept = (2 * height * w + width) / (2 * width);
    assert_eq!(picture.size(), (w, kept.max(1)), "{region}/{w},");
    if width % factor == 0 && height % factor == 0 {
        assert_eq!(kept, h);
    }
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}
