//! The way of a composite through its states.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::documents::{document, pyramid};
use super::failure::of_writing;
use super::fetch::{Coming, fetch};
use super::pages::{Opened, Size};
use super::pyramids::Building;
use super::{Steps, busy};
use crate::ingest::asset::Place;
use crate::ingest::member::{Member, Progress};
use crate::ingest::status::Status;
use crate::page::Page;
use crate::queue::{Failure, Job, Lease};
use crate::source::FileInput;

/// A document that was fetched, and is open.
struct Document {
    location: String,
    opened: Arc<Opened>,
}

impl Steps {
    pub(super) async fn composite(&self, job: &Job) -> Result<(), Failure> {
        let Some(member) = self.wanted(job).await? else {
            return Ok(());
        };
        let document = self.document(&member, job.lease).await?;
        let sizes = self.sizes(&member, &document).await?;
        let places = self.places(job.lease, &document, &sizes).await?;
        self.finish(&member, &document, places).await
    }

    /// The member, unless it is finished, or replaced by another one.
    async fn wanted(&self, job: &Job) -> Result<Option<Member>, Failure> {
        let id = Uuid::try_parse(&job.subject);
        let id = id.map_err(|error| Failure::Permanent(format!("no member: {error}")))?;
        let member = self.store.member(id).await?;
        Ok(member.filter(|member| !member.status.is_final()))
    }

    /// Its document, fetched if an earlier attempt has not done so.
    async fn document(&self, member: &Member, lease: Lease) -> Result<Document, Failure> {
        let location = match member.document.clone() {
            Some(location) if self.path(&location)?.exists() => location,
            _ => self.fetched(member, lease).await?,
        };
        let progress = Progress {
            document: Some(location.clone()),
            ..Progress::default()
        };
        self.advance(member, Status::Rasterizing, progress).await?;
        let opened = self.opened(self.path(&location)?).await?;
        Ok(Document { location, opened })
    }

    async fn opened(&self, path: PathBuf) -> Result<Arc<Opened>, Failure> {
        let limits = self.settings.limits;
        let opening = move |_: &_| {
            let file = FileInput::open(&path).map_err(|error| of_writing(&error))?;
            Opened::new(Arc::new(file), &limits)
        };
        let opened = self.quiet.run(opening).await.map_err(busy)??;
        Ok(Arc::new(opened))
    }

    async fn fetched(&self, member: &Member, lease: Lease) -> Result<String, Failure> {
        self.advance(member, Status::FetchingOrigin, Progress::default())
            .await?;
        let location = document(member.id, lease);
        let (url, to) = (member.composite.origin(), self.path(&location)?);
        let coming = Coming {
            fetcher: &self.fetcher,
            url,
            per_piece: self.settings.per_piece,
        };
        fetch(coming, &self.scratch, lease, to).await?;
        Ok(location)
    }

    async fn sizes(&self, member: &Member, document: &Document) -> Result<Vec<Size>, Failure> {
        let (opened, most) = (Arc::clone(&document.opened), self.settings.most_pages);
        let measuring = move |unwanted: &_| opened.measure(most, unwanted);
        let sizes = self.quiet.run(measuring).await.map_err(busy)??;
        let counted = Progress {
            image_count: i64::try_from(sizes.len()).ok(),
            ..Progress::default()
        };
        self.advance(member, Status::PushingToDlcs, counted).await?;
        Ok(sizes)
    }

    /// Where the image of each page is: in the document, or in a pyramid that is made of it.
    async fn places(
        &self,
        lease: Lease,
        document: &Document,
        sizes: &[Size],
    ) -> Result<Vec<Place>, Failure> {
        if !self.settings.rasterizes {
            let places = sizes.iter().map(|size| size.place(&document.location));
            return Ok(places.collect());
        }
        let mut places = Vec::with_capacity(sizes.len());
        for size in sizes {
            let location = pyramid(&document.location, size.page);
            let path = self.path(&location)?;
            if !path.exists() {
                self.build(lease, document, size.page, path).await?;
            }
            places.push(Place {
                page: Page::FIRST,
                ..size.place(&location)
            });
        }
        Ok(places)
    }

    async fn build(
        &self,
        lease: Lease,
        document: &Document,
        page: Page,
        to: PathBuf,
    ) -> Result<(), Failure> {
        let begun = self.scratch.begin(lease, None).await;
        let unfinished = begun.map_err(|error| of_writing(&error))?;
        let building = Building {
            document: Arc::clone(&document.opened),
            page,
            limits: self.settings.limits,
            work: self.work.clone(),
            file: unfinished.file().map_err(|error| of_writing(&error))?,
        };
        let built = self.quiet.run(move |unwanted| building.run(unwanted));
        built.await.map_err(busy)??;
        let kept = unfinished.keep(to).await;
        kept.map_err(|error| of_writing(&error))
    }

    async fn finish(
        &self,
        member: &Member,
        document: &Document,
        places: Vec<Place>,
    ) -> Result<(), Failure> {
        self.advance(member, Status::BuildingDlcsRequest, Progress::default())
            .await?;
        let per_batch = self.settings.per_batch;
        let done = self.store.complete(member, &places, per_batch).await?;
        done.map_err(|_| Failure::Lost)?;
        // What attempts that ended without a word have left.
        let (folder, id, kept) = (self.folder.clone(), member.id, document.location.clone());
        let discarding = spawn_blocking(move || folder.discard_others(id, &kept));
        if let Ok(Err(error)) = discarding.await {
            tracing::warn!(%error, "files of a composite are left");
        }
        Ok(())
    }

    async fn advance(
        &self,
        member: &Member,
        status: Status,
        progress: Progress,
    ) -> Result<(), Failure> {
        let advanced = self.store.advance(member.id, status, &progress).await?;
        advanced.map_err(|_| Failure::Lost)
    }

    fn path(&self, location: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.path(location);
        path.ok_or_else(|| Failure::Permanent("the document is in no folder".to_owned()))
    }
}

impl Size {
    fn place(&self, location: &str) -> Place {
        Place {
            location: location.to_owned(),
            page: self.page,
            resolution: self.resolution,
            cut: None,
            width: self.width,
            height: self.height,
        }
    }
}
