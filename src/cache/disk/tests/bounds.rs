//! How much there may be, for how long, and what goes first.

use super::*;

fn write(files: &Files, name: &str, length: usize) {
    files
        .write(&key(name, "1"), &vec![1; length], || true)
        .unwrap();
}

fn is_there(files: &Files, name: &str) -> bool {
    path(&files.root, &key(name, "1")).exists()
}

fn set_used(files: &Files, name: &str, seconds_ago: u64) {
    set_written(&path(&files.root, &key(name, "1")), seconds_ago);
}

fn on_disk(files: &Files) -> Amount {
    let lengths = files_below(&files.root.join("entries"))
        .into_iter()
        .map(|path| Amount::of(path.metadata().unwrap().len()));
    lengths.fold(Amount::default(), |sum, one| sum + one)
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), Amount { files: 20, ..MUCH });
    for number in 0..20 {
        write(&files, &number.to_string(), 10);
        set_used(&files, &number.to_string(), 90_000 - 100 * number);
    }
    files.read(&key("0", "1")).unwrap().expect("it is used");
    files.make_room().unwrap();
    let gone: Vec<_> = (0..20)
        .filter(|n| !is_there(&files, &n.to_string()))
        .collect();
    assert_eq!(gone, [1, 2], "to nine tenths");
    assert_eq!(files.evictions.get(), 2);
}

#[test]
fn neither_bytes_nor_files_exceed_the_bound_while_it_is_written_to() {
    let folder = TempDir::new().unwrap();
    let by_files = Amount { files: 50, ..MUCH };
    let by_bytes = Amount {
        bytes: 60 * 4096,
        ..MUCH
    };
    for (name, bound) in [("files", by_files), ("bytes", by_bytes)] {
        let files = files(&folder.path().join(name), bound);
        for number in 0..300 {
            write(&files, &number.to_string(), 4097 * (number % 2));
            assert!(!on_disk(&files).exceeds(bound));
            if number % 7 == 0 {
                files.make_room().unwrap();
            }
        }
        assert_eq!(files.held.get(), on_disk(&files), "{name}");
        assert!(
            on_disk(&files).exceeds(bound.percent(80)),
            "{name}: much is kept"
        );
    }
}

#[test]
fn when_there_is_no_room_an_old_record_is_not_kept_for_a_new_one() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), Amount { files: 2, ..MUCH });
    for name in ["a", "b", "a", "c"] {
        write(&files, name, 10);
    }
    assert_eq!(
        ["a", "b", "c"].map(|name| is_there(&files, name)),
        [false, true, true]
    );
    assert_eq!(files.held.get(), on_disk(&files));
}

#[test]
fn what_other_processes_wrote_counts_too() {
    let folder = TempDir::new().unwrap();
    let bound = Amount { files: 20, ..MUCH };
    let (one, other) = (files(folder.path(), bound), files(folder.path(), bound));
    for number in 0..15 {
        write(&one, &format!("one {number}"), 10);
        write(&other, &format!("other {number}"), 10);
    }
    assert_eq!(on_disk(&one).files, 30, "neither knows of the other");
    one.sweep().unwrap();
    assert_eq!(on_disk(&one).files, 18);
    assert_eq!(one.held.get(), on_disk(&one));
    other.sweep().unwrap();
    assert_eq!(
        (other.held.get(), other.evictions.get()),
        (on_disk(&one), 0)
    );
}

#[tokio::test]
async fn it_is_swept_without_being_told() {
    let folder = TempDir::new().unwrap();
    let bounded = DiskConfig {
        files: 100,
        ..config(folder.path())
    };
    let disk = Disk::open(&bounded).unwrap().unwrap();
    for number in 0..300 {
        let record = Bytes::from_static(b"record");
        disk.put(&key(&number.to_string(), "1"), record)
            .await
            .unwrap();
    }
    wait_until("there is room", || disk.usage().entries <= Some(95));
    assert!(disk.usage().evictions > Some(0));
    assert!(files_below(folder.path()).len() <= 100);
}

#[test]
fn what_expired_is_swept() {
    let folder = TempDir::new().unwrap();
    let files = Files {
        ttl: Some(Duration::from_secs(100)),
        ..files(folder.path(), MUCH)
    };
    write(&files, "old", 10);
    write(&files, "new", 10);
    set_used(&files, "old", 101);
    set_used(&files, "new", 80);
    files
        .read(&key("old", "1"))
        .unwrap()
        .expect("its age is the caller's matter");
    files.sweep().unwrap();
    assert!(
        is_there(&files, "new") && !is_there(&files, "old"),
        "a use is no writing"
    );
    assert_eq!(files.held.get().files, 1);
    assert_eq!(files.evictions.get(), 0);
}

#[test]
fn leftovers_are_swept_and_what_is_being_written_or_not_ours_stays() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    write(&files, "a", 10);
    let temporary = folder.path().join("tmp");
    for (name, age) in [
        ("1.azulejo", 700),
        ("2.azulejo", 500),
        ("letter.txt", 9_000),
    ] {
        fs::write(temporary.join(name), "left").unwrap();
        set_written(&temporary.join(name), age);
    }
    let trash = folder.path().join("trash");
    fs::create_dir_all(trash.join("1.azulejo/a/b")).unwrap();
    fs::write(trash.join("1.azulejo/a/b/c"), "purged").unwrap();
    fs::create_dir(trash.join("photos")).unwrap();
    fs::write(folder.path().join("entries/README"), "not ours").unwrap();
    files.sweep().unwrap();
    let mut left = files_below(&temporary);
    left.sort();
    assert_eq!(
        left,
        [temporary.join("2.azulejo"), temporary.join("letter.txt")]
    );
    assert!(trash.join("photos").exists() && !trash.join("1.azulejo").exists());
    assert!(is_there(&files, "a"));
    assert!(folder.path().join("entries/README").exists());
}

#[test]
fn empty_folders_are_swept() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    write(&files, "a", 10);
    files.remove(&key("a", "1")).unwrap();
    files.sweep().unwrap();
    let image = path(folder.path(), &key("a", "1"));
    assert!(!image.parent().unwrap().exists());
    write(&files, "a", 10);
    assert!(is_there(&files, "a"));
}
