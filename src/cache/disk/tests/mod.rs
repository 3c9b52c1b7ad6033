//! The directory as it must look, and what must not be in it.

mod bounds;
mod failures;
mod integrity;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::config::DiskConfig;
use super::*;
use crate::cache::contract;
use crate::cache::entry::Entry;
use crate::cache::seal::seal;

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey::sample(image, entry)
}

fn config(directory: &Path) -> DiskConfig {
    DiskConfig {
        directory: Some(directory.to_owned()),
        ..DiskConfig::default()
    }
}

fn disk(directory: &Path) -> Disk {
    Disk::open(&config(directory)).unwrap().unwrap()
}

/// Without a thread that sweeps.
fn files(directory: &Path, bound: Amount) -> Files {
    Files {
        root: directory.to_owned(),
        bound,
        ttl: None,
        held: Held::default(),
        evictions: Count::default(),
    }
}

const MUCH: Amount = Amount {
    files: 1000,
    bytes: 1 << 30,
};

fn path(directory: &Path, key: &EntryKey) -> PathBuf {
    let image = key.image.to_string();
    directory
        .join("entries")
        .join(&image[..2])
        .join(image)
        .join(key.entry.to_string())
}

/// Names below a folder, however deep, of files only.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}

fn ago(seconds: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(seconds)
}

fn set_written(path: &Path, seconds_ago: u64) {
    let file = fs::File::open(path).unwrap();
    let times = fs::FileTimes::new()
        .set_modified(ago(seconds_ago))
        .set_accessed(ago(seconds_ago));
    file.set_times(times).unwrap();
}

/// Waits for what another thread or process does. Panics after half a minute.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("in vain: {what}");
}

#[tokio::test]
async fn it_does_what_every_layer_has_to() {
    let folder = TempDir::new().unwrap();
    contract::check(&disk(folder.path())).await;
    let written = files_below(&folder.path().join("tmp"));
    assert_eq!(written, Vec::<PathBuf>::new(), "no temporary file is left");
}

#[tokio::test]
async fn two_of_them_on_one_directory_see_what_the_other_does() {
    let folder = TempDir::new().unwrap();
    let (one, other) = (disk(folder.path()), disk(folder.path()));
    let key = key("image", "1");
    let record = seal(&key, &Entry::new(Bytes::from_static(b"body")));
    one.put(&key, record.clone()).await.unwrap();
    assert_eq!(other.get(&key).await.unwrap(), Some(record.clone()));
    other.purge(&key.image).await.unwrap();
    assert_eq!(one.get(&key).await.unwrap(), None);
    let (first, second) = tokio::join!(one.put(&key, record.clone()), other.clear());
    first.unwrap();
    second.unwrap();
    tokio::join!(contract::check(&one), async {
        for _ in 0..50 {
            other.put(&key, record.clone()).await.unwrap();
            other.get(&key).await.unwrap();
        }
    });
}

#[tokio::test]
async fn what_was_purged_leaves_the_disk() {
    let folder = TempDir::new().unwrap();
    let disk = disk(folder.path());
    for (image, entry) in [("a", "1"), ("a", "2"), ("b", "1")] {
        let key = key(image, entry);
        disk.put(&key, Bytes::from_static(b"body")).await.unwrap();
    }
    disk.purge(&key("a", "1").image).await.unwrap();
    wait_until("one file is left", || files_below(folder.path()).len() == 1);
    wait_until("it is counted", || disk.usage().entries == Some(1));
    disk.clear().await.unwrap();
    wait_until("none is left", || files_below(folder.path()).is_empty());
}

#[tokio::test]
async fn what_another_process_left_is_found_and_counted() {
    let folder = TempDir::new().unwrap();
    let key = key("image", "1");
    let put = disk(folder.path())
        .put(&key, Bytes::from_static(b"body"))
        .await;
    put.unwrap();
    let later = disk(folder.path());
    assert!(later.get(&key).await.unwrap().is_some());
    wait_until("it is counted", || later.usage().entries == Some(1));
    assert_eq!(later.usage().bytes, Some(4096));
}

#[test]
fn without_a_directory_there_is_no_layer() {
    assert!(Disk::open(&DiskConfig::default()).unwrap().is_none());
}

#[tokio::test]
async fn work_that_hangs_holds_no_more_threads_than_there_are_places() {
    let gate = Arc::new(Gate::new(2));
    let (release, hangs) = std::sync::mpsc::channel::<()>();
    let hangs = Arc::new(std::sync::Mutex::new(hangs));
    let begun = Arc::new(Count::default());
    for number in 0..5 {
        let (hangs, begins) = (Arc::clone(&hangs), Arc::clone(&begun));
        let work = gate.run(move || {
            begins.add_one();
            let _ = hangs.lock().unwrap().recv();
            Ok(())
        });
        // Given up by whoever waited: the thread still hangs.
        let given_up = tokio::time::timeout(Duration::from_millis(30), work).await;
        assert!(given_up.is_err());
        if number < 2 {
            wait_until("it has begun", || begun.get() == number + 1);
        }
    }
    assert_eq!(begun.get(), 2);
    drop(release);
    gate.run(|| Ok(()))
        .await
        .expect("the places are free again");
}
