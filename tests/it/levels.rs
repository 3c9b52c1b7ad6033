//! L: whatever `info.json` declares is served.

use serde_json::Value;

use crate::information_3::{integers, strings};
use crate::server::{Answer, Server};

const FILES: [&str; 5] = [
    "chart.png",
    "png-rgba.png",
    "jpeg-gray.jpg",
    "tiff-pyramid-subifd.tif",
    "jp2-tiled64-lossless.jp2",
];

const LEVEL_2_REGIONS: [&str; 3] = ["full", "10,20,100,50", "pct:10,20,50,50"];
const LEVEL_2_SIZES: [&str; 5] = ["50,", ",50", "pct:50", "!50,40", "50,40"];
const LEVEL_2_ROTATIONS: [&str; 4] = ["0", "90", "180", "270"];

/// One image in one version.
struct Service<'a> {
    server: &'a Server,
    base: String,
}

impl<'a> Service<'a> {
    fn new(server: &'a Server, version: u8, file: &str) -> Self {
        let base = format!("/iiif/{version}/{file}");
        Self { server, base }
    }

    async fn information(&self) -> Value {
        self.server.json(&format!("{}/info.json", self.base)).await
    }

    async fn get(&self, parameters: &str) -> Answer {
        let answer = self
            .server
            .get(&format!("{}/{parameters}", self.base))
            .await;
        answer.assert_ok();
        answer
    }

    async fn size(&self, parameters: &str) -> (u64, u64) {
        let (width, height) = self.get(parameters).await.picture().size();
        (width.into(), height.into())
    }

    async fn serves_level_2(&self, also_region: &str, largest: &str) {
        for region in LEVEL_2_REGIONS.iter().chain([&also_region]) {
            for size in LEVEL_2_SIZES.iter().chain([&largest]) {
                self.get(&format!("{region}/{size}/0/default.jpg")).await;
            }
        }
        for rotation in LEVEL_2_ROTATIONS {
            for last in ["default.jpg", "default.png", "color.jpg", "gray.jpg"] {
                self.get(&format!("full/50,/{rotation}/{last}")).await;
            }
        }
    }

    async fn serves(&self, qualities: &[&str], formats: &[&str], features: &[&str]) {
        for quality in qualities {
            for format in formats {
                self.get(&format!("full/20,/0/{quality}.{format}")).await;
            }
        }
        for feature in features {
            self.serves_feature(feature).await;
        }
    }

    async fn serves_feature(&self, feature: &str) {
        let parameters = match feature {
            "regionSquare" => "square/20,20/0/default.jpg",
            "mirroring" => "full/20,/!0/default.jpg",
            "rotationArbitrary" => "full/20,/22.5/default.png",
            "sizeUpscaling" => "full/^400,/0/default.jpg",
            "sizeAboveFull" => "full/400,/0/default.jpg",
            "canonicalLinkHeader" | "profileLinkHeader" => "full/20,/0/default.jpg",
            _ => panic!("{feature} is not known"),
        };
        let answer = self.get(parameters).await;
        if let Some(relation) = feature.strip_suffix("LinkHeader") {
            assert!(answer.link(relation).is_some(), "{feature}");
        }
    }
}

#[tokio::test]
async fn l01_level_2_of_3_0() {
    let server = Server::of_fixtures();
    for file in FILES {
        let service = Service::new(&server, 3, file);
        assert_eq!(service.information().await["profile"], "level2");
        service.serves_level_2("square", "max").await;
    }
}

#[tokio::test]
async fn l02_level_2_of_2_1() {
    let server = Server::of_fixtures();
    for file in FILES {
        let service = Service::new(&server, 2, file);
        service.serves_level_2("square", "full").await;
        service.get("full/max/0/bitonal.jpg").await;
    }
}

#[tokio::test]
async fn l01_l02_redirect_cors_and_json_ld() {
    let server = Server::of_fixtures();
    for version in [2, 3] {
        let base = format!("/iiif/{version}/chart.png");
        let redirect = server.get(&base).await;
        assert_eq!(redirect.status, 303);
        assert_eq!(redirect.header("access-control-allow-origin"), Some("*"));
        let accept = ("accept", "application/ld+json");
        let path = format!("{base}/info.json");
        let answer = server.send(axum::http::Method::GET, &path, &[accept]).await;
        let media_type = answer.header("content-type").unwrap();
        assert!(media_type.starts_with("application/ld+json"));
    }
}

#[tokio::test]
async fn l03_l04_what_3_0_declares_is_served() {
    let server = Server::of_fixtures();
    for file in FILES {
        let service = Service::new(&server, 3, file);
        let document = service.information().await;
        let qualities = [vec!["default"], strings(&document["extraQualities"])].concat();
        let formats = [vec!["jpg", "png"], strings(&document["extraFormats"])].concat();
        let features = strings(&document["extraFeatures"]);
        assert!(qualities.len() > 2 && formats.len() == 7 && features.len() == 5);
        service.serves(&qualities, &formats, &features).await;
    }
}

#[tokio::test]
async fn l03_l04_what_2_1_declares_is_served() {
    let server = Server::of_fixtures();
    for file in FILES {
        let service = Service::new(&server, 2, file);
        let document = service.information().await;
        let profile = &document["profile"][1];
        let qualities = [vec!["default", "bitonal"], strings(&profile["qualities"])].concat();
        let formats = [vec!["jpg", "png"], strings(&profile["formats"])].concat();
        let features = strings(&profile["supports"]);
        assert!(qualities.len() > 2 && formats.len() == 7 && features.len() == 6);
        service.serves(&qualities, &formats, &features).await;
    }
}

#[tokio::test]
async fn l04_declared_sizes_and_tiles_are_served_exactly() {
    let server = Server::of_fixtures();
    for file in FILES {
        for version in [2, 3] {
            let service = Service::new(&server, version, file);
            let document = service.information().await;
            for size in document["sizes"].as_array().unwrap() {
                let (width, height) = (
                    size["width"].as_u64().unwrap(),
                    size["height"].as_u64().unwrap(),
                );
                let parameters = format!("full/{width},{height}/0/default.png");
                assert_eq!(service.size(&parameters).await, (width, height));
            }
            for (parameters, size) in tiles(&document) {
                assert_eq!(service.size(&parameters).await, size, "{file} {parameters}");
            }
        }
    }
}

/// The request for every tile, and the size that it must have (Image API 3.0, implementation notes: "Tile regions").
fn tiles(document: &Value) -> Vec<(String, (u64, u64))> {
    let integer = |value: &Value| value.as_u64().unwrap();
    let (width, height) = (integer(&document["width"]), integer(&document["height"]));
    let mut requests = Vec::new();
    for tile in document["tiles"].as_array().unwrap() {
        for factor in integers(&tile["scaleFactors"]) {
            let across = (integer(&tile["width"]) * factor) as usize;
            let down = (integer(&tile["height"]) * factor) as usize;
            for y in (0..height).step_by(down) {
                for x in (0..width).step_by(across) {
                    let w = (width - x).min(across as u64);
                    let h = (height - y).min(down as u64);
                    let size = (w.div_ceil(factor), h.div_ceil(factor));
                    let parameters = format!("{x},{y},{w},{h}/{},{}/0/default.png", size.0, size.1);
                    requests.push((parameters, size));
                }
            }
        }
    }
    assert!(!requests.is_empty());
    requests
}

#[tokio::test]
async fn l05_the_document_never_changes() {
    for file in FILES {
        for version in [2, 3] {
            let path = format!("/iiif/{version}/{file}/info.json");
            let server = Server::of_fixtures();
            let first = server.get(&path).await;
            // Pixels that have been decoded since make no difference.
            let image = format!("/iiif/{version}/{file}/full/20,/0/default.jpg");
            server.get(&image).await.assert_ok();
            assert_eq!(server.get(&path).await.body, first.body);
            assert_eq!(Server::of_fixtures().get(&path).await.body, first.body);
        }
    }
}
