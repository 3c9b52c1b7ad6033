//! Derivatives are made once and kept, and what is kept is never a wrong answer.

use std::fs;
use std::path::{Path, PathBuf};

use axum::http::Method;
use azulejo::config::Config;
use azulejo::pipeline::{Caching, Pipeline};
use azulejo::view::View;

use crate::admin::{TOKEN, WITH_TOKEN};
use crate::server::{Answer, Server, bytes, fixtures};

const SCALED: &str = "/iiif/3/chart.png/full/20,/0/default.png";

fn status(answer: &Answer) -> &str {
    answer.header("cache-status").unwrap()
}

#[tokio::test]
async fn the_second_answer_comes_from_memory_and_is_the_same() {
    let server = Server::of_fixtures();
    let made = server.get(SCALED).await;
    let kept = server.get(SCALED).await;
    assert_eq!(status(&made), "azulejo; fwd=miss");
    assert_eq!(status(&kept), "azulejo; hit; detail=memory");
    assert_eq!(made.body, kept.body);
    assert_eq!(made.header("etag"), kept.header("etag"));
}

/// Spellings of one canonical request, and both versions, share an entry; a query string never makes another.
#[tokio::test]
async fn spellings_and_queries_make_no_second_entry() {
    let server = Server::of_fixtures();
    let chart = server.json("/iiif/3/chart.png/info.json").await;
    let (width, height) = (chart["width"].as_u64(), chart["height"].as_u64());
    let (width, height) = (width.unwrap(), height.unwrap());
    let made = server.get(SCALED).await;
    for spelling in [
        format!("/iiif/3/chart.png/0,0,{width},{height}/20,/0/default.png"),
        "/iiif/3/chart.png/pct:0,0,100,100/20,/0/color.png".to_owned(),
        "/iiif/2/chart.png/full/20,/0/default.png".to_owned(),
        format!("{SCALED}?cache=false"),
        format!("{SCALED}?{}", "x".repeat(100)),
    ] {
        let kept = server.get(&spelling).await;
        assert_eq!(status(&kept), "azulejo; hit; detail=memory", "{spelling}");
        assert_eq!(kept.body, made.body, "{spelling}");
    }
}

#[tokio::test]
async fn a_changed_image_is_served_new_at_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chart.png");
    fs::copy(fixtures("images/chart.png"), &file).unwrap();
    let server = Server::over(folder.path());
    let before = server.get(SCALED).await;
    fs::copy(fixtures("images/png-gray.png"), &file).unwrap();
    let after = server.get(SCALED).await;
    assert_eq!(status(&after), "azulejo; fwd=miss");
    assert_ne!(after.body, before.body);
    fs::remove_file(&file).unwrap();
    assert_eq!(server.status(SCALED).await, 404, "kept or not");
}

#[tokio::test]
async fn without_the_layer_everything_is_made_anew() {
    let server = Server::configured(fixtures("images"), |config| {
        config.cache.memory.enabled = false;
    });
    for _ in 0..2 {
        assert_eq!(status(&server.get(SCALED).await), "azulejo; fwd=miss");
    }
}

#[tokio::test]
async fn a_repaired_image_is_served_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chart.png");
    let good = fs::read(fixtures("images/chart.png")).unwrap();
    let modified = std::time::SystemTime::UNIX_EPOCH;
    let write = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let file = fs::File::options().write(true).open(&file).unwrap();
        file.set_modified(modified).unwrap();
    };
    let mut broken = good.clone();
    let end = broken.len() - 20;
    broken[end / 2..end].fill(0);
    let server = Server::over(folder.path());
    write(&broken);
    assert_eq!(server.status(SCALED).await, 500);
    write(&good);
    assert_eq!(server.status(SCALED).await, 200);
}

/// The second server has only the cache to answer from: of the file it sees size and time, and nothing else is right.
#[tokio::test]
async fn what_is_in_the_cache_is_served_without_opening_the_image() {
    let images = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let file = images.path().join("chart.png");
    fs::copy(fixtures("images/chart.png"), &file).unwrap();
    let server = || {
        Server::configured(images.path(), |config| {
            config.cache.disk.directory = Some(kept.path().to_owned());
        })
    };
    let information = "/iiif/3/chart.png/info.json";
    let first = server();
    let made = (first.get(SCALED).await, first.get(information).await);
    first.settle().await;
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let length = fs::metadata(&file).unwrap().len();
    fs::write(&file, vec![0; usize::try_from(length).unwrap()]).unwrap();
    let written = fs::File::options().write(true).open(&file).unwrap();
    written.set_modified(modified).unwrap();
    let second = server();
    let found = second.get(SCALED).await;
    assert_eq!(status(&found), "azulejo; hit; detail=disk");
    assert_eq!(found.body, made.0.body);
    assert_eq!(found.header("etag"), made.0.header("etag"));
    assert_eq!(second.get(information).await.body, made.1.body);
    let other = "/iiif/3/chart.png/full/19,/0/default.png";
    assert_eq!(second.status(other).await, 500, "it is really broken");
    assert_eq!(
        second.get(SCALED).await.status,
        200,
        "what is kept is served still"
    );
}

/// All entries below a directory of the cache.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = below.partition(|path| path.is_dir());
    folders
        .iter()
        .flat_map(|folder| entries(folder))
        .chain(files)
        .collect()
}

/// From the number of a record and what it was to what lies there instead.
type Change<'a> = dyn Fn(usize, &[u8]) -> Vec<u8> + 'a;

#[tokio::test]
async fn nothing_that_is_broken_on_disk_reaches_a_client() {
    let kept = tempfile::tempdir().unwrap();
    let server = Server::configured(fixtures("images"), |config| {
        config.cache.memory.enabled = false;
        config.cache.disk.directory = Some(kept.path().to_owned());
    });
    let other = "/iiif/3/chart.png/full/19,/0/default.png";
    let right = server.get(SCALED).await;
    let foreign = server.get(other).await;
    assert_ne!(foreign.body, right.body);
    server.settle().await;
    let entries = entries(&kept.path().join("entries"));
    assert_eq!(entries.len(), 3, "the header and two images");
    let records: Vec<_> = entries.iter().map(|path| fs::read(path).unwrap()).collect();
    let write = |change: &Change| {
        for (number, path) in entries.iter().enumerate() {
            fs::write(path, change(number, &records[number])).unwrap();
        }
    };
    let flipped = |at: usize| {
        move |_: usize, record: &[u8]| {
            let mut record = record.to_vec();
            record[at] ^= 1;
            record
        }
    };
    let changes: [(&str, &Change); 9] = [
        ("mark", &flipped(0)),
        ("image", &flipped(8)),
        ("entry", &flipped(24)),
        ("time", &flipped(40)),
        ("length", &flipped(48)),
        ("checksum", &flipped(56)),
        ("body", &flipped(70)),
        ("truncated", &|_, record| {
            record[..record.len() - 1].to_vec()
        }),
        ("another's", &|number, _| records[(number + 1) % 3].clone()),
    ];
    for (what, change) in changes {
        server.settle().await;
        write(change);
        for (path, expected) in [(SCALED, &right), (other, &foreign)] {
            let made = server.get(path).await;
            assert_eq!(status(&made), "azulejo; fwd=miss", "{what}");
            assert_eq!(made.body, expected.body, "{what}");
        }
        // The broken record may be removed after the new one was written.
        let mut attempts = 0..20;
        while status(&server.get(SCALED).await) != "azulejo; hit; detail=disk" {
            assert!(attempts.next().is_some(), "{what}");
            server.settle().await;
        }
    }
    write(&|_, _| Vec::new());
    assert_eq!(server.get(SCALED).await.body, right.body, "empty");
}

/// However many ask at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_on_a_cold_cache_are_made_once() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.pyramids.enabled = false;
    let pipeline = pipeline(&config);
    let asked = (0..200).map(|_| {
        let pipeline = pipeline.clone();
        tokio::spawn(async move { length(&pipeline, "sample-azulejo.jp2").await })
    });
    let lengths = futures_util::future::join_all(asked).await;
    let lengths: Vec<_> = lengths.into_iter().map(Result::unwrap).collect();
    assert!(lengths.iter().all(|length| *length == lengths[0]));
    let memory = &pipeline.cache_report()[0];
    // The header, and the image.
    assert_eq!((memory.name, memory.stored), ("memory", 2));
}

#[tokio::test]
async fn a_purged_image_is_made_anew_and_others_stay() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    let pipeline = pipeline(&config);
    let stored = || pipeline.cache_report()[0].stored;
    for name in ["chart.png", "png-gray.png", "chart.png"] {
        length(&pipeline, name).await;
    }
    assert_eq!(stored(), 4, "each with its header");
    pipeline.purge(Some(identifier("chart.png"))).await.unwrap();
    length(&pipeline, "png-gray.png").await;
    assert_eq!(stored(), 4);
    length(&pipeline, "chart.png").await;
    assert_eq!(stored(), 5);
    pipeline.purge(None).await.unwrap();
    length(&pipeline, "png-gray.png").await;
    assert_eq!(stored(), 6);
    let gone = Some(identifier("nothing.png"));
    pipeline.purge(gone).await.expect("there is nothing to do");
}

#[tokio::test]
async fn what_is_asked_with_head_is_kept_too() {
    let server = Server::of_fixtures();
    server.send(Method::HEAD, SCALED, &[]).await;
    assert_eq!(
        status(&server.get(SCALED).await),
        "azulejo; hit; detail=memory"
    );
}

fn pipeline(config: &Config) -> Pipeline {
    Pipeline::new(config, None, None).unwrap()
}

fn identifier(name: &str) -> azulejo::iiif::Identifier {
    azulejo::iiif::Identifier::new(name.to_owned()).unwrap()
}

async fn length(pipeline: &Pipeline, name: &str) -> usize {
    use azulejo::iiif::{ImageRequest, Version};
    let request = ImageRequest::parse(
        Version::V3,
        identifier(name),
        ["full", "21,", "0", "default.jpg"],
    );
    let prepared = pipeline
        .prepare(request.unwrap(), View::whole(), Caching::Use, true)
        .await
        .unwrap();
    let answer = pipeline.render(prepared, Caching::Use).await;
    bytes(answer.unwrap()).len()
}

/// Of a JPEG 2000 code-blocks are kept as long as it is open. All that are decoded here would take ten times as much.
#[tokio::test]
async fn open_images_keep_no_more_than_they_may() {
    const MOST: u64 = 256 << 10;
    let server = Server::configured(fixtures("images"), |config| {
        config.admin.token = Some(TOKEN.parse().unwrap());
        config.cache.headers = "256 KiB".parse().unwrap();
    });
    for (x, y) in (0..16).map(|tile| (tile % 4 * 256, tile / 4 * 256)) {
        let path = format!("/iiif/3/sample-azulejo.jp2/{x},{y},256,256/max/0/default.jpg");
        server.get(&path).await.assert_ok();
    }
    let report = server.send(Method::GET, "/admin/cache", &[WITH_TOKEN]);
    let kept = report.await.json()["kept"][0].clone();
    assert_eq!((&kept["entries"], &kept["misses"]), (&1.into(), &1.into()));
    let bytes = kept["bytes"].as_u64().unwrap();
    assert!((MOST / 16..=MOST).contains(&bytes), "{bytes}");
}
