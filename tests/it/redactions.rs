//! What is painted over is seen by nobody: two images that differ only in what is hidden are answered alike.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use azulejo::access::config::RuleConfig;
use azulejo::config::Config;
use azulejo::error::Error;
use azulejo::iiif::{Identifier, ImageRequest, Version};
use azulejo::pipeline::{Caching, Pipeline};
use azulejo::view::{Redaction, View};
use serde_json::json;
use tempfile::TempDir;

use crate::scripted_service::{Reply, ScriptedService};
use crate::server::{Picture, Server, bytes, fixtures};

/// Pixels of the images that are made here.
const SIZE: (u32, u32) = (480, 360);
/// What is hidden of them: at no tile's or block's border.
const HIDDEN: (u32, u32, u32, u32) = (207, 151, 59, 43);

const REQUESTS: [&str; 16] = [
    "full/max/0/default.png",
    "full/240,/0/default.png",
    "full/200,/0/default.png",
    "full/60,/!90/default.png",
    "full/41,/0/default.png",
    "full/3,/0/default.png",
    "full/1,1/0/default.png",
    "full/240,/0/bitonal.png",
    "full/53,/22.5/gray.png",
    "200,140,64,64/^100,/180/default.png",
    "207,151,59,43/max/0/default.png",
    "190,130,17,21/max/0/default.png",
    "190,130,18,22/^80,/0/default.png",
    "264,192,40,40/10,/0/default.png",
    "0,0,480,151/120,/0/default.png",
    "256,128,128,128/64,/270/default.png",
];

fn is_hidden(x: u32, y: u32) -> bool {
    let (left, top, width, height) = HIDDEN;
    (left..left + width).contains(&x) && (top..top + height).contains(&y)
}

/// Everywhere the same but in what is to be hidden: that is red and black, or green and white.
fn image(secret: u32) -> Picture {
    Picture::new(SIZE.0, SIZE.1, |x, y| {
        let texture = ((x * 7 + y * 13) % 32) as u8;
        let squares = (x / 3 + y / 5 + secret).is_multiple_of(2);
        match (is_hidden(x, y), secret, squares) {
            (false, _, _) => [(x / 3) as u8 + texture, (y / 3) as u8 + texture, 90, 255],
            (true, 0, true) => [255, 0, 0, 255],
            (true, 0, false) => [0, 0, 0, 255],
            (true, _, true) => [0, 255, 0, 255],
            (true, _, false) => [255, 255, 255, 255],
        }
    })
}

/// Both images in every format that can be written, in two folders.
async fn sources() -> [TempDir; 2] {
    let folders = [0, 1].map(|secret| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), image(secret).to_png()).unwrap();
        folder
    });
    for folder in &folders {
        let server = Server::over(folder.path());
        for format in ["jpg", "tif", "jp2", "webp"] {
            let path = format!("/iiif/3/a.png/full/max/0/default.{format}");
            store(
                folder,
                &format!("a.{format}"),
                &server.get(&path).await.body,
            );
        }
        for quality in ["gray", "bitonal"] {
            let path = format!("/iiif/3/a.png/full/max/0/{quality}.png");
            store(
                folder,
                &format!("{quality}.png"),
                &server.get(&path).await.body,
            );
        }
        for orientation in [3, 6, 7] {
            let jpeg = fs::read(folder.path().join("a.jpg")).unwrap();
            let name = format!("turned-{orientation}.jpg");
            store(folder, &name, &turned(&jpeg, orientation));
        }
    }
    folders
}

fn store(folder: &TempDir, name: &str, bytes: &[u8]) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

/// A JPEG with an EXIF segment that says how it is to be turned (Exif 3.0, 4.6.4).
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = (2 + 6 + tiff.len() as u16).to_be_bytes();
    let segment = [&[0xFF, 0xE1][..], &length, b"Exif\0\0", &tiff].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

/// The hidden rectangle, upright, as a turned image has it.
fn hidden(orientation: u8) -> String {
    let ((w, h), (x, y, width, height)) = (SIZE, HIDDEN);
    let (right, below) = (w - x - width, h - y - height);
    match orientation {
        3 => format!("{right},{below},{width},{height}"),
        6 => format!("{below},{x},{height},{width}"),
        7 => format!("{below},{right},{height},{width}"),
        _ => format!("{x},{y},{width},{height}"),
    }
}

fn redaction(region: &str) -> Redaction {
    Redaction {
        region: region.parse().unwrap(),
        color: "#102030".parse().unwrap(),
    }
}

fn view(orientation: u8) -> Arc<View> {
    Arc::new(View {
        redactions: vec![redaction(&hidden(orientation))],
        ..View::default()
    })
}

fn pipeline(root: &Path, change: impl FnOnce(&mut Config)) -> Pipeline {
    let mut config = Config::default();
    config.source.root = root.to_owned();
    config.pyramids.enabled = false;
    change(&mut config);
    Pipeline::new(&config, None, None).unwrap()
}

fn request(name: &str, parameters: &str) -> ImageRequest {
    let identifier = Identifier::new(name.to_owned()).unwrap();
    let parameters: Vec<&str> = parameters.split('/').collect();
    let segments = parameters.try_into().unwrap();
    ImageRequest::parse(Version::V3, identifier, segments).unwrap()
}

async fn picture(pipeline: &Pipeline, name: &str, parameters: &str, view: &Arc<View>) -> Picture {
    let asked = request(name, parameters);
    let prepared = pipeline.prepare(asked, Arc::clone(view), Caching::Use, true);
    let prepared = prepared.await.unwrap_or_else(|error| panic!("{error}"));
    let answer = pipeline.render(prepared, Caching::Use).await;
    Picture::from_png(&bytes(answer.ok().unwrap()))
}

/// The largest difference between the answers for both images, of all requests.
async fn difference(pipelines: &[Pipeline; 2], name: &str, view: &Arc<View>) -> u8 {
    let mut largest = 0;
    for parameters in REQUESTS {
        let [a, b] = pipelines;
        let one = picture(a, name, parameters, view).await;
        let other = picture(b, name, parameters, view).await;
        let apart = one.difference(&other);
        if apart > 0 {
            eprintln!("{name}/{parameters}: {apart}");
        }
        largest = largest.max(apart);
    }
    largest
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_what_is_hidden_is_seen() {
    let folders = sources().await;
    let pipelines = folders.each_ref().map(|it| pipeline(it.path(), |_| {}));
    for (name, orientation) in [
        ("a.png", 1),
        ("gray.png", 1),
        ("bitonal.png", 1),
        ("a.tif", 1),
        ("a.jpg", 1),
        ("turned-3.jpg", 3),
        ("turned-6.jpg", 6),
        ("turned-7.jpg", 7),
    ] {
        let seen = difference(&pipelines, name, &view(orientation)).await;
        assert_eq!(seen, 0, "{name}");
        let [a, b] = &pipelines;
        let a = picture(a, name, REQUESTS[0], &View::whole()).await;
        let b = picture(b, name, REQUESTS[0], &View::whole()).await;
        assert!(a.difference(&b) > 100, "{name}: they do differ");
    }
}

/// Where an encoder has made one part of the file depend on another, what is left is noise.
#[tokio::test(flavor = "multi_thread")]
async fn what_encoders_spread_is_hardly_seen() {
    let folders = sources().await;
    let pipelines = folders.each_ref().map(|it| pipeline(it.path(), |_| {}));
    for (name, most) in [("a.jp2", 12), ("a.webp", 24)] {
        let seen = difference(&pipelines, name, &view(1)).await;
        assert!(seen <= most, "{name}: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pyramids_and_smaller_versions_are_redacted_too() {
    let folders = sources().await;
    let stores = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let pipelines = [0, 1].map(|secret| {
        pipeline(folders[secret].path(), |config| {
            config.pyramids.enabled = true;
            config.pyramids.directory = Some(stores[secret].path().to_owned());
            config.pyramids.from = 0;
        })
    });
    for pipeline in &pipelines {
        pipeline.start();
        let tile = "256,128,128,128/max/0/default.png";
        picture(pipeline, "a.png", tile, &View::whole()).await;
        let begun = Instant::now();
        while pipeline.built().pyramids == 0 {
            assert!(begun.elapsed() < Duration::from_secs(900), "no pyramid");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(difference(&pipelines, "a.png", &view(1)).await, 0);
    let smaller = View {
        largest: std::num::NonZeroU32::new(479),
        ..(*view(1)).clone()
    };
    let requests = ["full/max/0/default.png", "200,140,90,90/30,/0/default.png"];
    for parameters in requests {
        let [a, b] = &pipelines;
        let smaller = Arc::new(smaller.clone());
        let one = picture(a, "a.png", parameters, &smaller).await;
        assert_eq!(one, picture(b, "a.png", parameters, &smaller).await);
    }
}

/// Just what is to be hidden is, where nothing is coded together; and never much more.
#[tokio::test(flavor = "multi_thread")]
async fn all_else_is_seen_as_it_is() {
    let folders = sources().await;
    let all = pipeline(folders[0].path(), |_| {});
    let whole = picture(&all, "a.png", REQUESTS[0], &View::whole()).await;
    let seen = picture(&all, "a.png", REQUESTS[0], &view(1)).await;
    let wanted = Picture::new(SIZE.0, SIZE.1, |x, y| match is_hidden(x, y) {
        true => [0x10, 0x20, 0x30, 255],
        false => whole.at(x, y),
    });
    assert_eq!(seen.pixels, wanted.pixels);
    for (name, level) in [("a.jpg", 1), ("a.tif", 1), ("a.webp", 1), ("a.jp2", 4)] {
        let size = format!("full/{},/0/default.png", SIZE.0 / level);
        let whole = picture(&all, name, &size, &View::whole()).await;
        let seen = picture(&all, name, &size, &view(1)).await;
        let hidden = whole.pixels.iter().zip(&seen.pixels);
        let hidden = hidden.filter(|(whole, seen)| whole != seen).count() as u32;
        let (width, height) = (HIDDEN.2 / level + 80, HIDDEN.3 / level + 50);
        assert!(hidden >= HIDDEN.2 * HIDDEN.3 / level / level, "{name}");
        assert!(hidden <= width * height, "{name}: {hidden}");
    }
}

/// What was decoded for one who may see it is kept; it is not what others see, nor do they spoil it.
#[tokio::test(flavor = "multi_thread")]
async fn pixels_that_are_kept_stay_as_they_are() {
    let folders = sources().await;
    for name in ["a.png", "a.jpg", "a.jp2"] {
        let all = pipeline(folders[0].path(), |_| {});
        let first = picture(&all, name, "full/60,/0/default.png", &View::whole()).await;
        let seen = picture(&all, name, "full/61,/0/default.png", &view(1)).await;
        let again = picture(&all, name, "full/60,/0/default.png", &view(1)).await;
        for seen in [seen, again] {
            let middle = seen.at(29, 21);
            let hidden = [0x10, 0x20, 0x30, 255];
            let apart = middle.iter().zip(hidden).map(|(a, b)| a.abs_diff(b));
            assert!(apart.max() <= Some(8), "{name}: {middle:?}");
        }
        let fresh = pipeline(folders[0].path(), |_| {});
        picture(&fresh, name, "full/61,/0/default.png", &view(1)).await;
        let whole = picture(&fresh, name, "full/60,/0/default.png", &View::whole()).await;
        assert_eq!(whole, first, "{name}");
    }
}

/// A redaction that was meant for another image hides nothing: then nothing is shown.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_a_redaction_does_not_fit_is_not_shown() {
    let all = pipeline(&fixtures("images"), |_| {});
    for region in ["90000,0,10,10", "0,90000,10,10"] {
        let view = Arc::new(View {
            redactions: vec![redaction("0,0,1,1"), redaction(region)],
            ..View::default()
        });
        let asked = request("chart.png", "full/max/0/default.png");
        let refused = all.prepare(asked, view, Caching::Use, true).await;
        assert!(matches!(refused, Err(Error::Internal(_))), "{region}");
    }
}

/// Stored bytes are never the answer where anything of the image is hidden.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_copied_out_of_the_file() {
    let all = pipeline(&fixtures("images"), |_| {});
    let tile = "512,512,512,512/512,512/0/default.jpg";
    let plan = async |view: Arc<View>| {
        let asked = request(
            "tiff-tiled-jpeg-ycbcr-420.tif",
            "0,0,128,128/max/0/default.jpg",
        );
        let large = request("sample-azulejo.tif", tile);
        let mut copied = Vec::new();
        for asked in [asked, large] {
            let prepared = all.prepare(asked, view.clone(), Caching::Use, true).await;
            copied.push(prepared.ok().unwrap().plan.is_copied());
        }
        copied
    };
    assert!(plan(View::whole()).await.contains(&true));
    let elsewhere = View {
        redactions: vec![redaction("0,0,1,1")],
        ..View::default()
    };
    assert_eq!(plan(Arc::new(elsewhere)).await, [false, false]);
}

/// By way of a rule, to everybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_hides_a_part_of_its_images() {
    let server = Server::configured(fixtures("images"), |config| {
        config.access.rules = vec![RuleConfig {
            identifiers: vec!["chart{rest}".parse().unwrap()],
            open: true,
            redactions: vec![redaction("pct:0,0,50,50")],
            ..RuleConfig::default()
        }];
    });
    let seen = server
        .picture("/iiif/3/chart.png/full/max/0/default.png")
        .await;
    let (width, height) = seen.size();
    assert_eq!(seen.at(width / 4, height / 4), [0x10, 0x20, 0x30, 255]);
    let open = Server::of_fixtures();
    let plain = open.get("/iiif/3/chart.png/full/max/0/default.png").await;
    let corner = (width - 1, height - 1);
    assert_eq!(
        seen.at(corner.0, corner.1),
        plain.picture().at(corner.0, corner.1)
    );
    let hidden = server.get("/iiif/3/chart.png/full/max/0/default.png").await;
    assert_ne!(hidden.header("etag"), plain.header("etag"));
    assert_eq!(hidden.status, StatusCode::OK);
}

/// The service that is asked outside may hide parts, too, besides those that the rule hides.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_from_outside_hides_and_marks() {
    let reply =
        json!({"allow": true, "redactions": [{"region": "pct:50,50,50,50", "color": "#00ff00"}]});
    let service = ScriptedService::start(Reply::json(reply)).await;
    let server = Server::configured(fixtures("images"), |config| {
        config.access.external.url = Some(service.url.clone());
        config.access.external.cache_seconds = 0;
        config.access.rules = vec![RuleConfig {
            external: true,
            redactions: vec![redaction("pct:0,0,50,50")],
            ..RuleConfig::default()
        }];
    });
    let path = "/iiif/3/chart.png/full/max/0/default.png";
    let seen = server.picture(path).await;
    let (width, height) = seen.size();
    assert_eq!(seen.at(width / 4, height / 4), [0x10, 0x20, 0x30, 255]);
    assert_eq!(seen.at(width / 4 * 3, height / 4 * 3), [0, 255, 0, 255]);
    service.answers(Reply::json(json!({"allow": true})));
    let seen = server.picture(path).await;
    assert_eq!(seen.at(width / 4, height / 4), [0x10, 0x20, 0x30, 255]);
    assert_ne!(seen.at(width / 4 * 3, height / 4 * 3), [0, 255, 0, 255]);
    let unfit = json!({"allow": true, "redactions": [{"region": "90000,0,9,9"}]});
    service.answers(Reply::json(unfit));
    assert_eq!(server.status(path).await, 500);
}
