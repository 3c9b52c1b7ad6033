//! Whatever happens to a file, no other bytes are served than those that were sealed.

use std::env;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::cache::seal::{HEADER, unseal};

/// Where processes that are a part of a test write.
pub const DIRECTORY: &str = "AZULEJO_TEST_DIRECTORY";
/// Larger than what is written at once.
const BODY: usize = 3 << 20;
const IMAGES: usize = 4;

pub fn directory() -> PathBuf {
    env::var_os(DIRECTORY).expect("the directory is set").into()
}

fn body(number: usize, length: usize) -> Bytes {
    (0..length)
        .map(|at| (at * 31 + at / 255 + number) as u8)
        .collect()
}

/// What a request would get.
fn served(files: &Files, key: &EntryKey) -> Option<Bytes> {
    let record = files.read(key).unwrap()?.into();
    unseal(key, &record).map(|entry| entry.body)
}

type Damage = fn(&mut Vec<u8>);

/// A name and what it does to a record, for each part that a record has.
const DAMAGES: [(&str, Damage); 13] = [
    ("magic", |record| record[0] ^= 1),
    ("image", |record| record[8] ^= 0x80),
    ("entry", |record| record[39] ^= 1),
    ("time", |record| record[40] ^= 1),
    ("length", |record| record[48] ^= 1),
    ("checksum", |record| record[63] ^= 1),
    ("first byte of the body", |record| record[HEADER] ^= 1),
    ("last byte of the body", |record| {
        *record.last_mut().unwrap() ^= 1
    }),
    ("cut header", |record| record.truncate(HEADER - 1)),
    ("cut body", |record| record.truncate(HEADER + 4096)),
    ("empty", Vec::clear),
    ("longer", |record| record.push(0)),
    ("zeros, as after a power cut", |record| record.fill(0)),
];

#[test]
fn damage_of_every_kind_is_noticed_and_mended_by_the_next_put() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    let key = key("image", "1");
    let record = seal(&key, &Entry::new(body(1, 20_000)));
    for (name, damage) in DAMAGES {
        files.write(&key, &record, || true).unwrap();
        assert_eq!(served(&files, &key), Some(body(1, 20_000)));
        let mut damaged = record.to_vec();
        damage(&mut damaged);
        fs::write(path(folder.path(), &key), damaged).unwrap();
        assert_eq!(served(&files, &key), None, "{name}");
    }
}

#[test]
fn what_belongs_to_another_entry_or_image_is_noticed() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    let asked = key("image", "1");
    for other in [key("image", "2"), key("other", "1")] {
        let record = seal(&other, &Entry::new(body(2, 500)));
        files.write(&other, &record, || true).unwrap();
        files
            .write(&asked, &seal(&asked, &Entry::new(body(1, 500))), || true)
            .unwrap();
        fs::copy(path(folder.path(), &other), path(folder.path(), &asked)).unwrap();
        assert_eq!(served(&files, &asked), None);
        assert!(served(&files, &other).is_some());
    }
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_nothing_broken() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path(), MUCH);
    let temporary = folder.path().join("tmp");
    let mut rounds = 0;
    while files_below(&temporary).len() < 3 {
        rounds += 1;
        assert!(rounds < 200, "no kill met a write");
        let mut writer = start_writer(folder.path());
        let before = files_below(&temporary).len();
        wait_until("it writes", || files_below(&temporary).len() > before);
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_all_are_whole(&files);
    }
    for left in files_below(&temporary) {
        set_written(&left, 700);
    }
    files.sweep().unwrap();
    assert_eq!(files_below(&temporary), Vec::<PathBuf>::new());
    assert_all_are_whole(&files);
}

fn start_writer(directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "cache::disk::tests::integrity::writes_until_killed",
        ])
        .arg("--ignored")
        .env(DIRECTORY, directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// No file is visible that is not, byte for byte, what the writer writes.
fn assert_all_are_whole(files: &Files) {
    for number in 0..IMAGES {
        let key = key(&number.to_string(), "1");
        if path(&files.root, &key).exists() {
            let found = served(files, &key);
            assert!(found == Some(body(number, BODY)), "entry {number} is torn");
        }
    }
}

#[test]
#[ignore = "a part of another test, which kills it"]
fn writes_until_killed() {
    let files = files(&directory(), MUCH);
    let keys: Vec<_> = (0..IMAGES)
        .map(|number| key(&number.to_string(), "1"))
        .collect();
    let records: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(number, key)| seal(key, &Entry::new(body(number, BODY))))
        .collect();
    loop {
        for (key, record) in keys.iter().zip(&records) {
            files.write(key, record, || true).unwrap();
        }
    }
}
