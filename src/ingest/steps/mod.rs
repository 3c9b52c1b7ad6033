//! From a PDF, or another document with pages, to images: what is done for a job.
//!
//! | file | state |
//! |---|---|
//! | `fetch`, `scratch` | `FETCHING_ORIGIN`: the document becomes a file of ours |
//! | `pages` | `RASTERIZING`: its pages are counted and measured |
//! | `pyramids` | `PUSHING_TO_DLCS`: their pyramids are written, if they are to be copies |
//! | `composite` | `BUILDING_DLCS_REQUEST`, `COMPLETED`: all of them become assets at once |
//!
//! Each step finds out what there is already: after a crash the next attempt goes on, and ends with the same files and rows.

mod composite;
mod documents;
mod failure;
mod fetch;
mod image;
mod pages;
mod pyramids;
mod quiet;
mod scratch;

pub use documents::Folder;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::quiet::Quiet;
use self::scratch::Scratch;
use super::asset::AssetKey;
use super::store::Store;
use crate::decode::Limits;
use crate::queue::{Failure, Job, Queue, Runner, Work};
use crate::registry::RegistryError;
use crate::source::Source;
use crate::source::remote::http::Fetcher;
use crate::work;

/// Kinds of jobs. The subject of a composite's is the member.
pub const COMPOSITE: &str = "composite";
/// The subject of an asset's is its key; the payload an [`Origin`].
pub const ASSET: &str = "asset";

/// Which asset is to be ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub customer: i64,
    pub space: i64,
    pub id: String,
    /// As it was when this became necessary.
    pub origin: String,
}

/// What the steps may cost, and whether pages are copied.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where documents, and pages that are copied, are kept.
    pub folder: PathBuf,
    /// Whether each page becomes a pyramid of its own.
    pub rasterizes: bool,
    /// Pages of a document.
    pub most_pages: u32,
    /// Bytes of all that is being fetched at a time.
    pub scratch_bytes: u64,
    /// Assets of one batch.
    pub per_batch: usize,
    pub workers: usize,
    pub limits: Limits,
}

/// Who does the jobs of composites and assets.
pub struct Steps {
    store: Store,
    fetcher: Fetcher,
    /// Where single images are looked at.
    images: Arc<dyn Source>,
    work: work::Work,
    quiet: Quiet,
    folder: Folder,
    scratch: Scratch,
    settings: Settings,
}

impl Steps {
    pub fn new(
        store: Store,
        fetcher: Fetcher,
        images: Arc<dyn Source>,
        work: work::Work,
        settings: Settings,
    ) -> Self {
        let folder = Folder::new(settings.folder.clone());
        Self {
            store,
            fetcher,
            images,
            work,
            quiet: Quiet::default(),
            scratch: Scratch::new(folder.scratch(), settings.scratch_bytes),
            folder,
            settings,
        }
    }

    /// Removes what ended processes have left, and begins.
    ///
    /// # Errors
    /// If the folder cannot be written to, or the database does not answer.
    pub async fn start(self, queue: &Queue) -> io::Result<Runner> {
        let is_alive = async |lease| queue.is_alive(lease).await;
        self.scratch.sweep(is_alive).await?;
        let workers = self.settings.workers;
        Ok(Runner::start(queue, self, workers))
    }

    async fn asset(&self, job: &Job) -> Result<(), Failure> {
        let origin = origin(job)?;
        let (images, limits) = (Arc::clone(&self.images), self.settings.limits);
        let url = origin.origin.clone();
        let looked = self.quiet.run(move |_| image::look(&*images, &limits, &url));
        let place = looked.await.map_err(busy)??;
        let key = key(&origin);
        self.store.ingested(&key, &origin.origin, Ok(&place)).await?;
        Ok(())
    }
}

impl Work for Steps {
    async fn run(&self, job: &Job) -> Result<(), Failure> {
        match job.kind.as_str() {
            COMPOSITE => self.composite(job).await,
            ASSET => self.asset(job).await,
            other => Err(Failure::Permanent(format!("unknown: a job of kind {other}"))),
        }
    }

    async fn give_up(&self, job: &Job, error: &str) -> Result<(), RegistryError> {
        if let Ok(member) = Uuid::try_parse(&job.subject) {
            // Final already: nobody needs to be told.
            let _ = self.store.fail(member, error).await?;
        } else if let Ok(origin) = origin(job) {
            self.store.ingested(&key(&origin), &origin.origin, Err(error)).await?;
        }
        Ok(())
    }
}

fn origin(job: &Job) -> Result<Origin, Failure> {
    let origin = serde_json::from_str(&job.payload);
    origin.map_err(|error| Failure::Permanent(format!("the job cannot be read: {error}")))
}

fn key(origin: &Origin) -> AssetKey {
    AssetKey {
        customer: origin.customer,
        space: origin.space,
        id: origin.id.clone(),
    }
}

/// Of a thread that could not be started.
fn busy(error: io::Error) -> Failure {
    tracing::error!(%error, "no thread can be started");
    Failure::Transient("the server is too busy".to_owned())
}
