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
#[cfg(test)]
mod tests;

pub use super::location::SCHEME;
pub use documents::Folder;
pub use fetch::PIECE;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use uuid::Uuid;

use self::quiet::Quiet;
use self::scratch::Scratch;
use super::asset::{AssetKey, Place};
use super::config::{CompositesConfig, Mode};
use super::store::{ASSET, COMPOSITE, DISCARD, Image, Store};
use crate::config::Config;
use crate::config::byte_size::ByteSize;
use crate::decode::Limits;
use crate::queue::{Failure, Job, Pace, Runner, Work};
use crate::registry::RegistryError;
use crate::source::Source;
use crate::source::remote::Shared;
use crate::source::remote::config::RemoteConfig;
use crate::source::remote::http::{self, Fetcher};
use crate::work;

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
    /// For each [`PIECE`] of a document that is fetched: a server that hardly sends anything does not keep a worker for long.
    pub per_piece: Duration,
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

/// Bytes of images that are only looked at, to be looked at again.
const BLOCKS: u64 = 8 << 20;

impl Settings {
    fn new(composites: &CompositesConfig, folder: &Path, limits: &Limits) -> Self {
        Self {
            folder: folder.to_owned(),
            rasterizes: composites.mode == Mode::Rasterize,
            most_pages: composites.max_pages,
            scratch_bytes: composites.scratch,
            per_batch: composites.batch_size as usize,
            workers: composites.workers.into(),
            per_piece: Duration::from_secs(30),
            limits: *limits,
        }
    }
}

/// As it is configured.
pub fn pace(composites: &CompositesConfig) -> Pace {
    Pace {
        attempts: composites.attempts.into(),
        patience: composites.job_timeout(),
        ..Pace::default()
    }
}

impl Steps {
    /// As it is configured. `None` where there are no composites.
    ///
    /// # Errors
    /// If the servers that may be asked cannot be understood.
    pub fn open(config: &Config, store: Store, work: work::Work) -> io::Result<Option<Self>> {
        let composites = &config.composites;
        let Some(folder) = &composites.folder else {
            return Ok(None);
        };
        let origins = composites.origins.source();
        let shared = Shared::new(&RemoteConfig {
            blocks: Some(ByteSize(BLOCKS)),
            ..config.sources.remote.clone()
        });
        let images = Arc::new(http::open(&origins, &shared)?);
        let settings = Settings::new(composites, folder, &config.decode);
        let fetcher = Fetcher::new(&origins)?;
        Ok(Some(Self::new(store, fetcher, images, work, settings)))
    }

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
    pub async fn start(self, pace: Pace) -> io::Result<Runner> {
        let queue = self.store.queue().at(pace);
        let is_alive = async |lease| queue.is_alive(lease).await;
        self.scratch.sweep(is_alive).await?;
        let workers = self.settings.workers;
        Ok(Runner::start(&queue, self, workers))
    }

    async fn asset(&self, job: &Job) -> Result<(), Failure> {
        let image = image(job)?;
        let (images, limits) = (Arc::clone(&self.images), self.settings.limits);
        let origin = image.origin.clone();
        // It waits for the origin, mostly.
        let looking = spawn_blocking(move || image::look(&*images, &limits, &origin));
        let place = looking.await.map_err(|error| busy(error.into()))??;
        self.tell(job, &image, Ok(&place)).await?;
        Ok(())
    }

    /// Removes the files of a member, unless they are still needed.
    async fn discard(&self, job: &Job) -> Result<(), Failure> {
        let member = Uuid::try_parse(&job.subject);
        let member = member.map_err(|error| Failure::Permanent(format!("no member: {error}")))?;
        if self.store.is_needed(member).await? {
            return Ok(());
        }
        let folder = self.folder.clone();
        let discarded = spawn_blocking(move || folder.discard(member)).await;
        let discarded = discarded.map_err(|error| busy(error.into()))?;
        discarded.map_err(|error| failure::of_writing(&error))?;
        Ok(self.store.discarded(member).await?)
    }

    async fn tell(
        &self,
        job: &Job,
        image: &Image,
        found: Result<&Place, &str>,
    ) -> Result<(), RegistryError> {
        let key = AssetKey {
            customer: image.customer,
            space: image.space,
            id: image.id.clone(),
        };
        let told = self.store.ingested(job.lease, &key, &image.origin, found);
        told.await.map(drop)
    }
}

impl Work for Steps {
    async fn run(&self, job: &Job) -> Result<(), Failure> {
        match job.kind.as_str() {
            COMPOSITE => self.composite(job).await,
            ASSET => self.asset(job).await,
            DISCARD => self.discard(job).await,
            other => Err(Failure::Permanent(format!(
                "unknown: a job of kind {other}"
            ))),
        }
    }

    async fn give_up(&self, job: &Job, error: &str) -> Result<(), RegistryError> {
        if job.kind == COMPOSITE
            && let Ok(member) = Uuid::try_parse(&job.subject)
        {
            // Final already: nobody needs to be told, and if it has become images, they are delivered from its files.
            let _ = self.store.fail(member, error).await?;
            let _ = self.discard(job).await;
        } else if let Ok(image) = image(job) {
            self.tell(job, &image, Err(error)).await?;
        }
        Ok(())
    }
}

fn image(job: &Job) -> Result<Image, Failure> {
    let image = serde_json::from_str(&job.payload);
    image.map_err(|error| Failure::Permanent(format!("the job cannot be read: {error}")))
}

/// Of a thread that could not be started.
fn busy(error: io::Error) -> Failure {
    tracing::error!(%error, "no thread can be started");
    Failure::Transient("the server is too busy".to_owned())
}
