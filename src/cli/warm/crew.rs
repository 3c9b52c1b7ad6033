//! The work list: what is still to be done, who does it, and what became of it.

use std::collections::HashSet;
use std::io;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio::task::JoinSet;

use super::client::{Client, Failure};
use super::inputs::Input;
use super::job::{Found, Job, More, Part, Source};
use super::place::{self, Place};
use super::report::Report;
use super::state::State;
use super::viewer::Wanted;
use crate::iiif::{Identifier, Version};
use crate::presentation::{Document, Kind, base_uri};

/// Collections of collections are followed so far.
pub const DEEPEST: usize = 16;
/// Endless pages of an endless collection end here.
pub const MOST_LINKS: usize = 100_000;

pub struct Crew {
    pub client: Arc<Client>,
    pub wanted: Arc<Wanted>,
    pub place: Place,
    /// Of identifiers.
    pub version: Version,
    pub state: State,
    pub report: Report,
    pub bar: ProgressBar,
    /// If the server is not asked, what it would be asked for.
    pub planned: Option<Vec<String>>,
    pub list: List,
}

/// What is to be done.
#[derive(Default)]
pub struct List {
    jobs: Vec<Job>,
    /// Every URL and file that ever stood on the list.
    seen: HashSet<String>,
    images: Vec<Image>,
    links: usize,
}

/// An image is finished when everything is that its `info.json` led to; then the state file has the `info.json`.
struct Image {
    url: String,
    left: usize,
}

impl Crew {
    pub fn add(&mut self, input: Input) {
        match input {
            Input::File(path) => self.add_document(Source::File(path), 0),
            Input::Identifier(text) => match Identifier::new(text.clone()) {
                Ok(identifier) => self.add_image(&self.place.image(&identifier, self.version)),
                Err(error) => self.report.failed(&text, &error.into()),
            },
            Input::Url(url) => self.add_url(url),
        }
    }

    fn add_url(&mut self, url: String) {
        match self.place.local(&url) {
            Some(local) if self.place.is_image(base_uri(&local)) => {
                self.add_image(base_uri(&local))
            }
            None if url.ends_with("/info.json") => self.add_foreign(&url),
            _ => self.add_document(Source::Url(url), 0),
        }
    }

    fn add_document(&mut self, source: Source, depth: usize) {
        if !self.list.seen.insert(source.name()) {
            return;
        }
        let job = Job::Document { source, depth };
        if depth > 0 {
            self.list.links += 1;
        }
        if depth > DEEPEST || self.list.links > MOST_LINKS {
            self.report.failed(&job.subject(), &Failure::NotFollowed);
        } else {
            self.push(job);
        }
    }

    fn add_service(&mut self, uri: &str) {
        match self.place.local(uri) {
            Some(local) => self.add_image(base_uri(&local)),
            None => self.add_foreign(uri),
        }
    }

    fn add_image(&mut self, base: &str) {
        let url = format!("{base}/info.json");
        if !self.list.seen.insert(url.clone()) {
            return;
        }
        self.report.images += 1;
        if self.is_finished(&url) {
            return;
        }
        if let Some(planned) = &mut self.planned {
            planned.push(url);
            let sizes = self.wanted.sizes.iter();
            planned.extend(sizes.map(|size| format!("{base}/full/{size}/0/default.jpg")));
            return;
        }
        let image = self.list.images.len();
        self.list.images.push(Image {
            url: url.clone(),
            left: 0,
        });
        self.push(Job::Information { url, image });
    }

    fn add_thumbnail(&mut self, url: &str) {
        match self.place.local(url) {
            Some(url) => {
                self.add_derivative(url, Part::Thumbnail, None);
            }
            None => self.add_foreign(url),
        }
    }

    /// Whether it has to be asked for now.
    fn add_derivative(&mut self, url: String, part: Part, image: Option<usize>) -> bool {
        if !self.list.seen.insert(url.clone()) || self.is_finished(&url) {
            return false;
        }
        match &mut self.planned {
            Some(planned) => planned.push(url),
            None => self.push(Job::Derivative { url, part, image }),
        }
        true
    }

    fn add_foreign(&mut self, url: &str) {
        if self.list.seen.insert(url.to_owned()) {
            let server = place::origin(url);
            *self.report.foreign.entry(server).or_default() += 1;
        }
    }

    fn is_finished(&mut self, url: &str) -> bool {
        let is_finished = self.state.has(url);
        self.report.finished_before += usize::from(is_finished);
        is_finished
    }

    fn push(&mut self, job: Job) {
        self.bar.inc_length(1);
        self.list.jobs.push(job);
    }

    /// Does everything on the list and what is found by it, so many jobs at a time.
    ///
    /// # Errors
    /// If the state file cannot be written.
    pub async fn run(&mut self, concurrency: NonZeroUsize) -> io::Result<()> {
        let mut running = JoinSet::new();
        loop {
            while running.len() < concurrency.get()
                && let Some(job) = self.list.jobs.pop()
            {
                let (client, wanted) = (Arc::clone(&self.client), Arc::clone(&self.wanted));
                running.spawn(async move {
                    let found = job.perform(&client, &wanted).await;
                    (job, found)
                });
            }
            let Some(done) = running.join_next().await else {
                return Ok(());
            };
            let (job, found) = done.unwrap_or_else(|error| resume_unwind(error.into_panic()));
            self.bar.inc(1);
            self.take(&job, found)?;
        }
    }

    fn take(&mut self, job: &Job, found: Result<Found, Failure>) -> io::Result<()> {
        match (found, job) {
            (Err(failure), job) => self.report.failed(&job.subject(), &failure),
            (Ok(Found::Document(document)), Job::Document { depth, .. }) => {
                self.take_document(&document, *depth);
            }
            (Ok(Found::Information { more, bytes }), Job::Information { image, .. }) => {
                self.report.answered(Part::Information, bytes);
                self.take_information(job, more, *image)?;
            }
            (Ok(Found::Derivative(answered)), Job::Derivative { url, part, image }) => {
                self.report.answered(*part, answered.bytes);
                self.report.cached += usize::from(answered.was_cached);
                self.state.finish(url)?;
                if let Some(image) = *image {
                    self.list.images[image].left -= 1;
                    self.finish_image(image)?;
                }
            }
            (Ok(_), job) => unreachable!("{job:?} finds something else"),
        }
        Ok(())
    }

    fn take_document(&mut self, document: &Document, depth: usize) {
        match document.kind {
            Kind::Manifest => self.report.documents.manifests += 1,
            Kind::Collection => self.report.documents.collections += 1,
            Kind::Other => self.report.documents.others += 1,
            Kind::Information => {}
        }
        for service in &document.other_services {
            let services = &mut self.report.skipped_services;
            *services.entry(service.clone()).or_default() += 1;
        }
        document
            .thumbnails
            .iter()
            .for_each(|url| self.add_thumbnail(url));
        document.images.iter().for_each(|uri| self.add_service(uri));
        for url in &document.members {
            self.add_document(Source::Url(url.clone()), depth + 1);
        }
    }

    fn take_information(&mut self, job: &Job, more: More, image: usize) -> io::Result<()> {
        self.report.sizes_not_offered += more.sizes_not_offered;
        if more.levels_left_out > 0 {
            let failure = Failure::TooManyTiles(more.levels_left_out);
            self.report.failed(&job.subject(), &failure);
            // It is never finished.
            self.list.images[image].left += 1;
        }
        for (part, url) in more.derivatives {
            let is_added = self.add_derivative(url, part, Some(image));
            self.list.images[image].left += usize::from(is_added);
        }
        self.finish_image(image)
    }

    fn finish_image(&mut self, image: usize) -> io::Result<()> {
        let image = &self.list.images[image];
        if image.left == 0 {
            self.state.finish(&image.url)?;
        }
        Ok(())
    }
}
