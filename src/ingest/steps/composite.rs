//! The way of a composite through its states.

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::documents::{document, pyramid};
use super::failure::of_writing;
use super::fetch::fetch;
use super::pages::{Size, measure};
use super::pyramids::Building;
use super::{Steps, busy};
use crate::ingest::asset::{NewAsset, Place};
use crate::ingest::member::{Member, Progress};
use crate::ingest::status::Status;
use crate::input::Input;
use crate::queue::{Failure, Job, Lease};
use crate::source::FileInput;

impl Steps {
    pub(super) async fn composite(&self, job: &Job) -> Result<(), Failure> {
        let Some(member) = self.wanted(job).await? else {
            return Ok(());
        };
        let input = self.document(&member, job.lease).await?;
        let sizes = self.sizes(&member, &input).await?;
        let places = self.places(&member, job.lease, &input, &sizes).await?;
        self.finish(&member, places).await
    }

    /// The member, unless it is finished, or replaced by another one.
    async fn wanted(&self, job: &Job) -> Result<Option<Member>, Failure> {
        let id = Uuid::try_parse(&job.subject);
        let id = id.map_err(|error| Failure::Permanent(format!("no member: {error}")))?;
        let member = self.store.member(id).await?;
        Ok(member.filter(|member| !member.status.is_final()))
    }

    /// Its document, fetched if an earlier attempt has not done so.
    async fn document(&self, member: &Member, lease: Lease) -> Result<Input, Failure> {
        let location = document(member.id);
        let path = self.path(&location)?;
        if member.document.as_ref() != Some(&location) || !path.exists() {
            self.advance(member, Status::FetchingOrigin, Progress::default())
                .await?;
            let url = member.composite.origin();
            fetch(&self.fetcher, &self.scratch, lease, url, path.clone()).await?;
        }
        let fetched = Progress {
            document: Some(location),
            ..Progress::default()
        };
        self.advance(member, Status::Rasterizing, fetched).await?;
        let input = FileInput::open(&path).map_err(|error| of_writing(&error))?;
        Ok(Arc::new(input))
    }

    async fn sizes(&self, member: &Member, input: &Input) -> Result<Vec<Size>, Failure> {
        let (input, limits) = (Arc::clone(input), self.settings.limits);
        let most = self.settings.most_pages;
        let measuring = move |unwanted: &_| measure(&input, &limits, most, unwanted);
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
        member: &Member,
        lease: Lease,
        input: &Input,
        sizes: &[Size],
    ) -> Result<Vec<Place>, Failure> {
        if !self.settings.rasterizes {
            let location = document(member.id);
            return Ok(sizes.iter().map(|size| size.place(&location)).collect());
        }
        let mut places = Vec::with_capacity(sizes.len());
        for size in sizes {
            let location = pyramid(member.id, size.page);
            let path = self.path(&location)?;
            if !path.exists() {
                self.build(lease, input, *size, path).await?;
            }
            places.push(Place {
                page: crate::page::Page::FIRST,
                ..size.place(&location)
            });
        }
        Ok(places)
    }

    async fn build(
        &self,
        lease: Lease,
        input: &Input,
        size: Size,
        to: PathBuf,
    ) -> Result<(), Failure> {
        let begun = self.scratch.begin(lease, None).await;
        let unfinished = begun.map_err(|error| of_writing(&error))?;
        let building = Building {
            input: Arc::clone(input),
            page: size.page,
            limits: self.settings.limits,
            work: self.work.clone(),
            file: unfinished.file().map_err(|error| of_writing(&error))?,
        };
        let built = self.quiet.run(move |unwanted| building.run(unwanted));
        built.await.map_err(busy)??;
        let kept = unfinished.keep(to).await;
        kept.map_err(|error| of_writing(&error))
    }

    async fn finish(&self, member: &Member, places: Vec<Place>) -> Result<(), Failure> {
        self.advance(member, Status::BuildingDlcsRequest, Progress::default())
            .await?;
        let pages = places.into_iter().zip(0..);
        let pages = pages.map(|(place, index)| member.composite.page(index, place));
        let pages: Vec<NewAsset> = pages.collect();
        let done = self
            .store
            .complete(member, &pages, self.settings.per_batch)
            .await?;
        done.map(drop).map_err(|_| Failure::Lost)
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
