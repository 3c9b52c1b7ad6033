//! ER: failures.

use std::fs;

use axum::http::Method;
use azulejo::config::Config;
use azulejo::decode::Limits;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, Server, fixtures};

/// A broken file: see `fixtures/corrupt.py`.
#[derive(Deserialize)]
struct Broken {
    file: String,
    refused: bool,
}

impl Broken {
    fn information(&self) -> String {
        format!("/iiif/3/{}/info.json", self.file)
    }

    fn image(&self) -> String {
        format!("/iiif/3/{}/full/max/0/default.jpg", self.file)
    }
}

fn broken() -> Vec<Broken> {
    serde_json::from_slice(&fs::read(fixtures("corrupt/manifest.json")).unwrap()).unwrap()
}

fn narrow(config: &mut Config) {
    config.decode = Limits {
        source_pixels: 1 << 32,
        decoded_bytes: 1 << 28,
        ..Limits::DEFAULT
    };
}

/// The broken files and a whole one, in a directory whose name nothing else contains.
fn broken_and_whole() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    for file in broken().iter().map(|broken| &broken.file) {
        fs::copy(fixtures("corrupt").join(file), folder.path().join(file)).unwrap();
    }
    fs::copy(
        fixtures("images/chart.png"),
        folder.path().join("chart.png"),
    )
    .unwrap();
    let server = Server::configured(folder.path(), narrow);
    (folder, server)
}

fn is_text(answer: &Answer) -> bool {
    answer.header("content-type") == Some("text/plain; charset=utf-8")
}

#[tokio::test]
async fn er01_wrong_parameters() {
    let server = Server::of_fixtures();
    for parameters in [
        "ful/max/0/default.jpg",
        "full/maximum/0/default.jpg",
        "full/max/north/default.jpg",
        "full/max/0/sepia.jpg",
        "full/max/0/default.bmp",
    ] {
        for version in [2, 3] {
            let answer = server
                .get(&format!("/iiif/{version}/chart.png/{parameters}"))
                .await;
            assert_eq!(answer.status, 400, "{parameters}");
        }
    }
}

#[tokio::test]
async fn er02_unknown_identifiers() {
    let server = Server::of_fixtures();
    for below in [
        "no.png",
        "no.png/info.json",
        "no.png/full/max/0/default.jpg",
    ] {
        for version in [2, 3] {
            let answer = server.get(&format!("/iiif/{version}/{below}")).await;
            assert_eq!(answer.status, 404, "{below}");
            assert!(answer.text().contains("no.png"));
        }
    }
}

#[tokio::test]
async fn er04_enlarging_where_it_is_switched_off() {
    let server = Server::configured(fixtures("images"), |config| config.image.upscaling = false);
    let status = async |size| {
        let path = format!("/iiif/3/chart.png/full/{size}/0/default.jpg");
        server.status(&path).await
    };
    assert_eq!(status("^400,").await, 501);
    assert_eq!(status("^200,").await, 200);
}

#[tokio::test]
async fn er05_broken_files_are_500_and_the_next_request_works() {
    let (_folder, server) = broken_and_whole();
    for broken in broken() {
        let answer = server.get(&broken.image()).await;
        if broken.refused {
            assert_eq!(answer.status, 500, "{}", broken.file);
            assert!(is_text(&answer));
            let start = format!("the image \"{}\" cannot be read: ", broken.file);
            assert!(answer.text().starts_with(&start), "{}", answer.text());
        } else {
            answer.picture();
        }
        let next = "/iiif/3/chart.png/0,0,20,20/max/0/default.png";
        assert_eq!(server.picture(next).await.size(), (20, 20));
    }
}

#[tokio::test]
async fn er06_no_paths_in_texts() {
    let (folder, server) = broken_and_whole();
    let needle = folder.path().file_name().unwrap().to_str().unwrap();
    let mut paths: Vec<String> = broken()
        .iter()
        .flat_map(|broken| [broken.information(), broken.image()])
        .collect();
    paths.extend(
        ["no.png", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd"]
            .map(|identifier| format!("/iiif/3/{identifier}/info.json")),
    );
    for path in paths {
        let answer = server.get(&path).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(needle), "{path}");
        assert!(!text.contains("src/"), "{path}");
    }
}

#[tokio::test]
async fn er06_json_where_it_is_preferred() {
    let server = Server::of_fixtures();
    for (path, status) in [
        ("/iiif/3/no.png/info.json", 404),
        ("/iiif/3/chart.png/full/0,/0/default.jpg", 400),
        ("/elsewhere", 404),
    ] {
        let accept = ("accept", "application/json");
        let answer = server.send(Method::GET, path, &[accept]).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["status"], json!(status));
        assert!(!body["error"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn er07_unknown_identifier_and_wrong_parameters() {
    let path = "/iiif/3/no.png/a/b/c/d.jpg";
    assert_eq!(Server::of_fixtures().status(path).await, 400);
}

#[tokio::test]
async fn er08_er09_failures_are_texts_that_are_not_stored() {
    let (_folder, server) = broken_and_whole();
    for path in [
        "/iiif/3/no.png/full/max/0/default.jpg",
        "/iiif/3/chart.png/full/max/0/default.bmp",
        "/iiif/3/text.jpg/full/max/0/default.jpg",
        "/iiif/3/truncated-chart.png/full/max/0/default.jpg",
    ] {
        let answer = server.get(path).await;
        assert!(answer.status.as_u16() >= 400, "{path}");
        assert!(is_text(&answer), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("etag"), None);
        assert_eq!(answer.header("link"), None);
    }
}

/// A file of which not even the header can be read fails in one way; where only the pixels are broken, `info.json` can
/// still be told.
#[tokio::test]
async fn er10_information_fails_as_images_do() {
    let (_folder, server) = broken_and_whole();
    let mut failed = 0;
    for broken in broken() {
        let information = server.get(&broken.information()).await;
        if information.status != 200 {
            let image = server.get(&broken.image()).await;
            assert_eq!(information.status, image.status, "{}", broken.file);
            assert_eq!(information.body, image.body, "{}", broken.file);
            failed += 1;
        }
    }
    assert!(failed > 15, "only {failed} of the headers are broken");
}

#[tokio::test]
async fn what_takes_too_long_is_504() {
    let server = Server::configured(fixtures("images"), |config| {
        config.server.request_timeout = 0;
    });
    let path = "/iiif/3/sample-azulejo.tif/full/max/0/default.png";
    let answer = server.get(path).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}
