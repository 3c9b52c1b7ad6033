//! Whole files, fetched once and kept on disk.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::ask::{State, Validators};
use super::chunks::Chunks;
use super::config::CopiesConfig;
use super::error::{Failure, RemoteError};
use super::flights::Flights;
use crate::files::store::{Kind, Store, Unfinished};
use crate::source::FileInput;

const KIND: Kind = Kind {
    name: "copy",
    extension: "copy",
    seal: b"azulejo  a copy\n",
};
/// Bytes written at once, at most.
const PIECE: usize = 1 << 20;
/// Bytes for which room is made at once, where it is not known how many will come.
const STEP: u64 = 16 << 20;
const NOT_KEPT: RemoteError =
    RemoteError::Broken("the file is needed as a whole, and no copy can be kept");

const NO_ROOM: RemoteError = RemoteError::Failed(Failure::Busy);
/// For how long a fetch waits for room, and between two looks.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(200);

/// The copies of all sources.
pub struct Copies {
    store: Option<Arc<Store>>,
    flights: Flights<u128, Arc<FileInput>>,
}

/// A file that was fetched to its end.
pub struct Fetched {
    pub length: u64,
    /// The digest of its bytes.
    pub digest: String,
    unfinished: Unfinished,
}

impl Copies {
    /// Without a directory that can be written to there are none, and only those files are missed that can be read in no other way.
    pub fn new(config: &CopiesConfig) -> Self {
        let store = config.resolved_directory().and_then(|directory| {
            let store = Store::new(&KIND, directory, config.size);
            let ready = store.prepare();
            if let Err(error) = &ready {
                let directory = store.directory().display();
                tracing::warn!(%error, "no remote files are copied: {directory} cannot be written to");
            }
            ready.is_ok().then(|| Arc::new(store))
        });
        Self {
            store,
            flights: Flights::default(),
        }
    }

    /// The copies that are being made, by what they will stand for.
    pub fn flights(&self) -> &Flights<u128, Arc<FileInput>> {
        &self.flights
    }

    /// Whether a file of so many bytes can be kept at all.
    pub fn can_keep(&self, size: u64) -> bool {
        let store = self.store.as_ref();
        store.is_some_and(|store| store.can_keep(size))
    }

    /// The copy of this state of a file.
    pub fn open(&self, id: u128) -> Option<Arc<FileInput>> {
        let kept = self.store.as_ref()?.open(name(id))?;
        Some(Arc::new(FileInput::new(kept.file, kept.length)))
    }

    /// A file that has no name yet, with room for so many bytes.
    ///
    /// # Errors
    /// If it can never be kept; [`Failure::Busy`] if others that are being fetched leave no room for a while.
    pub async fn begin(&self, size: Option<u64>) -> Result<Unfinished, RemoteError> {
        let start = Instant::now();
        loop {
            let store = self.store.clone().ok_or(NOT_KEPT)?;
            let begun = tokio::task::spawn_blocking(move || begin(&store, size.unwrap_or(0)));
            let begun = begun.await.unwrap_or(Err(NOT_KEPT));
            if begun.as_ref().err() != Some(&NO_ROOM) || start.elapsed() > PATIENCE {
                return begun;
            }
            sleep(PAUSE).await;
        }
    }

    /// Writes all that comes to it. If there is more than it has room for, more is made.
    ///
    /// # Errors
    /// If not all comes, or it cannot be written.
    pub async fn fetch(
        &self,
        unfinished: Unfinished,
        body: Chunks,
    ) -> Result<Fetched, RemoteError> {
        let store = self.store.clone().ok_or(NOT_KEPT)?;
        let handle = Handle::current();
        let written = handle.spawn_blocking({
            let handle = handle.clone();
            move || write(&store, unfinished, &handle, body)
        });
        written.await.unwrap_or(Err(NOT_KEPT))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// If it cannot be synced or renamed, or there is no room.
    pub async fn publish(&self, id: u128, fetched: Fetched) -> Result<Arc<FileInput>, RemoteError> {
        let store = self.store.clone().ok_or(NOT_KEPT)?;
        let published = tokio::task::spawn_blocking(move || {
            let published = store.publish(name(id), fetched.unfinished);
            published.map_err(not_kept)
        });
        published.await.unwrap_or(Err(NOT_KEPT))?;
        self.open(id).ok_or(NOT_KEPT)
    }
}

impl Fetched {
    /// The version of the state that was fetched: as the server says, or else the digest of the bytes.
    pub fn version(&self, validators: Validators) -> String {
        let size = self.length;
        let told = State { size, validators }.version();
        told.unwrap_or_else(|| self.digest.clone())
    }
}

fn begin(store: &Store, size: u64) -> Result<Unfinished, RemoteError> {
    let mut unfinished = store.begin("fetched").map_err(not_kept)?;
    store.reserve(&mut unfinished, size).map_err(not_kept)?;
    Ok(unfinished)
}

/// On a thread that may wait for the disk.
fn write(
    store: &Store,
    mut unfinished: Unfinished,
    handle: &Handle,
    mut body: Chunks,
) -> Result<Fetched, RemoteError> {
    let mut file = unfinished.file().map_err(not_kept)?;
    let (mut length, mut hasher) = (0, Sha256::new());
    while let Some(piece) = handle.block_on(body.next_or_end(PIECE))? {
        length += piece.len() as u64;
        extend(store, &mut unfinished, length).map_err(not_kept)?;
        hasher.update(&piece);
        file.write_all(&piece).map_err(not_kept)?;
    }
    let digest = hasher.finalize();
    let digits = digest[..16].iter().map(|byte| format!("{byte:02x}"));
    Ok(Fetched {
        length,
        digest: digits.collect(),
        unfinished,
    })
}

/// Makes room for a file that grows, for some time.
fn extend(store: &Store, unfinished: &mut Unfinished, length: u64) -> io::Result<()> {
    if unfinished.has_room(length) {
        return Ok(());
    }
    let ample = store.reserve(unfinished, length.next_multiple_of(STEP));
    ample.or_else(|_| store.reserve(unfinished, length))
}

fn not_kept(error: io::Error) -> RemoteError {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return NO_ROOM;
    }
    tracing::error!(%error, "a remote file cannot be copied");
    NOT_KEPT
}

fn name(id: u128) -> String {
    format!("{id:032x}")
}
