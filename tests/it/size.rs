//! S: the size.

use serde_json::Value;

use crate::server::{Picture, Server, VERSIONS};

/// A server over `x` of 300x200 pixels, with these settings.
fn server_with(change: impl FnOnce(&mut azulejo::config::Config)) -> (tempfile::TempDir, Server) {
    let root = tempfile::tempdir().unwrap();
    Picture::new(300, 200, |x, y| [x as u8, y as u8, 99, 255]).store(root.path(), "x");
    let server = Server::configured(root.path(), change);
    (root, server)
}

fn server() -> (tempfile::TempDir, Server) {
    server_with(|_| {})
}

/// Asserts the size of `region/size`, each for `x`.
async fn assert_sizes(server: &Server, version: u8, rows: &[(&str, (u32, u32))]) {
    for (request, size) in rows {
        let picture = server
            .picture(&format!("/iiif/{version}/x/{request}/0/default.png"))
            .await;
        assert_eq!(picture.size(), *size, "{version}: {request}");
    }
}

async fn assert_refused(server: &Server, version: u8, status: u16, sizes: &[&str]) {
    for size in sizes {
        let answer = server
            .get(&format!("/iiif/{version}/x/full/{size}/0/default.png"))
            .await;
        assert_eq!(
            answer.status,
            status,
            "{version}: {size}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn s01_s21_max_is_the_size_of_the_region() {
    let (_root, server) = server();
    for version in VERSIONS {
        assert_sizes(
            &server,
            version,
            &[("full/max", (300, 200)), ("7,8,90,60/max", (90, 60))],
        )
        .await;
    }
    let full = server.get("/iiif/2/x/full/full/0/default.png").await;
    assert_eq!(
        full.body,
        server.get("/iiif/2/x/full/max/0/default.png").await.body
    );
}

#[tokio::test]
async fn s01_max_is_shrunk_to_the_limits() {
    let limits: [(Option<u32>, Option<u32>, u64, (u32, u32)); 4] = [
        (Some(150), None, 1 << 40, (150, 100)),
        (Some(300), Some(50), 1 << 40, (75, 50)),
        (Some(90), None, 1 << 40, (90, 60)),
        (None, None, 15_000, (150, 100)),
    ];
    for (max_width, max_height, max_area, size) in limits {
        let (_root, server) = server_with(|config| {
            config.image.max_width = max_width;
            config.image.max_height = max_height;
            config.image.max_area = max_area;
        });
        for version in VERSIONS {
            assert_sizes(
                &server,
                version,
                &[("full/max", size), ("0,0,30,20/max", (30, 20))],
            )
            .await;
        }
    }
}

#[tokio::test]
async fn s02_full_belongs_to_version_2() {
    let (_root, server) = server();
    assert_sizes(
        &server,
        2,
        &[("full/full", (300, 200)), ("5,5,50,40/full", (50, 40))],
    )
    .await;
    assert_refused(&server, 3, 400, &["full"]).await;
}

#[tokio::test]
async fn s03_s04_s05_s06_s07_s23_s24_the_forms() {
    let (_root, server) = server();
    for version in VERSIONS {
        assert_sizes(
            &server,
            version,
            &[
                ("full/150,", (150, 100)),
                ("full/,50", (75, 50)),
                ("full/100,", (100, 67)),
                ("full/,33", (50, 33)),
                ("full/pct:50", (150, 100)),
                ("full/pct:12.5", (38, 25)),
                ("full/100,150", (100, 150)),
                ("full/300,200", (300, 200)),
                ("full/!100,150", (100, 67)),
                ("full/!200,50", (75, 50)),
                ("10,10,80,20/40,", (40, 10)),
                ("10,10,80,20/,5", (20, 5)),
                ("10,10,80,20/pct:50", (40, 10)),
                ("10,10,80,20/!30,30", (30, 8)),
                ("290,190,80,20/5,", (5, 5)),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn s08_a_box_larger_than_the_region_is_no_error() {
    let (_root, server) = server();
    assert_sizes(
        &server,
        3,
        &[
            ("full/!2000,3000", (300, 200)),
            ("0,0,30,20/!299,199", (30, 20)),
        ],
    )
    .await;
}

#[tokio::test]
async fn s09_nothing_grows_in_version_3_without_a_caret() {
    let (_root, server) = server();
    assert_refused(
        &server,
        3,
        400,
        &["301,", ",201", "301,200", "300,201", "pct:101", "pct:100.1"],
    )
    .await;
    assert_sizes(
        &server,
        3,
        &[
            ("full/300,", (300, 200)),
            ("full/,200", (300, 200)),
            ("full/pct:100", (300, 200)),
        ],
    )
    .await;
    // The region counts, not the image.
    for size in ["51,", ",31", "51,1", "1,31"] {
        let path = format!("/iiif/3/x/0,0,50,30/{size}/0/default.png");
        assert_eq!(server.status(&path).await, 400, "{size}");
    }
}

#[tokio::test]
async fn s10_s12_sizes_that_are_refused() {
    let (_root, server) = server();
    for version in VERSIONS {
        assert_refused(
            &server,
            version,
            400,
            &[
                "0,",
                ",0",
                "0,0",
                "10,0",
                "0,10",
                "!0,10",
                "!10,0",
                "pct:0",
                "100",
                ",",
                "a,b",
                "!100,",
                "!,100",
                "!max",
                "^",
                "^full",
                "!^10,10",
                ",^150",
                "pct:",
                "pct:50,30",
                "-1,",
                "+10,",
                "1e2,",
                "10.5,",
                "pct:-5",
                "pct:1e1",
                "4294967296,",
                "18446744073709551616,",
                "%2010,",
                "10,10,10",
                "MAX",
                "square",
            ],
        )
        .await;
    }
    assert_refused(&server, 2, 400, &["^10,", "^max", "^pct:50"]).await;
}

#[tokio::test]
async fn s11_a_computed_side_is_at_least_one_pixel() {
    let (_root, server) = server();
    for version in VERSIONS {
        assert_sizes(
            &server,
            version,
            &[
                ("0,0,300,1/3,", (3, 1)),
                ("0,0,1,200/,5", (1, 5)),
                ("full/pct:0.01", (1, 1)),
                ("0,0,300,1/!3,3", (3, 1)),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn s13_a_caret_allows_to_enlarge() {
    let (_root, server) = server();
    assert_sizes(
        &server,
        3,
        &[
            ("full/^450,", (450, 300)),
            ("full/^,240", (360, 240)),
            ("full/^pct:120", (360, 240)),
            ("full/^310,500", (310, 500)),
            ("full/^!600,600", (600, 400)),
            ("0,0,30,20/^60,", (60, 40)),
        ],
    )
    .await;
    for size in ["100,", ",50", "pct:50", "100,90", "!80,80", "300,200"] {
        let plain = server
            .get(&format!("/iiif/3/x/full/{size}/0/default.png"))
            .await;
        let caret = server
            .get(&format!("/iiif/3/x/full/^{size}/0/default.png"))
            .await;
        assert_eq!(plain.body, caret.body, "{size}");
    }
}

#[tokio::test]
async fn s14_caret_max_is_the_largest_within_the_limits() {
    let rows: [(Option<u32>, u64, (u32, u32)); 4] = [
        (Some(600), 1 << 40, (600, 400)),
        (Some(150), 1 << 40, (150, 100)),
        (None, 240_000, (600, 400)),
        (Some(450), 240_000, (450, 300)),
    ];
    for (max_width, max_area, size) in rows {
        let (_root, server) = server_with(|config| {
            config.image.max_width = max_width;
            config.image.max_area = max_area;
        });
        assert_sizes(&server, 3, &[("full/^max", size)]).await;
        let document = server.json("/iiif/3/x/info.json").await;
        assert!(document["maxWidth"].is_u64() || document["maxArea"].is_u64());
    }
}

#[tokio::test]
async fn s15_s20_s26_nothing_is_above_the_limits() {
    let (_root, server) = server_with(|config| {
        config.image.max_width = Some(200);
        config.image.max_height = Some(120);
        config.image.max_area = 15_000;
    });
    let above = ["201,", ",121", "200,120", "pct:100", "pct:51"];
    for version in VERSIONS {
        assert_refused(&server, version, 400, &above).await;
        let shrunk = [
            ("full/!300,300", (150, 100)),
            ("full/max", (150, 100)),
            ("0,0,290,3/max", (200, 2)),
        ];
        assert_sizes(&server, version, &shrunk).await;
    }
    assert_refused(&server, 3, 400, &["^201,", "^pct:120", "^200,120", "^,121"]).await;
    assert_sizes(
        &server,
        3,
        &[("full/^!999,999", (150, 100)), ("full/^max", (150, 100))],
    )
    .await;
    assert_refused(&server, 2, 400, &["full"]).await;
}

#[tokio::test]
async fn s18_enlarging_that_is_switched_off_is_501() {
    let (_root, server) = server_with(|config| config.image.upscaling = false);
    assert_refused(
        &server,
        3,
        501,
        &["^301,", "^,201", "^pct:101", "^300,201", "^!600,600"],
    )
    .await;
    assert_sizes(
        &server,
        3,
        &[
            ("full/^100,", (100, 67)),
            ("full/^!60,60", (60, 40)),
            ("full/^max", (300, 200)),
        ],
    )
    .await;
}

#[tokio::test]
async fn s19_s22_sizes_above_the_region_in_version_2() {
    let (_root, server) = server();
    let profile = &server.json("/iiif/2/x/info.json").await["profile"][1];
    assert!(
        profile["supports"]
            .as_array()
            .unwrap()
            .contains(&"sizeAboveFull".into())
    );
    assert!(profile["maxArea"].is_u64());
    let rows = [
        ("full/450,", (450, 300)),
        ("full/pct:120", (360, 240)),
        ("full/310,50", (310, 50)),
        ("full/!600,600", (600, 400)),
    ];
    assert_sizes(&server, 2, &rows).await;

    let (_root, server) = server_with(|config| config.image.upscaling = false);
    let profile = &server.json("/iiif/2/x/info.json").await["profile"][1];
    assert!(
        !profile["supports"]
            .as_array()
            .unwrap()
            .contains(&"sizeAboveFull".into())
    );
    for size in ["450,", "pct:120", "310,50"] {
        let status = server
            .status(&format!("/iiif/2/x/full/{size}/0/default.png"))
            .await;
        assert!([400, 404, 501].contains(&status), "{size}: {status}");
    }
    assert_sizes(&server, 2, &[("full/!600,600", (300, 200))]).await;
}

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

#[tokio::test]
async fn s25_all_formats_give_the_same_dimensions() {
    let server = Server::of_fixtures();
    let identifiers = [
        "chart.png",
        "tiff-tiled-lzw.tif",
        "tiff-stripped-none.tif",
        "tiff-pyramid-pages.tif",
        "tiff-orientation-6.tif",
        "jp2-tiled64-lossless.jp2",
        "jp2-untiled-lossless.jp2",
        "jpeg-420.jpg",
        "gif-plain.gif",
        "webp-lossless.webp",
    ];
    let rows = [
        ("full/75,", (75, 53)),
        ("full/,53", (76, 53)),
        ("full/pct:25", (75, 53)),
        ("full/!40,40", (40, 28)),
        ("17,3,255,199/31,", (31, 24)),
        ("pct:3,5,71,83/pct:33.3", (71, 58)),
    ];
    for version in VERSIONS {
        for identifier in identifiers {
            for (request, size) in rows {
                let path = format!("/iiif/{version}/{identifier}/{request}/0/default.jpg");
                assert_eq!(server.picture(&path).await.size(), size, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn s27_the_sizes_that_viewers_compute() {
    let (_root, server) = server();
    for version in VERSIONS {
        let rows = [
            ("full/150,100", (150, 100)),
            ("full/75,50", (75, 50)),
            ("full/38,25", (38, 25)),
            ("full/19,13", (19, 13)),
            ("full/10,7", (10, 7)),
            ("full/5,4", (5, 4)),
            ("full/3,2", (3, 2)),
            ("full/2,1", (2, 1)),
            ("full/1,1", (1, 1)),
        ];
        assert_sizes(&server, version, &rows).await;
    }
}

#[tokio::test]
async fn s28_limits_apply_before_rotation() {
    let (_root, server) = server_with(|config| config.image.max_width = Some(100));
    for version in VERSIONS {
        let turned = server
            .picture(&format!("/iiif/{version}/x/full/100,100/45/default.png"))
            .await;
        assert_eq!(turned.size(), (141, 141));
    }
}
