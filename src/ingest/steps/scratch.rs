//! Files that are not whole yet. Each has the name of the lease under which it is written: when that has ended, nobody needs it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::files::{found, unique};
use crate::queue::Lease;
use crate::registry::RegistryError;

const EXTENSION: &str = "tmp";
const MEBIBYTE: u64 = 1 << 20;

/// A folder for such files, with a bound for all that this process writes at a time.
pub struct Scratch {
    folder: PathBuf,
    room: Arc<Semaphore>,
    /// In mebibytes.
    size: u32,
}

/// A file that is being written; removed when it is dropped before it was kept.
pub struct Unfinished {
    path: PathBuf,
    file: Option<File>,
    room: OwnedSemaphorePermit,
    length: u64,
}

/// Why there is no room.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// There never will be.
    #[error("it is larger than all files together that are fetched at a time may be")]
    Ever,
    #[error("other files that are being fetched leave no room for it")]
    Now,
}

impl Scratch {
    pub fn new(folder: PathBuf, bytes: u64) -> Self {
        let size = mebibytes(bytes).min(u32::MAX / 8);
        Self {
            folder,
            room: Arc::new(Semaphore::new(size as usize)),
            size,
        }
    }

    /// Removes what is left of leases that have ended, whichever node of those that share the folder had them.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub async fn sweep(
        &self,
        is_alive: impl AsyncFn(Lease) -> Result<bool, RegistryError>,
    ) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let Some(lease) = lease(&path) else {
                continue;
            };
            if !is_alive(lease).await.map_err(io::Error::other)? {
                found(fs::remove_file(&path))?;
            }
        }
        Ok(())
    }

    /// A new file, with room for so many bytes if it is known how many will come. Then it is waited for.
    ///
    /// # Errors
    /// If it cannot be made; [`NoRoom::Ever`] within it.
    pub async fn begin(&self, lease: Lease, size: Option<u64>) -> io::Result<Unfinished> {
        let size = mebibytes(size.unwrap_or(0));
        if size > self.size {
            return Err(io::Error::other(NoRoom::Ever));
        }
        let room = Arc::clone(&self.room).acquire_many_owned(size).await;
        let room = room.map_err(io::Error::other)?;
        let Lease { job, number } = lease;
        let name = format!("{job}-{number}-{}.{EXTENSION}", unique());
        let path = self.folder.join(name);
        let file = {
            let (folder, path) = (self.folder.clone(), path.clone());
            blocking(move || {
                fs::create_dir_all(folder)?;
                File::create_new(path)
            })
        };
        Ok(Unfinished {
            file: Some(file.await?),
            path,
            room,
            length: 0,
        })
    }

    /// Appends to a file, if there is room.
    ///
    /// # Errors
    /// If it cannot be written; [`NoRoom`] within it.
    pub async fn append(&self, unfinished: &mut Unfinished, bytes: Bytes) -> io::Result<()> {
        unfinished.length += bytes.len() as u64;
        self.make_room(unfinished)?;
        let file = unfinished.file.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let written = blocking(move || {
            (&file).write_all(&bytes)?;
            Ok(file)
        });
        unfinished.file = Some(written.await?);
        Ok(())
    }

    /// Who waits for more could wait for another one who does.
    fn make_room(&self, unfinished: &mut Unfinished) -> io::Result<()> {
        let needed = mebibytes(unfinished.length);
        if needed > self.size {
            return Err(io::Error::other(NoRoom::Ever));
        }
        let held = unfinished.room.num_permits() as u32;
        if needed > held {
            let more = Arc::clone(&self.room).try_acquire_many_owned(needed - held);
            let more = more.map_err(|_| io::Error::other(NoRoom::Now))?;
            unfinished.room.merge(more);
        }
        Ok(())
    }
}

impl Unfinished {
    /// Gives it its name, below a folder that is made. It is there after a loss of power, whole.
    ///
    /// # Errors
    /// If it cannot be written or renamed.
    pub async fn keep(mut self, to: PathBuf) -> io::Result<()> {
        let file = self.file.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let from = self.path.clone();
        blocking(move || {
            file.sync_all()?;
            publish(&from, &to)
        })
        .await
    }

    /// To write to in another way.
    ///
    /// # Errors
    /// If there are too many open files.
    pub fn file(&self) -> io::Result<File> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        file.try_clone()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Renamed already, or of no use: if it stays, it is swept.
        let _ = fs::remove_file(&self.path);
    }
}

fn publish(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    fs::rename(from, to)?;
    File::open(folder)?.sync_all()
}

/// Under which a file was written, by its name.
fn lease(path: &Path) -> Option<Lease> {
    if path.extension()? != EXTENSION {
        return None;
    }
    let mut parts = path.file_stem()?.to_str()?.split('-');
    Some(Lease {
        job: parts.next()?.parse().ok()?,
        number: parts.next()?.parse().ok()?,
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Lease = Lease { job: 7, number: 2 };

    fn scratch(bytes: u64) -> (Scratch, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Scratch::new(folder.path().join("scratch"), bytes), folder)
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder.join("scratch")).unwrap().count()
    }

    fn no_room(result: io::Result<impl Sized>) -> String {
        result.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn what_is_kept_is_there_and_what_is_dropped_is_not() {
        let (scratch, folder) = scratch(10 * MEBIBYTE);
        let mut kept = scratch.begin(LEASE, None).await.unwrap();
        scratch.append(&mut kept, "ab".into()).await.unwrap();
        scratch.append(&mut kept, "c".into()).await.unwrap();
        let dropped = scratch.begin(LEASE, Some(5)).await.unwrap();
        assert_eq!(files(folder.path()), 2);
        drop(dropped);
        let to = folder.path().join("a/b/c.pdf");
        kept.keep(to.clone()).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"abc");
        assert_eq!(files(folder.path()), 0);
        // The same again is no harm.
        let again = scratch.begin(LEASE, None).await.unwrap();
        again.keep(to.clone()).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"");
    }

    #[tokio::test]
    async fn leftovers_of_leases_that_have_ended_are_swept() {
        let (scratch, folder) = scratch(10 * MEBIBYTE);
        let ended = Lease { job: 6, number: 1 };
        for lease in [LEASE, ended] {
            std::mem::forget(scratch.begin(lease, None).await.unwrap());
        }
        fs::write(folder.path().join("scratch/not-ours"), "").unwrap();
        scratch
            .sweep(async |lease| Ok(lease == LEASE))
            .await
            .unwrap();
        assert_eq!(files(folder.path()), 2);
        scratch.sweep(async |_| Ok(false)).await.unwrap();
        assert_eq!(files(folder.path()), 1);
    }

    #[tokio::test]
    async fn there_is_a_bound_for_all_files_together() {
        let (scratch, _folder) = scratch(3 * MEBIBYTE);
        let mebibyte = Bytes::from(vec![0; MEBIBYTE as usize]);
        let error = scratch.begin(LEASE, Some(3 * MEBIBYTE + 1)).await;
        assert!(no_room(error).contains("larger"));
        let known = scratch.begin(LEASE, Some(2 * MEBIBYTE)).await.unwrap();
        let mut unknown = scratch.begin(LEASE, None).await.unwrap();
        scratch
            .append(&mut unknown, mebibyte.clone())
            .await
            .unwrap();
        let error = scratch.append(&mut unknown, mebibyte.clone()).await;
        assert!(no_room(error).contains("other files"));
        drop(unknown);
        let waiting = scratch.begin(LEASE, Some(2 * MEBIBYTE));
        let releasing = async { drop(known) };
        let (waited, ()) = tokio::join!(waiting, releasing);
        let mut waited = waited.unwrap();
        for _ in 0..3 {
            scratch.append(&mut waited, mebibyte.clone()).await.unwrap();
        }
        assert!(no_room(scratch.append(&mut waited, mebibyte).await).contains("larger"));
    }
}
