//! What is drawn on images, by way of rules.

use std::path::PathBuf;

use azulejo::access::config::RuleConfig;
use azulejo::config::Config;
use azulejo::http::{App, explain};
use azulejo::overlay::config::{OverlayConfig, Position};

use crate::server::{Picture, Server, fixtures};

fn logo() -> OverlayConfig {
    OverlayConfig {
        image: Some(fixtures("images").join("jpeg-orientation-6.jpg")),
        width: Some(0.25),
        inset: 4,
        min_width: 64,
        ..OverlayConfig::default()
    }
}

fn configure(config: &mut Config, overlay: OverlayConfig) {
    config.overlays.insert("logo".to_owned(), overlay);
    config.access.rules = vec![RuleConfig {
        open: true,
        overlays: vec!["logo".to_owned()],
        ..RuleConfig::default()
    }];
}

fn server(overlay: OverlayConfig) -> Server {
    Server::configured(fixtures("images"), |config| configure(config, overlay))
}

/// The smallest rectangle around all pixels that differ: left, top, right, bottom.
fn changed(a: &Picture, b: &Picture) -> Option<(u32, u32, u32, u32)> {
    assert_eq!(a.size(), b.size());
    let pixels = (0..).zip(a.pixels.iter().zip(&b.pixels));
    let differing = pixels.filter(|(_, (a, b))| a != b);
    let places = differing.map(|(index, _): (u32, _)| (index % a.width, index / a.width));
    places.fold(None, |found, (x, y)| {
        let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

/// It grows with the answer, stands at the same place of it, and is on tiles and turned answers alike.
#[tokio::test]
async fn it_stands_where_it_should_on_every_answer() {
    let (plain, marked) = (Server::of_fixtures(), server(logo()));
    for path in [
        "full/400,/0",
        "full/200,/0",
        "0,0,512,512/256,/0",
        "full/,400/90",
        "full/200,/!0",
    ] {
        let path = format!("/iiif/3/sample-azulejo.tif/{path}/default.png");
        let (a, b) = (plain.picture(&path).await, marked.picture(&path).await);
        let (left, top, right, bottom) = changed(&a, &b).unwrap();
        let quarter = a.width / 4;
        assert!(right < a.width - 4 && right + 8 >= a.width - 4, "{path}");
        assert!(
            bottom < a.height - 4 && bottom + 8 >= a.height - 4,
            "{path}"
        );
        assert!(
            left >= a.width - 4 - quarter && top > a.height / 3,
            "{path}"
        );
        assert_eq!(b.channels, a.channels, "{path}");
    }
    let small = "/iiif/3/sample-azulejo.tif/full/63,/0/default.png";
    assert_eq!(plain.picture(small).await, marked.picture(small).await);
}

/// The quality that is asked for holds for what is drawn, too.
#[tokio::test]
async fn gray_stays_gray_and_bitonal_bitonal() {
    let marked = server(OverlayConfig {
        text: Some("© Library".to_owned()),
        image: None,
        color: "#ff0000".parse().unwrap(),
        position: Position::Repeat,
        ..logo()
    });
    let get = async |quality: &str| {
        let path = format!("/iiif/3/sample-azulejo.tif/full/300,/0/{quality}.png");
        marked.picture(&path).await
    };
    let color = get("default").await;
    assert!(color.pixels.contains(&[255, 0, 0, 255]));
    assert_eq!(get("gray").await.channels, 1);
    let bitonal = get("bitonal").await;
    let is_bitonal = |pixel: &[u8; 4]| pixel[0] == 0 || pixel[0] == 255;
    assert!(bitonal.channels == 1 && bitonal.pixels.iter().all(is_bitonal));
}

/// Other settings are another answer, to caches too; and nothing is copied out of a file around it.
#[tokio::test]
async fn it_is_part_of_the_entity_tag() {
    let path = "/iiif/3/sample-azulejo.tif/0,0,512,512/512,512/0/default.jpg";
    let fainter = OverlayConfig {
        opacity: 0.5,
        ..logo()
    };
    let mut tags = Vec::new();
    for server in [Server::of_fixtures(), server(logo()), server(fainter)] {
        let answer = server.get(path).await;
        answer.assert_ok();
        let status = answer.header("cache-status").unwrap();
        assert_eq!(status.contains("copied"), tags.is_empty(), "{status}");
        tags.push(answer.header("etag").unwrap().to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 3);
}

/// Rather no server than one that shows images without their mark.
#[tokio::test]
async fn an_overlay_that_is_missing_is_an_error_at_the_start() {
    let start = |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.source.root = fixtures("images");
        configure(&mut config, logo());
        change(&mut config);
        App::new(&config).err().map(|error| error.to_string())
    };
    assert_eq!(start(|_| {}), None);
    let unnamed = start(|config| config.overlays.clear());
    assert!(unnamed.unwrap().contains("\"logo\""));
    let unread = start(|config| {
        let overlay = config.overlays.get_mut("logo").unwrap();
        overlay.image = Some(PathBuf::from("nowhere.png"));
    });
    assert!(unread.unwrap().starts_with("overlays.logo: "));
}

#[tokio::test]
async fn a_request_is_explained_with_what_is_shown() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.pyramids.enabled = false;
    configure(&mut config, logo());
    let app = App::new(&config).unwrap();
    let url = "/iiif/3/sample-azulejo.tif/0,0,512,512/max/0/default.jpg";
    let steps = explain(&app, url).unwrap().steps;
    assert_eq!(
        steps["image"]["view"]["overlays"],
        serde_json::json!(["logo"])
    );
    assert_ne!(steps["image"]["plan"]["strategy"], "copied");
}
