//! Answers that are files as they are, and sent in parts: every byte of one state of the file, or an end that nobody takes for one.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::http::Method;
use azulejo::config::Config;
use azulejo::encode::config::EncodeConfig;
use azulejo::encode::{Settings, encode};
use azulejo::error::Error;
use azulejo::geometry::Dimensions;
use azulejo::iiif::{Format, Identifier, ImageRequest, Version};
use azulejo::pipeline::{Caching, Content, Derivative, Pipeline, Prepared, WholeFile};
use azulejo::raster::{Layout, Raster, Samples};
use azulejo::view::View;
use http_body_util::BodyExt;
use rustix::fs::{Advice, fadvise};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::process::Process;
use crate::server::{Server, fixtures};

const WHOLE: &str = "/iiif/3/a.jpg/full/max/0/default.jpg";
/// Of the answers that are no such files.
const MADE: &str = "azulejo; fwd=miss";
const COPIED: &str = "azulejo; fwd=bypass; detail=copied";

/// A JPEG that does not compress: more than a megapixel and several parts.
pub fn noise(seed: u32) -> Vec<u8> {
    let file = noise_of(1_200, 1_000, seed);
    assert!(file.len() > 3 * (256 << 10), "{}", file.len());
    file
}

/// Of this width and height.
pub fn noise_of(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let size = Dimensions::new(width, height).unwrap();
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    let samples = (0..size.area() * 3).map(|_| next()).collect();
    let raster = Raster::new(size, Layout::Rgb, Samples::U8(samples));
    let settings = Settings::from(&EncodeConfig::default());
    encode(raster, Format::Jpg, None, &settings).unwrap()
}

/// A folder with one file, which was written an hour ago: long enough for every clock to tell that time from now.
pub fn folder(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    fs::write(&path, bytes).unwrap();
    let hour = Duration::from_secs(3_600);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - hour).unwrap();
    folder
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("a.jpg")
}

/// What the head of an answer says that its request is called in the log.
fn request_id(head: &str) -> &str {
    let mut lines = head.lines();
    lines
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .unwrap()
}

/// As it is done where images are served: another file takes the name.
fn replace(folder: &TempDir, bytes: &[u8]) {
    let new = folder.path().join("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, file(folder)).unwrap();
}

/// Of a process that keeps headers on disk, so that the next one need not open images to know them.
fn pipeline(root: &Path, cache: &Path) -> Pipeline {
    let mut config = Config::default();
    config.source.root = root.to_owned();
    config.pyramids.enabled = false;
    config.cache.disk.directory = Some(cache.to_owned());
    Pipeline::new(&config, None, None).unwrap()
}

async fn prepare(pipeline: &Pipeline) -> Prepared {
    let identifier = Identifier::new("a.jpg".to_owned()).unwrap();
    let segments = ["full", "max", "0", "default.jpg"];
    let request = ImageRequest::parse(Version::V3, identifier, segments).unwrap();
    let prepared = pipeline.prepare(request, View::whole(), Caching::Use, true);
    prepared.await.unwrap()
}

fn sent(derivative: Derivative) -> WholeFile {
    match derivative.content {
        Content::File(file) => file,
        Content::Bytes(_) => panic!("it is in memory"),
    }
}

async fn all(pipeline: &Pipeline, file: &WholeFile) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < file.size() {
        let part = pipeline.part(file, bytes.len() as u64).await?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

#[tokio::test]
async fn every_byte_of_the_file_is_sent_each_time() {
    let bytes = noise(1);
    let folder = folder(&bytes);
    let server = Server::over(folder.path());
    let length = bytes.len().to_string();
    for path in [WHOLE, WHOLE, "/iiif/2/a.jpg/full/full/0/default.jpg"] {
        let answer = server.get(path).await;
        answer.assert_ok();
        assert!(answer.body == bytes, "{path}");
        assert_eq!(answer.header("content-length"), Some(&*length));
        assert_eq!(answer.header("content-type"), Some("image/jpeg"));
        assert_eq!(answer.header("cache-status"), Some(COPIED));
        let head = server.send(Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(&*length));
        assert_eq!(head.header("etag"), answer.header("etag"));
        let current = [("if-none-match", answer.header("etag").unwrap())];
        assert_eq!(server.send(Method::GET, path, &current).await.status, 304);
        let older = [("if-none-match", "\"older\"")];
        assert!(server.send(Method::GET, path, &older).await.body == bytes);
    }
}

/// Once as it is opened, and once as it is known.
#[tokio::test]
async fn what_is_not_in_memory_is_read_from_the_disk() {
    let bytes = noise(10);
    let folder = folder(&bytes);
    let image = File::open(file(&folder)).unwrap();
    let server = Server::over(folder.path());
    for _ in 0..2 {
        image.sync_all().unwrap();
        fadvise(&image, 0, None, Advice::DontNeed).unwrap();
        assert!(server.get(WHOLE).await.body == bytes);
    }
}

/// Megabytes of metadata in front of few pixels are not read into memory either.
#[tokio::test]
async fn a_large_file_of_few_pixels_is_sent_in_parts_too() {
    let small = fs::read(fixtures("images/jpeg-420.jpg")).unwrap();
    let mut segment = vec![0xFF, 0xED, 0xFF, 0xFF];
    segment.resize(2 + 0xFFFF, 0);
    let bytes = [&small[..2], &segment.repeat(80), &small[2..]].concat();
    let folder = folder(&bytes);
    let pipeline = pipeline(folder.path(), &folder.path().join("cache"));
    let answer = pipeline.render(prepare(&pipeline).await, Caching::Use);
    let file = sent(answer.await.unwrap());
    assert!(all(&pipeline, &file).await.unwrap() == bytes);
}

/// P12: the client is told so while it can be told.
#[tokio::test]
async fn only_so_many_files_are_sent_at_once() {
    let bytes = noise(12);
    let folder = folder(&bytes);
    let server = Server::configured(folder.path(), |config| {
        config.work.memory = Some("1GiB".parse().unwrap());
    });
    let mut sent = Vec::new();
    let refused = loop {
        let answer = server.begin(WHOLE).await;
        if answer.status() != 200 {
            break answer;
        }
        sent.push(answer);
        assert!(sent.len() <= 256);
    };
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    sent.pop();
    for _ in 0..2 {
        assert!(server.get(WHOLE).await.body == bytes);
    }
}

/// K04: memory is left to what is small.
#[tokio::test]
async fn files_wait_for_memory_until_others_are_sent() {
    let bytes = noise(13);
    let folder = folder(&bytes);
    let server = Server::configured(folder.path(), |config| {
        config.work.memory = Some("4MiB".parse().unwrap());
    });
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(server.begin(WHOLE).await);
    }
    let soon = Duration::from_millis(200);
    assert!(timeout(soon, server.begin(WHOLE)).await.is_err());
    sent.pop();
    assert!(server.get(WHOLE).await.body == bytes);
}

/// K04: the budget is for what is in memory. Decoding this image would take more than all of it.
#[tokio::test]
async fn what_is_sent_in_parts_takes_little_of_the_memory_budget() {
    let bytes = noise(2);
    let folder = folder(&bytes);
    let server = Server::configured(folder.path(), |config| {
        config.work.memory = Some("4MiB".parse().unwrap());
    });
    assert!(server.get(WHOLE).await.body == bytes);
    let decoded = WHOLE.replace("default.jpg", "gray.jpg");
    assert_eq!(server.status(&decoded).await, 400);
}

#[tokio::test]
async fn a_file_that_does_not_end_as_it_should_is_decoded() {
    let bytes = noise(3);
    let folder = folder(&[&bytes[..], b"more"].concat());
    let server = Server::over(folder.path());
    let answer = server.get(WHOLE).await;
    assert_eq!(answer.picture().size(), (1_200, 1_000));
    assert_eq!(answer.header("cache-status"), Some(MADE));
    replace(&folder, &bytes[..bytes.len() / 2]);
    assert_eq!(server.status(WHOLE).await, 500);
}

#[tokio::test]
async fn nothing_is_sent_as_it_is_where_that_is_switched_off() {
    let bytes = noise(4);
    let folder = folder(&bytes);
    let server = Server::configured(folder.path(), |config| {
        config.encode.passthrough = false;
    });
    let answer = server.get(WHOLE).await;
    assert_eq!(answer.header("cache-status"), Some(MADE));
    assert!(answer.body != bytes);
}

/// Whether the image was open already, or only its header known.
#[tokio::test]
async fn a_file_that_is_replaced_is_sent_in_one_state_with_the_validators_of_that() {
    let states = [noise(5), noise(6), noise(7)];
    let folder = folder(&states[0]);
    let cache = folder.path().join("cache");
    let first = pipeline(folder.path(), &cache);
    let prepared = prepare(&first).await;
    let validators = prepared.validators.clone();
    replace(&folder, &states[1]);
    let answer = first.render(prepared, Caching::Use).await.unwrap();
    assert_eq!(answer.validators, Some(validators));
    assert!(all(&first, &sent(answer)).await.unwrap() == states[0]);

    prepare(&first).await;
    first.settle().await;
    let second = pipeline(folder.path(), &cache);
    let prepared = prepare(&second).await;
    let validators = prepared.validators.clone();
    replace(&folder, &states[2]);
    let answer = second.render(prepared, Caching::Use).await.unwrap();
    assert_ne!(answer.validators, Some(validators));
    assert_eq!(
        answer.validators,
        Some(prepare(&second).await.validators.clone())
    );
    assert!(all(&second, &sent(answer)).await.unwrap() == states[2]);
}

/// Bytes of two states would be an image that never was.
#[tokio::test]
async fn nothing_more_is_sent_of_a_file_that_somebody_writes_to() {
    let bytes = noise(8);
    let changes: [fn(&File); 3] = [
        |file| file.set_len(300_000).unwrap(),
        |file| file.write_all_at(b"other", 500_000).unwrap(),
        |file| file.set_len(100_000_000).unwrap(),
    ];
    for change in changes {
        let folder = folder(&bytes);
        let cache = folder.path().join("cache");
        let pipeline = pipeline(folder.path(), &cache);
        let prepared = prepare(&pipeline).await;
        let later = prepare(&pipeline).await;
        let answer = pipeline.render(prepared, Caching::Use).await.unwrap();
        let sent = sent(answer);
        let begun = pipeline.part(&sent, 0).await.unwrap();
        change(&File::options().write(true).open(file(&folder)).unwrap());
        assert!(pipeline.part(&sent, begun.len() as u64).await.is_err());
        let answer = pipeline.render(later, Caching::Use).await;
        assert!(answer.is_err(), "prepared for what is no more");
    }
}

/// What comes after the last byte is of no answer.
#[tokio::test]
async fn a_file_that_is_written_to_after_it_was_sent_ends_no_connection() {
    let bytes = noise(11);
    let folder = folder(&bytes);
    let answer = Server::over(folder.path()).begin(WHOLE).await;
    let mut body = answer.into_body();
    let mut sent = 0;
    while sent < bytes.len() {
        sent += body
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .len();
    }
    let image = File::options().write(true).open(file(&folder)).unwrap();
    image.set_len(1).unwrap();
    assert!(body.frame().await.is_none());
}

/// The client is told a length, and gets less; the log says why, and of which request.
#[test]
fn a_file_that_becomes_shorter_ends_the_connection() {
    const LENGTH: u64 = 64 << 20;
    let folder = folder(&noise(9));
    let image = File::options().write(true).open(file(&folder)).unwrap();
    image.set_len(LENGTH).unwrap();
    image.write_all_at(&[0xFF, 0xD9], LENGTH - 2).unwrap();
    let server = Process::over(folder.path(), &[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("GET {WHOLE} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = vec![0; 1_000];
    stream.read_exact(&mut head).unwrap();
    let text = String::from_utf8_lossy(&head);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains(&format!("content-length: {LENGTH}\r\n")));
    image.set_len(1 << 20).unwrap();
    // Some systems say that the connection was broken off, others only that there is no more.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!((head.len() + rest.len()) < 64 << 20);
    let log = server.stop();
    let mut lines = log.lines();
    let error = lines.find(|line| line.contains("ERROR") && line.contains("a.jpg"));
    let error = error.unwrap_or_else(|| panic!("{log}"));
    assert!(error.contains(request_id(&text)), "{error}");
}
