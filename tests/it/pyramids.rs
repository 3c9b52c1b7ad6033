//! Pyramids that are built for images without one: their tiles are those of the image, and nobody notices when one is
//! lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use azulejo::config::Config;
use azulejo::http::{App, explain};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Picture, Server, fixtures};

const TILE: &str = "/iiif/3/a.png/512,512,512,488/512,488/0/default.png";

/// A directory of images, and one for their pyramids.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        Self { folder }
    }

    fn images(&self) -> PathBuf {
        self.folder.path().join("images")
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("pyramids")
    }

    fn configure(&self, config: &mut Config) {
        config.source.root = self.images();
        config.pyramids.enabled = true;
        config.pyramids.directory = Some(self.store());
        config.pyramids.from = 1;
    }

    fn server(&self) -> Server {
        Server::configured(self.images(), |config| self.configure(config))
    }

    fn explain(&self, url: &str) -> Value {
        self.explain_from(1, url)
    }

    /// With pyramids for images of so many megapixels and more.
    fn explain_from(&self, from: u32, url: &str) -> Value {
        let mut config = Config::default();
        self.configure(&mut config);
        config.pyramids.from = from;
        explain(&App::new(&config).unwrap(), url).unwrap().steps["image"].take()
    }

    /// The pyramids that stand.
    fn pyramids(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.store()) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "tif"))
            .collect()
    }

    /// Waits until so many stand. They are built when nobody else has anything to do.
    async fn wait_for(&self, count: usize) {
        let start = Instant::now();
        while self.pyramids().len() < count {
            assert!(start.elapsed() < Duration::from_secs(900), "no pyramid");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn command(&self, paths: &[&Path]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_azulejo"))
            .arg("pyramid")
            .args(paths)
            .env_remove("AZULEJO_CONFIG")
            .env("AZULEJO_PYRAMIDS__DIRECTORY", self.store())
            .env("AZULEJO_PYRAMIDS__FROM", "1")
            .output()
            .unwrap()
    }
}

/// Of more than a megapixel; no two tiles are alike.
fn picture(seed: u32) -> Picture {
    Picture::new(1301, 1000, |x, y| {
        let value = x * 31 + y * 17 + seed;
        [x as u8, y as u8, (value % 251) as u8, 255 - (y / 8) as u8]
    })
}

#[tokio::test]
async fn later_tiles_come_from_the_pyramid_and_are_the_same() {
    let place = Place::new();
    picture(0).store(&place.images(), "a.png");
    let server = place.server();
    let information = server.get("/iiif/3/a.png/info.json").await;
    let first = server.get(TILE).await;
    assert_eq!(place.explain(TILE)["pyramid"], false);
    place.wait_for(1).await;
    let steps = place.explain(TILE);
    assert_eq!(steps["pyramid"], true);
    assert_eq!(steps["plan"]["strategy"], "as stored");

    let second = server.get(TILE).await;
    assert_ne!(second.header("etag"), first.header("etag"));
    assert_eq!(second.picture(), first.picture());
    assert_eq!(second.picture(), picture(0).cropped(512, 512, 512, 488));
    let again = server.get("/iiif/3/a.png/info.json").await;
    assert_eq!(again.body, information.body);
    assert_eq!(again.header("etag"), information.header("etag"));
}

/// Two gray pages of 1301x1000 that are not compressed, of one value each (TIFF 6.0, section 2).
fn two_pages(values: [u8; 2]) -> Vec<u8> {
    const PIXELS: u32 = 1301 * 1000;
    const DIRECTORY: u32 = 2 + 7 * 12 + 4;
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let strips = 8 + 2 * DIRECTORY;
    for page in 0..2 {
        bytes.extend(7_u16.to_le_bytes());
        let strip = strips + page * PIXELS;
        for (tag, value) in [
            (256, 1301),
            (257, 1000),
            (258, 8),
            (262, 1),
            (273, strip),
            (277, 1),
            (279, PIXELS),
        ] {
            const LONG: u16 = 4;
            bytes.extend([tag, LONG].map(u16::to_le_bytes).as_flattened());
            bytes.extend([1, value].map(u32::to_le_bytes).as_flattened());
        }
        let next = if page == 0 { 8 + DIRECTORY } else { 0 };
        bytes.extend(next.to_le_bytes());
    }
    for value in values {
        bytes.resize(bytes.len() + PIXELS as usize, value);
    }
    bytes
}

#[tokio::test]
async fn each_page_has_a_pyramid_of_its_own() {
    let place = Place::new();
    fs::write(place.images().join("a.tif"), two_pages([10, 20])).unwrap();
    let server = Server::configured(place.images(), |config| {
        place.configure(config);
        config.compatibility.meta_identifiers = true;
    });
    let value = async |identifier: &str| {
        let path = format!("/iiif/3/{identifier}/512,0,512,512/512,512/0/default.png");
        server.picture(&path).await.at(100, 100)[0]
    };
    for (number, identifier) in [(1, "a.tif;2"), (2, "a.tif")] {
        value(identifier).await;
        place.wait_for(number).await;
        assert_eq!((value("a.tif").await, value("a.tif;2").await), (10, 20));
    }
}

#[tokio::test]
async fn smaller_sizes_come_from_a_level() {
    let place = Place::new();
    picture(0).store(&place.images(), "a.png");
    let server = place.server();
    let path = "/iiif/3/a.png/full/651,500/0/default.png";
    server.get(TILE).await.assert_ok();
    place.wait_for(1).await;
    assert_eq!(place.explain(path)["plan"]["decode"]["level"], 1);
    let small = server.picture(path).await;
    let [.., alpha] = small.at(10, 400);
    assert_eq!(alpha, 255 - 100);
}

#[tokio::test]
async fn a_changed_image_does_not_use_the_old_pyramid() {
    let place = Place::new();
    picture(0).store(&place.images(), "a.png");
    let server = place.server();
    server.get(TILE).await.assert_ok();
    place.wait_for(1).await;
    picture(90).store(&place.images(), "a.png");
    assert_eq!(place.explain(TILE)["pyramid"], false);
    let wanted = picture(90).cropped(512, 512, 512, 488);
    assert_eq!(server.picture(TILE).await, wanted);
    place.wait_for(2).await;
    assert_eq!(place.explain(TILE)["pyramid"], true);
    assert_eq!(server.picture(TILE).await, wanted);
}

#[tokio::test]
async fn a_broken_pyramid_is_no_error_and_is_built_again() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        // The tiles, while the directories and the seal are whole.
        |bytes| bytes[100..20_000].fill(0x55),
        |bytes| bytes.truncate(30_000),
        |bytes| *bytes = b"something else".to_vec(),
    ];
    for damage in damages {
        let place = Place::new();
        picture(0).store(&place.images(), "a.png");
        let server = place.server();
        let tile = "/iiif/3/a.png/0,0,512,512/512,512/0/default.png";
        server.get(tile).await.assert_ok();
        place.wait_for(1).await;
        let [path] = &place.pyramids()[..] else {
            panic!("one pyramid");
        };
        let mut bytes = fs::read(path).unwrap();
        damage(&mut bytes);
        fs::write(path, &bytes).unwrap();
        let wanted = picture(0).cropped(0, 0, 512, 512);
        assert_eq!(server.picture(tile).await, wanted);
        place.wait_for(1).await;
        assert_ne!(fs::read(path).unwrap(), bytes, "built again");
        assert_eq!(server.picture(tile).await, wanted);
    }
}

/// Orientation, profile and inks are those of the image, and photographs change hardly.
#[tokio::test]
async fn photographs_and_turned_images_keep_their_looks() {
    const FILES: [&str; 6] = [
        "jpeg-420.jpg",
        "jpeg-orientation-6.jpg",
        "jpeg-orientation-7.jpg",
        "jpeg-icc-rgb.jpg",
        "jpeg-icc-cmyk.jpg",
        "png-rgba-16bit.png",
    ];
    let place = Place::new();
    for file in FILES {
        fs::copy(fixtures("images").join(file), place.images().join(file)).unwrap();
    }
    let server = Server::configured(place.images(), |config| {
        place.configure(config);
        config.pyramids.from = 0;
    });
    let paths = FILES.map(|file| format!("/iiif/3/{file}/3,5,80,50/80,50/0/default.png"));
    let mut before = Vec::new();
    for path in &paths {
        before.push(server.picture(path).await);
    }
    place.wait_for(FILES.len()).await;
    for ((file, path), before) in FILES.iter().zip(&paths).zip(before) {
        assert_eq!(place.explain_from(0, path)["pyramid"], true, "{path}");
        let difference = server.picture(path).await.difference(&before);
        let is_kept = file.contains("cmyk") || file.ends_with(".png");
        let allowed = if is_kept { 0 } else { 40 };
        assert!(difference <= allowed, "{file}: {difference}");
    }
}

/// It is sent as it is.
#[tokio::test]
async fn the_whole_image_comes_from_its_own_file() {
    let place = Place::new();
    let file = fixtures("images").join("sample-azulejo.jpg");
    fs::copy(&file, place.images().join("a.jpg")).unwrap();
    let server = place.server();
    let whole = "/iiif/3/a.jpg/full/max/0/default.jpg";
    let tile = "/iiif/3/a.jpg/512,0,512,512/512,512/0/default.jpg";
    let before = server.get(whole).await;
    server.get(tile).await.assert_ok();
    place.wait_for(1).await;
    assert_eq!(place.explain(tile)["pyramid"], true);
    assert_eq!(place.explain(whole)["pyramid"], false);
    let after = server.get(whole).await;
    assert_eq!(after.body, before.body);
    assert_eq!(after.header("etag"), before.header("etag"));
}

#[test]
fn the_command_builds_what_is_missing_for_the_server() {
    let place = Place::new();
    picture(0).store(&place.images(), "a.png");
    picture(1).store(&place.images(), "below/b.png");
    Picture::flat(30, 20, [1, 2, 3, 255]).store(&place.images(), "small.png");
    let summary = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();

    let one = place.command(&[&place.images().join("below/b.png")]);
    assert!(one.status.success(), "{one:?}");
    assert!(summary(&one).starts_with("1 built ("), "{one:?}");
    let all = place.command(&[&place.images()]);
    assert!(all.status.success(), "{all:?}");
    assert!(summary(&all).starts_with("1 built ("), "{all:?}");
    assert!(
        summary(&all).ends_with("1 stood already, 1 need none, 0 failed\n"),
        "{all:?}"
    );
    let again = place.command(&[&place.images()]);
    assert_eq!(
        summary(&again),
        "0 built (0 B), 2 stood already, 1 need none, 0 failed\n"
    );
    assert_eq!(place.pyramids().len(), 2);
    for url in [TILE, "/iiif/3/below%2Fb.png/info.json"] {
        assert_eq!(place.explain(url)["pyramid"], true, "{url}");
    }
}

#[test]
fn the_command_says_what_failed() {
    let place = Place::new();
    picture(0).store(&place.images(), "a.png");
    let mut cut = fs::read(place.images().join("a.png")).unwrap();
    cut.truncate(cut.len() / 2);
    fs::write(place.images().join("cut.png"), cut).unwrap();
    fs::write(place.images().join("empty.tif"), "").unwrap();
    let output = place.command(&[&place.images()]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(told.contains("2 failed"), "{told}");
    assert!(told.contains("cut.png: "), "{told}");
    assert!(
        told.contains("empty.tif: not an image of a known format"),
        "{told}"
    );
    assert_eq!(place.pyramids().len(), 1, "the sound one was built");
    assert_eq!(
        fs::read_dir(place.store()).unwrap().count(),
        1,
        "nothing is left"
    );
    let absent = place.command(&[Path::new("/no/such")]);
    assert_eq!(absent.status.code(), Some(1));
}
