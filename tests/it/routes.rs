//! Rules from identifiers to images, as clients see them.

use std::fs;

use azulejo::config::{Config, Layers};
use azulejo::http::{App, explain};
use serde_json::json;
use tempfile::TempDir;

use crate::server::{Server, fixtures};

/// A server whose only settings are these rules; `IMAGES` stands for the images of the fixtures.
fn server(rules: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("azulejo.toml");
    let images = fixtures("images");
    fs::write(&file, rules.replace("IMAGES", images.to_str().unwrap())).unwrap();
    let layers = Layers {
        file: Some(file),
        ..Layers::default()
    };
    let loaded = Config::load(&layers).unwrap();
    let server = Server::configured(images, |config| {
        config.sources = loaded.config.sources;
        config.routes = loaded.config.routes;
    });
    (server, folder)
}

#[tokio::test]
async fn f001_1_identifiers_with_parts() {
    let (server, _folder) = server(
        "[sources.files.buckets]\nroot = 'IMAGES'\n\
         [[routes]]\nidentifier = '{bucket}:{version}:{key}'\nsource = 'buckets'\nkeys = ['{key}']",
    );
    let information = server.json("/iiif/3/b1:v1:chart.png/info.json").await;
    let id = "http://images.example.org/iiif/3/b1:v1:chart.png";
    assert_eq!(information["id"], id);
    server
        .picture("/iiif/3/b1%3Av1%3Achart.png/full/10,/0/default.png")
        .await;
    assert_eq!(server.status("/iiif/3/chart.png/info.json").await, 404);
}

#[tokio::test]
async fn a_rule_has_limits_and_headers_of_its_own() {
    let (server, _folder) = server(
        "[[routes]]\nidentifier = 'small:{path}'\nkeys = ['{path}']\nmax_width = 40\nmax_height = 30\n\
         cache_control = 'private, max-age=60'\n[[routes]]",
    );
    let small = server.get("/iiif/3/small:chart.png/info.json").await;
    assert_eq!(small.header("cache-control"), Some("private, max-age=60"));
    let information = small.json();
    assert_eq!(information["maxWidth"], 40);
    assert_eq!(information["maxHeight"], 30);
    let usual = server.json("/iiif/3/chart.png/info.json").await;
    assert_eq!(usual["maxWidth"], 65_500);

    let largest = server
        .picture("/iiif/3/small:chart.png/full/max/0/default.png")
        .await;
    assert!(largest.width <= 40 && largest.height <= 30);
    let refused = server
        .status("/iiif/3/small:chart.png/full/41,/0/default.png")
        .await;
    assert_eq!(refused, 400);
    assert_eq!(
        server
            .status("/iiif/3/chart.png/full/41,/0/default.png")
            .await,
        200
    );
}

/// Both are one image: what is in the cache for one of them must not widen the limits of the other.
#[tokio::test]
async fn limits_hold_whatever_is_in_the_cache() {
    let (server, _folder) = server(
        "[[routes]]\nidentifier = 'small:{path}'\nkeys = ['{path}']\nmax_width = 40\n[[routes]]",
    );
    for _ in 0..2 {
        assert_eq!(
            server
                .status("/iiif/3/chart.png/full/60,/0/default.png")
                .await,
            200
        );
        server.settle().await;
        let refused = server
            .status("/iiif/3/small:chart.png/full/60,/0/default.png")
            .await;
        assert_eq!(refused, 400);
    }
}

/// What is largest for the one is not for the other.
#[tokio::test]
async fn the_largest_size_is_that_of_the_rule_whatever_is_in_the_cache() {
    let rules =
        "[[routes]]\nidentifier = 'small:{path}'\nkeys = ['{path}']\nmax_width = 40\n[[routes]]";
    for order in [
        ["small:chart.png", "chart.png"],
        ["chart.png", "small:chart.png"],
    ] {
        let (server, _folder) = server(rules);
        for identifier in order.into_iter().chain(order) {
            let path = format!("/iiif/3/{identifier}/full/max/0/default.png");
            let width = server.picture(&path).await.width;
            server.settle().await;
            let expected = if identifier.starts_with("small") {
                40
            } else {
                301
            };
            assert_eq!(width, expected, "{identifier}");
        }
    }
}

#[tokio::test]
async fn images_keep_the_address_that_they_were_published_under() {
    let (server, _folder) = server(
        "[[routes]]\nidentifier = 'old:{path}'\nkeys = ['{path}']\npublic_url = 'https://old.example.org/loris'\n\
         [[routes]]",
    );
    let address = "https://old.example.org/loris/iiif/2/old:chart.png";
    let information = server.json("/iiif/2/old:chart.png/info.json").await;
    assert_eq!(information["@id"], address);
    let image = server
        .get("/iiif/2/old:chart.png/full/10,/0/default.png")
        .await;
    let link = image.header("link").unwrap();
    assert!(
        link.starts_with(&format!("<{address}/full/10,/0/default.png>")),
        "{link}"
    );
    let base = server.get("/iiif/2/old:chart.png").await;
    let expected = format!("{address}/info.json");
    assert_eq!(base.header("location"), Some(expected.as_str()));
}

#[tokio::test]
async fn absent_everywhere_is_404_and_says_so() {
    let (server, _folder) = server("[[routes]]\nidentifier = 'x:{path}'\nkeys = ['{path}']");
    for path in ["/iiif/3/x:absent/info.json", "/iiif/3/chart.png/info.json"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let listing = server.send(
        axum::http::Method::GET,
        "/",
        &[("accept", "application/json")],
    );
    assert_ne!(
        listing.await.json(),
        json!(null),
        "the directory is still listed"
    );
}

/// What did not match is wanted most where nothing did.
#[test]
fn explain_shows_the_rules_of_an_image_that_is_not_there() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    let app = App::new(&config).unwrap();
    let explained = explain(&app, "/iiif/3/absent/info.json").unwrap();
    let rule = &explained.steps["routes"]["rules"][0];
    assert_eq!(rule["matches"], true);
    assert_eq!(rule["outcome"], "there is no image \"absent\"");
    assert!(explained.ended.is_some());
    let explained = explain(&app, "/iiif/3/chart.png/info.json").unwrap();
    assert!(explained.ended.is_none());
    assert_eq!(explained.steps["image"]["source"]["location"], "chart.png");
}
