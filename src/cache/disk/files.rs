//! The directory: which file holds which entry, and how it is read, written and removed.
//!
//! ```text
//! entries/<2 hex digits of the image>/<image>/<entry>
//! tmp/       records that are being written
//! trash/     what was purged and is removed in the background
//! ```

use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

use super::amount::{Amount, Held};
use crate::cache::report::Count;
use crate::cache::seal::LARGEST_RECORD;
use crate::cache::{CacheKey, EntryKey};
use crate::files::{found, unique};
use crate::resident;

pub const ENTRIES: &str = "entries";
pub const TEMPORARY: &str = "tmp";
pub const TRASH: &str = "trash";
/// Of names in `tmp` and `trash`: what does not end so is not ours and stays.
pub const OURS: &str = "azulejo";

/// Uses within this time count as one, so that a use is not always a write.
const SAME_USE: Duration = Duration::from_secs(3600);
/// How often a folder may be removed just before a file is moved into it.
const TRIES: u32 = 10;

/// All functions block.
pub struct Files {
    pub root: PathBuf,
    /// What there may be at most.
    pub bound: Amount,
    pub ttl: Option<Duration>,
    pub held: Held,
    pub evictions: Count,
}

impl Files {
    /// The record of an entry.
    ///
    /// # Errors
    /// If there is something that cannot be read, or is too large for a record.
    pub fn read(&self, key: &EntryKey) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = found(open(&self.path(key)))? else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > LARGEST_RECORD {
            return Err(ErrorKind::InvalidData.into());
        }
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let mut record = Vec::with_capacity(length);
        (&file).take(metadata.len()).read_to_end(&mut record)?;
        resident::learn(&file, metadata.dev());
        mark_used(&file, &metadata);
        Ok(Some(record))
    }

    /// The record of an entry, if it is small and the operating system has it in memory, and its use need not be noted:
    /// never waits.
    pub fn read_at_once(&self, key: &EntryKey) -> Option<Vec<u8>> {
        const MOST: u64 = 1 << 20;
        let (state, record) = resident::read(&self.path(key), MOST)?;
        let at = state.stx_atime.tv_sec.max(state.stx_mtime.tv_sec);
        let used = UNIX_EPOCH + Duration::from_secs(u64::try_from(at).ok()?);
        is_recent(used).then_some(record)
    }

    /// Keeps a record, if there is room, and it `is_wanted` still when all of it is on disk.
    ///
    /// # Errors
    /// If it cannot be written. Then nothing of it is left.
    pub fn write(
        &self,
        key: &EntryKey,
        record: &[u8],
        is_wanted: impl Fn() -> bool,
    ) -> io::Result<()> {
        let length = record.len() as u64;
        let new = Amount::of(length);
        if length > LARGEST_RECORD || (self.held.get() + new).exceeds(self.bound) {
            return self.remove(key);
        }
        let temporary = self.begin()?;
        (&temporary.file).write_all(record)?;
        temporary.file.sync_data()?;
        if !is_wanted() {
            return Ok(());
        }
        let path = self.path(key);
        let replaced = amount(&path);
        publish(&temporary, &path)?;
        self.held.add(new - replaced);
        Ok(())
    }

    /// # Errors
    /// If it is there and stays.
    pub fn remove(&self, key: &EntryKey) -> io::Result<()> {
        let path = self.path(key);
        let removed = amount(&path);
        if found(fs::remove_file(&path))?.is_some() {
            self.held.subtract(removed);
        }
        Ok(())
    }

    /// Takes all entries of an image away at once.
    ///
    /// # Errors
    /// If they stay.
    pub fn purge(&self, image: &CacheKey) -> io::Result<()> {
        self.discard(&self.folder(image))
    }

    /// Takes all entries away at once.
    ///
    /// # Errors
    /// If they stay.
    pub fn clear(&self) -> io::Result<()> {
        self.discard(&self.root.join(ENTRIES))
    }

    fn discard(&self, path: &Path) -> io::Result<()> {
        let trash = self.root.join(TRASH);
        fs::create_dir_all(&trash)?;
        found(fs::rename(path, trash.join(name()))).map(drop)
    }

    fn folder(&self, image: &CacheKey) -> PathBuf {
        let name = image.to_string();
        self.root.join(ENTRIES).join(&name[..2]).join(name)
    }

    fn path(&self, key: &EntryKey) -> PathBuf {
        self.folder(&key.image).join(key.entry.to_string())
    }

    fn begin(&self) -> io::Result<Temporary> {
        let folder = self.root.join(TEMPORARY);
        let path = folder.join(name());
        let create = || File::options().write(true).create_new(true).open(&path);
        let file = match create() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&folder)?;
                create()?
            }
            created => created?,
        };
        Ok(Temporary { path, file })
    }
}

/// A file that is removed when it is dropped before it was published.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed already, or of no use: if it stays, it is swept.
        let _ = fs::remove_file(&self.path);
    }
}

/// Gives a file its name. The folder may be purged or swept at any time.
fn publish(temporary: &Temporary, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    for _ in 1..TRIES {
        match fs::rename(&temporary.path, path) {
            Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(folder)?,
            done => return done,
        }
    }
    fs::rename(&temporary.path, path)
}

/// Neither follows a link nor waits for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    File::options()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
}

/// What is under this path, if it is a file.
fn amount(path: &Path) -> Amount {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Amount::of(metadata.len()),
        _ => Amount::default(),
    }
}

/// The time of access is that of the last use, also where the file system does not note it by itself; that of
/// modification tells when the entry was written.
pub fn last_use(metadata: &Metadata) -> io::Result<SystemTime> {
    let written = metadata.modified()?;
    Ok(metadata.accessed().map_or(written, |at| at.max(written)))
}

fn mark_used(file: &File, metadata: &Metadata) {
    if !last_use(metadata).is_ok_and(is_recent) {
        // On a read-only disk the time of writing has to do.
        let _ = file.set_times(FileTimes::new().set_accessed(SystemTime::now()));
    }
}

/// Whether a use at this time and one now count as one.
fn is_recent(use_at: SystemTime) -> bool {
    use_at.elapsed().is_ok_and(|age| age < SAME_USE)
}

/// A name of ours that no other process uses.
fn name() -> String {
    format!("{}.{OURS}", unique())
}
