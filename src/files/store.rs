//! Files that are derived and kept, such as pyramids: bounded in bytes, shared by processes.
//!
//! A file has the name of its key and ends with a seal, which says that it is whole and whose it is. It is written under
//! another name, synced and renamed. The time of modification is that of the last use. Who has a file open can read it
//! on after it was removed.

use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{found, unique};

/// The extension of files that are being written, or were when their process ended.
const UNFINISHED: &str = "tmp";
/// Uses within this time count as one, so that a use is not always a write.
const SAME_USE: Duration = Duration::from_secs(600);

/// Between its creation and its lock a file of another process looks like a leftover.
const JUST_BEGUN: Duration = Duration::from_secs(60);

/// The start, the key in hexadecimal, the length of what precedes the seal.
const SEAL: usize = 16 + 32 + 8;

/// What a store has files of.
#[derive(Debug)]
pub struct Kind {
    /// For the log.
    pub name: &'static str,
    pub extension: &'static str,
    /// What the seals of its files begin with.
    pub seal: &'static [u8; 16],
}

/// A directory of files of one kind. Their keys have 32 hexadecimal digits.
pub struct Store {
    kind: &'static Kind,
    directory: PathBuf,
    /// Bytes for all files together.
    size: u64,
    room: Room,
}

/// Bytes that are kept free for files that are being written. Held while files are removed for them, so that nobody counts a file
/// twice.
type Room = Arc<Mutex<u64>>;

/// A file that stands.
pub struct Kept {
    pub file: File,
    /// Bytes without the seal.
    pub length: u64,
}

/// A file that nobody else writes to or removes; removed when it is dropped before it was published.
pub struct Unfinished {
    path: PathBuf,
    /// Its lock tells [`Store::sweep`] that it is being written.
    file: File,
    room: Room,
    /// Bytes of the room.
    reserved: u64,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Renamed already, or of no use: if it stays, it is swept.
        let _ = fs::remove_file(&self.path);
        *lock(&self.room) -= self.reserved;
    }
}

impl Unfinished {
    /// A handle to write to.
    ///
    /// # Errors
    /// If there are too many.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Whether there is room for so many bytes, and the seal.
    pub fn has_room(&self, length: u64) -> bool {
        length.saturating_add(SEAL as u64) <= self.reserved
    }
}

/// A file of the directory.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Store {
    pub fn new(kind: &'static Kind, directory: PathBuf, size: u64) -> Self {
        Self {
            kind,
            directory,
            size,
            room: Room::default(),
        }
    }

    /// Whether a file of so many bytes is within the bound.
    pub fn can_keep(&self, length: u64) -> bool {
        length.saturating_add(SEAL as u64) <= self.size
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes the directory ready: writable, without leftovers, within the bound.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        self.sweep()?;
        drop(self.begin("probe")?);
        self.make_room(*lock(&self.room))
    }

    /// The file of this key. One that is not whole or not of this key is removed.
    pub fn open(&self, key: impl Display) -> Option<Kept> {
        let mut file = File::open(self.path(&key)).ok()?;
        let Some(length) = self.sealed(&mut file, &key).ok()? else {
            self.remove(key);
            return None;
        };
        mark_used(&file);
        Some(Kept { file, length })
    }

    /// Whether a file of this key stands.
    pub fn contains(&self, key: impl Display) -> bool {
        self.open(key).is_some()
    }

    /// Removes a file that turned out to be broken.
    pub fn remove(&self, key: impl Display) {
        tracing::warn!(key = %key, "a broken {} was removed", self.kind.name);
        let _ = fs::remove_file(self.path(key));
    }

    /// A new file, whose key may be known later only.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn begin(&self, key: impl Display) -> io::Result<Unfinished> {
        fs::create_dir_all(&self.directory)?;
        let name = format!("{key}-{}.{UNFINISHED}", unique());
        let path = self.directory.join(name);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        file.try_lock()?;
        Ok(Unfinished {
            path,
            file,
            room: Arc::clone(&self.room),
            reserved: 0,
        })
    }

    /// Makes room for so many bytes of a file that is being written, with its seal, before they are written.
    ///
    /// # Errors
    /// [`ErrorKind::QuotaExceeded`] if it is larger than all files together may be, [`ErrorKind::ResourceBusy`] if others that are being
    /// written leave too little, and if files cannot be removed.
    pub fn reserve(&self, unfinished: &mut Unfinished, length: u64) -> io::Result<()> {
        if !self.can_keep(length) {
            return Err(self.exceeded(length));
        }
        let more = (length + SEAL as u64).saturating_sub(unfinished.reserved);
        let mut room = lock(&self.room);
        if *room + more > self.size {
            return Err(ErrorKind::ResourceBusy.into());
        }
        self.make_room(*room + more)?;
        *room += more;
        unfinished.reserved += more;
        Ok(())
    }

    /// Seals a file that has been written, and gives it its name; returns its bytes.
    ///
    /// # Errors
    /// If it cannot be written, or is larger than all files together may be.
    pub fn publish(&self, key: impl Display, mut unfinished: Unfinished) -> io::Result<u64> {
        let mut file = unfinished.file()?;
        let length = file.seek(SeekFrom::End(0))?;
        file.write_all(&self.seal(&key, length))?;
        file.sync_all()?;
        if !self.can_keep(length) {
            return Err(self.exceeded(length));
        }
        let bytes = length + SEAL as u64;
        let mut room = lock(&self.room);
        *room -= mem::take(&mut unfinished.reserved);
        self.make_room(room.saturating_add(bytes))?;
        fs::rename(&unfinished.path, self.path(key))?;
        drop(room);
        File::open(&self.directory)?.sync_all()?;
        Ok(bytes)
    }

    fn exceeded(&self, length: u64) -> io::Error {
        let size = self.size;
        let problem = format!("{length} bytes are more than all files together may have: {size}");
        io::Error::new(ErrorKind::QuotaExceeded, problem)
    }

    fn path(&self, key: impl Display) -> PathBuf {
        let extension = self.kind.extension;
        self.directory.join(format!("{key}.{extension}"))
    }

    fn seal(&self, key: impl Display, length: u64) -> Vec<u8> {
        let key = key.to_string();
        [self.kind.seal, key.as_bytes(), &length.to_le_bytes()].concat()
    }

    /// The length of what precedes the seal, if that is right.
    fn sealed(&self, file: &mut File, key: impl Display) -> io::Result<Option<u64>> {
        let Some(length) = file.metadata()?.len().checked_sub(SEAL as u64) else {
            return Ok(None);
        };
        let mut found = [0; SEAL];
        file.seek(SeekFrom::Start(length))?;
        file.read_exact(&mut found)?;
        Ok((found[..] == self.seal(key, length)).then_some(length))
    }

    /// Removes what interrupted builds left; files of builds under way are locked.
    fn sweep(&self) -> io::Result<()> {
        for entry in self.entries(UNFINISHED)? {
            let Ok(file) = File::open(&entry.path) else {
                continue;
            };
            let is_new = entry.used.elapsed().is_ok_and(|age| age < JUST_BEGUN);
            match file.try_lock() {
                Ok(()) if is_new => {}
                // Another process that starts just now may be faster.
                Ok(()) => drop(found(fs::remove_file(&entry.path))?),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes files until so many bytes more are within the bound, those first that were not used for longest.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut entries = self.entries(self.kind.extension)?;
        entries.sort_by_key(|entry| entry.used);
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        for entry in entries {
            if total.saturating_add(bytes) <= self.size {
                break;
            }
            found(fs::remove_file(&entry.path))?;
            total -= entry.bytes;
        }
        Ok(())
    }

    /// The files with this extension; others may remove them meanwhile.
    fn entries(&self, extension: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_none_or(|found| found != extension) {
                continue;
            }
            if let Ok(metadata) = entry.metadata() {
                entries.push(Entry {
                    path,
                    bytes: metadata.len(),
                    used: metadata.modified()?,
                });
            }
        }
        Ok(entries)
    }
}

fn lock(room: &Room) -> MutexGuard<'_, u64> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where that is not possible, the time of making has to do.
fn mark_used(file: &File) {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let is_recent = modified.is_ok_and(|at| at.elapsed().is_ok_and(|elapsed| elapsed < SAME_USE));
    if !is_recent {
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const KIND: Kind = Kind {
        name: "test",
        extension: "dat",
        seal: b"azulejo a test!\n",
    };

    fn store(size: u64) -> (Store, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&KIND, folder.path().join("a/b"), size);
        store.prepare().unwrap();
        (store, folder)
    }

    fn key(name: &str) -> String {
        format!("{name:0>32}")
    }

    fn put(store: &Store, name: &str, bytes: usize) -> io::Result<u64> {
        let unfinished = store.begin(key(name))?;
        unfinished.file()?.write_all(&vec![1; bytes - SEAL])?;
        store.publish(key(name), unfinished)
    }

    fn set_used(store: &Store, name: &str, seconds_ago: u64) {
        let file = File::open(store.path(key(name))).unwrap();
        let then = SystemTime::now() - Duration::from_secs(seconds_ago);
        file.set_modified(then).unwrap();
    }

    fn names(store: &Store) -> usize {
        fs::read_dir(store.directory()).unwrap().count()
    }

    #[test]
    fn what_was_published_is_found_under_its_key_only() {
        let (store, _folder) = store(1000);
        assert!(store.open(key("a")).is_none());
        assert_eq!(put(&store, "a", 300).unwrap(), 300);
        assert!(store.contains(key("a")) && !store.contains(key("b")));
        assert_eq!(names(&store), 1, "nothing unfinished is left");
    }

    #[test]
    fn the_least_recently_used_go_first_and_stay_readable_for_who_has_them_open() {
        let (store, _folder) = store(1000);
        for (name, ago) in [("a", 9_000), ("b", 8_000), ("c", 7_000)] {
            put(&store, name, 300).unwrap();
            set_used(&store, name, ago);
        }
        let mut open = store.open(key("a")).unwrap().file;
        let mut oldest = File::open(store.path(key("b"))).unwrap();
        put(&store, "d", 300).unwrap();
        let stands = ["a", "b", "c", "d"].map(|name| store.contains(key(name)));
        assert_eq!(stands, [true, false, true, true], "a was used since");
        for file in [&mut open, &mut oldest] {
            file.rewind().unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len(), 300);
        }
    }

    #[test]
    fn the_bound_holds_for_one_file_and_for_those_of_before() {
        let (store, _folder) = store(1000);
        let error = put(&store, "a", 1001).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert_eq!(names(&store), 0);
        put(&store, "a", 500).unwrap();
        put(&store, "b", 500).unwrap();
        let smaller = Store::new(&KIND, store.directory().to_owned(), 600);
        smaller.prepare().unwrap();
        assert_eq!(names(&store), 1);
    }

    #[test]
    fn the_bound_holds_for_files_that_are_being_written_too() {
        let (store, _folder) = store(1000);
        put(&store, "a", 400).unwrap();
        let mut first = store.begin("fetched").unwrap();
        let mut second = store.begin("fetched").unwrap();
        store.reserve(&mut first, 500).unwrap();
        assert!(store.contains(key("a")));
        let busy = |result: io::Result<()>| result.unwrap_err().kind() == ErrorKind::ResourceBusy;
        assert!(busy(store.reserve(&mut second, 500)));
        store.reserve(&mut second, 300).unwrap();
        assert!(!store.contains(key("a")), "it makes place");
        assert!(busy(store.reserve(&mut first, 700)));
        drop(second);
        store.reserve(&mut first, 700).unwrap();
        first.file().unwrap().write_all(&[1; 600]).unwrap();
        store.publish(key("b"), first).unwrap();
        let mut third = store.begin("fetched").unwrap();
        store.reserve(&mut third, 200).unwrap();
        assert!(store.contains(key("b")));
        let error = store.reserve(&mut third, 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    }

    #[test]
    fn leftovers_are_swept_and_files_under_way_are_not() {
        let (store, _folder) = store(1000);
        let under_way = store.begin(key("a")).unwrap();
        let left = store.directory().join("x-1-1.tmp");
        fs::write(&left, "left").unwrap();
        let other = Store::new(&KIND, store.directory().to_owned(), 1000);
        other.prepare().unwrap();
        assert_eq!(names(&store), 2, "it may be just begun");
        let then = SystemTime::now() - 2 * JUST_BEGUN;
        File::open(&left).unwrap().set_modified(then).unwrap();
        other.prepare().unwrap();
        assert_eq!(names(&store), 1);
        under_way.file().unwrap().write_all(&[1; 100]).unwrap();
        store.publish(key("a"), under_way).unwrap();
        assert!(other.contains(key("a")));
    }

    #[test]
    fn cut_grown_and_foreign_files_are_removed() {
        let (store, _folder) = store(10_000);
        let damages: [fn(&mut Vec<u8>); 4] = [
            |bytes| bytes.truncate(250),
            |bytes| bytes.truncate(10),
            |bytes| bytes.push(0),
            Vec::clear,
        ];
        for damage in damages {
            put(&store, "a", 300).unwrap();
            let path = store.path(key("a"));
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
            assert!(store.open(key("a")).is_none());
            assert!(!path.exists());
        }
        put(&store, "a", 300).unwrap();
        fs::rename(store.path(key("a")), store.path(key("b"))).unwrap();
        assert!(store.open(key("b")).is_none());
        assert_eq!(names(&store), 0);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = Store::new(&KIND, file.path().join("below"), 1000);
        assert!(store.prepare().is_err());
        assert!(store.open(key("a")).is_none());
    }
}
