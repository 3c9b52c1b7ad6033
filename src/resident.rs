//! Files that the operating system has in memory: looked at and read without waiting for a disk or another machine.
//!
//! For the threads that serve connections, which must never wait. Whatever is not in memory, or may be out of date there,
//! is `None`: then a thread that may wait has to look.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags, fstatfs, makedev, openat2, statx,
};
use rustix::io::{ReadWriteFlags, preadv2};

/// ext2 to ext4, XFS, F2FS (statfs(2)): on disks of this machine alone, so that what it has in memory of them is how they
/// are.
const LOCAL: [u64; 3] = [0xEF53, 0x5846_5342, 0xF2F5_2010];

/// Devices, and whether they were found to have such a file system.
static DEVICES: RwLock<BTreeMap<u64, bool>> = RwLock::new(BTreeMap::new());

/// Notes whether files of this file's device can be looked at in this way; until then they cannot. This may wait.
pub fn learn(file: &File, device: u64) {
    if found(device).is_some() {
        return;
    }
    let is_local = fstatfs(file).is_ok_and(|found| LOCAL.contains(&found.f_type.cast_unsigned()));
    let mut devices = DEVICES.write().unwrap_or_else(PoisonError::into_inner);
    devices.insert(device, is_local);
}

/// `None` if nobody has looked.
fn found(device: u64) -> Option<bool> {
    let devices = DEVICES.read().unwrap_or_else(PoisonError::into_inner);
    devices.get(&device).copied()
}

fn is_known(device: u64) -> bool {
    found(device) == Some(true)
}

/// The state of a file below a directory; neither `..` nor a symbolic link leads out of it.
pub fn find(directory: impl AsFd, path: &str) -> Option<Statx> {
    let below = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = open(directory, Path::new(path), OFlags::PATH, below)?;
    state(&file)
}

/// The state and all bytes of a file of at most so many. This is no use of it: the time of access stays.
pub fn read(path: &Path, most: u64) -> Option<(Statx, Vec<u8>)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOATIME;
    let file = open(CWD, path, flags, ResolveFlags::empty())?;
    let state = state(&file).filter(|state| state.stx_size <= most)?;
    let mut bytes = vec![0; usize::try_from(state.stx_size).ok()?];
    let slices = &mut [IoSliceMut::new(&mut bytes)];
    let length = preadv2(&file, slices, 0, ReadWriteFlags::NOWAIT).ok()?;
    (length == bytes.len()).then_some((state, bytes))
}

/// Fills the buffer from an offset of an open file of this device: whether it did.
pub fn read_at(file: &File, device: u64, buffer: &mut [u8], offset: u64) -> bool {
    let wanted = buffer.len();
    let slices = &mut [IoSliceMut::new(buffer)];
    if !is_known(device) {
        return false;
    }
    let read = preadv2(file, slices, offset, ReadWriteFlags::NOWAIT);
    read.is_ok_and(|length| length == wanted)
}

fn open(
    directory: impl AsFd,
    path: &Path,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Option<OwnedFd> {
    let (flags, resolve) = (flags | OFlags::CLOEXEC, resolve | ResolveFlags::CACHED);
    openat2(directory, path, flags, Mode::empty(), resolve).ok()
}

fn state(file: &OwnedFd) -> Option<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let state = statx(file, c"", flags, StatxFlags::BASIC_STATS).ok()?;
    is_known(device(&state)).then_some(state)
}

/// The number of the device, as stat(2) gives it.
pub fn device(state: &Statx) -> u64 {
    makedev(state.stx_dev_major, state.stx_dev_minor)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// On the file system that the tests run on, which need not be one of those.
    fn learned(file: &Path) -> bool {
        let file = File::open(file).unwrap();
        let device = file.metadata().unwrap().dev();
        learn(&file, device);
        is_known(device)
    }

    #[test]
    fn what_was_just_written_is_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"some bytes").unwrap();
        let is_local = learned(&path);
        let read = read(&path, 10);
        assert_eq!(read.is_some(), is_local);
        let Some((state, bytes)) = read else { return };
        assert_eq!((state.stx_size, &*bytes), (10, &b"some bytes"[..]));
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(device(&state), metadata.dev());
        assert!(super::read(&path, 9).is_none(), "too large");
    }

    #[test]
    fn an_open_file_is_read_at_once_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"some bytes").unwrap();
        let is_local = learned(&path);
        let file = File::open(&path).unwrap();
        let device = file.metadata().unwrap().dev();
        let mut buffer = [0; 5];
        assert_eq!(read_at(&file, device, &mut buffer, 5), is_local);
        if is_local {
            assert_eq!(buffer, *b"bytes");
        }
        assert!(!read_at(&file, device, &mut buffer, 6), "beyond its end");
        assert!(!read_at(&file, u64::MAX, &mut buffer, 5), "unknown");
    }

    #[test]
    fn nothing_outside_of_the_directory_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"a").unwrap();
        fs::create_dir(folder.path().join("inside")).unwrap();
        std::os::unix::fs::symlink("../a", folder.path().join("inside/link")).unwrap();
        let is_local = learned(&path);
        let find = |directory, path| find(File::open(folder.path().join(directory)).unwrap(), path);
        assert_eq!(find(".", "a").is_some(), is_local);
        assert!(find("inside", "../a").is_none() && find("inside", "link").is_none());
        assert!(find(".", "b").is_none());
    }
}
