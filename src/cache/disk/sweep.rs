//! Counts what the directory holds, and removes what is too old or too much.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::amount::Amount;
use super::files::{ENTRIES, Files, OURS, TEMPORARY, TRASH, last_use};
use super::oldest::Oldest;
use crate::files::found;

/// From so many hundredths of the bound on room is made…
const NEARLY_FULL: i64 = 95;
/// …until only so many are taken.
const ROOMY: i64 = 90;
/// No record takes longer to write.
const LEFT: Duration = Duration::from_secs(600);

/// An entry on the disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub amount: Amount,
    pub written: SystemTime,
    pub used: SystemTime,
}

impl Files {
    /// Removes leftovers and expired entries, counts the others, and makes room.
    ///
    /// # Errors
    /// If the directory cannot be read or changed.
    pub fn sweep(&self) -> io::Result<()> {
        self.empty_trash()?;
        self.remove_leftovers()?;
        self.count(|_| {})?;
        self.make_room()
    }

    /// Removes what was purged. Other processes may do the same.
    ///
    /// # Errors
    /// If it stays.
    pub fn empty_trash(&self) -> io::Result<()> {
        for entry in list(&self.root.join(TRASH))?.iter().filter(is_ours) {
            self.remove_all(entry)?;
        }
        Ok(())
    }

    /// Removes the entries that were not used for longest, if the disk is nearly full.
    ///
    /// # Errors
    /// If the directory cannot be read or changed.
    pub fn make_room(&self) -> io::Result<()> {
        // What other processes wrote is known only after the first round.
        for _ in 0..2 {
            if !self.is_nearly_full() {
                break;
            }
            let mut oldest = Oldest::new(self.held.get() - self.bound.percent(ROOMY));
            self.count(|found| oldest.offer(found))?;
            self.evict(oldest)?;
        }
        Ok(())
    }

    pub fn is_nearly_full(&self) -> bool {
        self.held.get().exceeds(self.bound.percent(NEARLY_FULL))
    }

    fn evict(&self, oldest: Oldest) -> io::Result<()> {
        for entry in oldest.in_order() {
            if !self.held.get().exceeds(self.bound.percent(ROOMY)) {
                break;
            }
            if found(fs::remove_file(&entry.path))?.is_some() {
                self.evictions.add_one();
            }
            self.held.subtract(entry.amount);
        }
        Ok(())
    }

    /// Removes a folder with all that is in it, or a file; of a link, the link.
    fn remove_all(&self, entry: &DirEntry) -> io::Result<()> {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            for inner in list(&path)? {
                self.remove_all(&inner)?;
            }
            return found(fs::remove_dir(&path)).map(drop);
        }
        let length = entry.metadata().map_or(0, |metadata| metadata.len());
        if found(fs::remove_file(&path))?.is_some() {
            self.held.subtract(Amount::of(length));
        }
        Ok(())
    }

    /// Removes what processes that were killed left; others may be writing.
    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in list(&self.root.join(TEMPORARY))?.iter().filter(is_ours) {
            let Some(metadata) = found(entry.metadata())? else {
                continue;
            };
            if is_older(metadata.modified()?, LEFT) {
                found(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Corrects what is held; what is written meanwhile may count twice until the next time.
    fn count(&self, mut visit: impl FnMut(Found)) -> io::Result<()> {
        let before = self.held.get();
        let mut counted = Amount::default();
        self.walk(|found| {
            counted = counted + found.amount;
            visit(found);
        })?;
        self.held.add(counted - before);
        Ok(())
    }

    /// Visits all entries, and removes expired ones and empty folders on the way.
    fn walk(&self, mut visit: impl FnMut(Found)) -> io::Result<()> {
        for shard in folders(&self.root.join(ENTRIES), 2)? {
            for image in folders(&shard, 32)? {
                let mut is_empty = true;
                for entry in list(&image)? {
                    is_empty = false;
                    if let Some(entry) = look(&entry)? {
                        self.keep_or_expire(entry, &mut visit)?;
                    }
                }
                if is_empty {
                    // If it is not empty any more, it stays.
                    let _ = fs::remove_dir(&image);
                }
            }
        }
        Ok(())
    }

    fn keep_or_expire(&self, entry: Found, visit: &mut impl FnMut(Found)) -> io::Result<()> {
        if self.ttl.is_some_and(|ttl| is_older(entry.written, ttl)) {
            return found(fs::remove_file(&entry.path)).map(drop);
        }
        visit(entry);
        Ok(())
    }
}

/// An entry, unless it is something else or was removed just now.
fn look(entry: &DirEntry) -> io::Result<Option<Found>> {
    if !is_name(entry, 32) {
        return Ok(None);
    }
    let Some(metadata) = found(entry.metadata())?.filter(fs::Metadata::is_file) else {
        return Ok(None);
    };
    Ok(Some(Found {
        path: entry.path(),
        amount: Amount::of(metadata.len()),
        written: metadata.modified()?,
        used: last_use(&metadata)?,
    }))
}

/// The folders with names of so many digits.
fn folders(path: &Path, digits: usize) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in list(path)? {
        if is_name(&entry, digits) && entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn is_name(entry: &DirEntry, digits: usize) -> bool {
    let name = entry.file_name();
    name.len() == digits && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit)
}

fn is_ours(entry: &&DirEntry) -> bool {
    entry.path().extension().is_some_and(|found| found == OURS)
}

/// What is in a folder; nothing, if it does not exist.
fn list(path: &Path) -> io::Result<Vec<DirEntry>> {
    found(fs::read_dir(path))?.map_or_else(|| Ok(Vec::new()), Iterator::collect)
}

fn is_older(time: SystemTime, age: Duration) -> bool {
    time.elapsed().is_ok_and(|elapsed| elapsed > age)
}
