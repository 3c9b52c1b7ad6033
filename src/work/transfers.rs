//! Files that are sent while they are read, each for as long as its client takes.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Reserved, Work};
use crate::error::Error;

/// At once, where the limit of open files allows as many: each keeps a file open.
const MOST: usize = 256;

/// Clones share the bounds.
#[derive(Clone)]
pub struct Transfers {
    free: Arc<Semaphore>,
    /// Whose memory they take.
    work: Work,
}

/// A place for a file that is sent, until it is dropped.
pub struct Transfer {
    _place: OwnedSemaphorePermit,
    _memory: Reserved,
}

impl Transfers {
    pub fn new(work: &Work) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most())),
            work: work.clone(),
        }
    }

    /// Waits for so many bytes of memory, like all who need some.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many files are being sent, [`Error::BadRequest`] if there is never so much memory.
    pub async fn begin(&self, bytes: u64) -> Result<Transfer, Error> {
        let place = Arc::clone(&self.free).try_acquire_owned();
        Ok(Transfer {
            _place: place.map_err(|_| Error::Busy)?,
            _memory: self.work.reserve(bytes).await?,
        })
    }
}

/// At most an eighth of the files that the process may open: connections and opened images need most of them.
fn most() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let eighth = files.and_then(|files| usize::try_from(files / 8).ok());
    eighth.map_or(MOST, |eighth| eighth.clamp(1, MOST))
}
