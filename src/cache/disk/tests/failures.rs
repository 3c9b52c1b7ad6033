//! Disks that are full, read-only, gone or not what they should be.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

const RECORD: &[u8] = b"a record";

async fn put(disk: &Disk, key: &EntryKey) -> Result<(), crate::cache::layer::LayerError> {
    disk.put(key, Bytes::from_static(RECORD)).await
}

#[tokio::test]
async fn a_directory_that_was_deleted_is_made_again() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("a/b");
    let disk = disk(&root);
    let key = key("image", "1");
    for part in ["", "tmp", "entries", "trash"] {
        put(&disk, &key).await.unwrap();
        assert!(disk.get(&key).await.unwrap().is_some());
        let _ = fs::remove_dir_all(root.join(part));
        let found = disk.get(&key).await.unwrap();
        assert_eq!(found.is_some(), matches!(part, "tmp" | "trash"), "{part}");
        disk.remove(&key).await.unwrap();
        disk.purge(&key.image).await.unwrap();
        disk.clear().await.unwrap();
    }
}

/// Not even root can create folders in `/sys`.
#[tokio::test]
async fn where_nothing_can_be_written_every_change_fails() {
    let disk = disk(Path::new("/sys/azulejo"));
    let key = key("image", "1");
    assert!(put(&disk, &key).await.is_err());
    assert!(disk.purge(&key.image).await.is_err());
    assert!(disk.clear().await.is_err());
    assert!(matches!(disk.get(&key).await, Ok(None)));
}

#[tokio::test]
async fn what_stands_in_the_way_is_an_error_and_nothing_is_left() {
    for part in ["entries", "tmp", "trash"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(part), "a file").unwrap();
        let disk = disk(folder.path());
        let key = key("image", "1");
        assert_eq!(put(&disk, &key).await.is_err(), part != "trash", "{part}");
        assert_eq!(disk.get(&key).await.is_err(), part == "entries", "{part}");
        assert_eq!(disk.clear().await.is_err(), part == "trash", "{part}");
        let left = files_below(&folder.path().join("tmp"));
        assert!(left.is_empty(), "{part}: {left:?}");
    }
}

#[tokio::test]
async fn links_are_not_followed() {
    let folder = TempDir::new().unwrap();
    let disk = disk(&folder.path().join("cache"));
    let key = key("image", "1");
    put(&disk, &key).await.unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let entry = path(&folder.path().join("cache"), &key);
    fs::remove_file(&entry).unwrap();
    symlink(&secret, &entry).unwrap();
    assert!(disk.get(&key).await.is_err());
    put(&disk, &key)
        .await
        .expect("it takes the place of the link");
    assert_eq!(disk.get(&key).await.unwrap().as_deref(), Some(RECORD));
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
}

#[test]
fn what_links_point_to_is_not_swept() {
    let folder = TempDir::new().unwrap();
    let files = files(&folder.path().join("cache"), MUCH);
    let precious = folder.path().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("a"), "precious").unwrap();
    files.write(&key("image", "1"), RECORD, || true).unwrap();
    symlink(&precious, files.root.join("entries/ab")).unwrap();
    files.clear().unwrap();
    symlink(&precious, files.root.join("trash/1.azulejo")).unwrap();
    files.sweep().unwrap();
    assert!(
        !files.root.join("trash/1.azulejo").is_symlink(),
        "the link itself goes"
    );
    assert_eq!(fs::read(precious.join("a")).unwrap(), b"precious");
}

#[test]
fn what_is_too_large_or_no_file_is_an_error() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    let key = key("image", "1");
    files.write(&key, RECORD, || true).unwrap();
    let path = path(folder.path(), &key);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(files.read(&key).is_err());
    files.write(&key, RECORD, || true).unwrap();
    assert!(files.read(&key).unwrap().is_some());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(files.read(&key).is_err() && files.write(&key, RECORD, || true).is_err());
    assert!(files_below(folder.path()).is_empty());
}

/// As on a full disk, a file cannot grow: `ulimit -f` counts in half kilobytes or kilobytes.
#[test]
fn a_record_that_does_not_fit_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "cache::disk::tests::failures::writes_too_much"])
        .arg("--ignored")
        .env(integrity::DIRECTORY, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(
        status.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let left = files_below(folder.path());
    assert_eq!(left, [path(folder.path(), &key("image", "small"))]);
}

#[test]
#[ignore = "a part of another test, in a process that cannot write large files"]
fn writes_too_much() {
    let files = files(&integrity::directory(), MUCH);
    let record = vec![1; 1 << 20];
    files
        .write(&key("image", "small"), &record[..100], || true)
        .unwrap();
    let error = files
        .write(&key("image", "large"), &record, || true)
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
}

/// Who gave up waiting may have purged the image since.
#[test]
fn what_nobody_wants_any_more_when_it_is_written_does_not_appear() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    let key = key("image", "1");
    files.write(&key, RECORD, || false).unwrap();
    assert_eq!(files.read(&key).unwrap(), None);
    assert!(files_below(folder.path()).is_empty());
}
