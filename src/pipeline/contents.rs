//! What a manifest shows: the pages of a document, or the images of a folder. Told from headers; no pixel is decoded.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::images::Image;
use super::{Caching, Pipeline, Walk};
use crate::cache::{CacheKey, EntryKey, Ticket};
use crate::decode::{self, SourceFormat};
use crate::error::Error;
use crate::geometry::Dimensions;
use crate::iiif::size::SizeForm;
use crate::iiif::{Identifier, Size, SizeLimits, Version};
use crate::page::Page;
use crate::route::Terms;
use crate::source::Object;
use crate::work::Cancelled;

/// Images of a folder that are shown: a manifest cannot be paged, and viewers keep all of it.
pub const MOST_IMAGES: usize = 1_000;
/// Images of a folder that are looked at together: others want to read headers, too.
const AT_ONCE: usize = 8;
/// Pixels of either side of a thumbnail.
const THUMBNAIL: u32 = 200;
/// Changes with what is written of contents.
const FORMAT: &str = concat!("contents ", env!("CARGO_PKG_VERSION"));

/// What a manifest is made of.
pub struct Contents {
    pub title: Option<String>,
    /// In their order; never empty.
    pub images: Vec<Shown>,
    /// How many there are, shown or not.
    pub count: usize,
    /// Some could not be read, and are left out: another answer is to be expected soon.
    pub is_partial: bool,
    /// Of the state of the file; a folder has no date that changes whenever an image in it does.
    pub modified: Option<SystemTime>,
    /// What holds for the document; for a folder nothing but what holds for all.
    pub terms: Arc<Terms>,
}

/// An image that a manifest shows.
pub struct Shown {
    pub identifier: Identifier,
    /// The number of the page, or the name of the file; no two are alike.
    pub label: String,
    pub full: Dimensions,
    /// What `max` gives.
    pub largest: Dimensions,
    pub thumbnail: Dimensions,
    pub terms: Arc<Terms>,
}

/// What is kept of a document.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Told {
    title: Option<String>,
    /// `None` for a page that could not be read.
    pages: Vec<Option<Dimensions>>,
}

pub(super) type Outcome = Result<Arc<Told>, Error>;

impl Pipeline {
    /// The pages of a document. A file with one image is a document of one page, and so is a page that is asked for by its
    /// number.
    ///
    /// # Errors
    /// If it is not found, or none of its pages can be read.
    pub async fn document(
        &self,
        identifier: Identifier,
        caching: Caching,
    ) -> Result<Contents, Error> {
        let image = self.image(identifier.clone(), caching).await?;
        let told = self.told(&identifier, &image, caching).await?;
        let terms = Arc::clone(self.walk.images.routes.terms(&image.object));
        let first = image.object.page.number();
        let shown = |(number, full): (u32, &Option<Dimensions>)| {
            let page = if number == first {
                identifier.clone()
            } else {
                self.walk.page(&identifier, Page::new(number)?)?
            };
            Some(Shown::new(page, number.to_string(), (*full)?, &terms))
        };
        let images: Vec<Shown> = (first..).zip(&told.pages).filter_map(shown).collect();
        if images.is_empty() {
            return Err(Error::NotFound(format!("\"{identifier}\" has no pages")));
        }
        Ok(Contents {
            title: told.title.clone(),
            is_partial: images.len() < told.pages.len(),
            count: told.pages.len(),
            images,
            modified: Some(image.object.modified),
            terms,
        })
    }

    /// The images of a folder, as the index has them. Of documents their first page is shown.
    ///
    /// # Errors
    /// If there is no such folder, or no image in it that can be read.
    pub async fn folder(&self, folder: String, caching: Caching) -> Result<Contents, Error> {
        let listing = self.list(folder.clone()).await?;
        let count = listing.images.len();
        let paths = listing.images.into_iter().take(MOST_IMAGES);
        let looked_at = stream::iter(paths).map(|path| self.cover(path, caching));
        let looked_at: Vec<_> = looked_at.buffered(AT_ONCE).collect().await;
        let wanted = looked_at.len();
        let mut images = Vec::new();
        let mut failure = None;
        for image in looked_at {
            match image {
                Ok(image) => images.push(image),
                Err(error) => {
                    tracing::warn!(folder, "an image is left out of the manifest: {error}");
                    failure.get_or_insert(error);
                }
            }
        }
        if images.is_empty() {
            let absent = || Error::NotFound(format!("there are no images in \"{folder}\""));
            return Err(failure.unwrap_or_else(absent));
        }
        Ok(Contents {
            title: None,
            is_partial: images.len() < wanted,
            count,
            images,
            modified: None,
            terms: Arc::default(),
        })
    }

    async fn cover(&self, path: String, caching: Caching) -> Result<Shown, Error> {
        let label = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let identifier = Identifier::new(path)?;
        let image = self.image(identifier.clone(), caching).await?;
        let terms = self.walk.images.routes.terms(&image.object);
        let full = image.header().dimensions();
        Ok(Shown::new(identifier, label, full, terms))
    }

    /// An image of which width and height are known, under the limits that hold for all. `None` if one of them is zero.
    pub fn shown(
        &self,
        identifier: Identifier,
        label: String,
        (width, height): (u32, u32),
    ) -> Option<Shown> {
        let full = Dimensions::new(width, height)?;
        Some(Shown::new(identifier, label, full, &self.walk.terms))
    }

    /// What a document holds: from the cache, or its file is asked, once for all who want to know at the same time.
    async fn told(&self, identifier: &Identifier, image: &Image, caching: Caching) -> Outcome {
        if !self.walk.is_document(identifier, image) {
            return Ok(Arc::new(Told::of_one(image)));
        }
        let object = image.object.clone();
        let key = key(self.walk.images.header_key(&object));
        let (pipeline, wanted) = (self.clone(), identifier.clone());
        if caching != Caching::Use {
            let ticket = (caching == Caching::Renew).then(|| self.layers.ticket(key));
            return pipeline.asked(wanted, object, ticket).await;
        }
        if let Some(found) = self.layers.peek(&key)
            && let Some(told) = read(&found.body)
        {
            return Ok(Arc::new(told));
        }
        let flight = (key, object.stamp);
        let work = async move { pipeline.found_or_asked(wanted, object, key).await };
        let told = self.askings.join(flight, work).await;
        told.map_err(|error| error.told_to(identifier))
    }

    async fn found_or_asked(
        &self,
        identifier: Identifier,
        object: Object,
        key: EntryKey,
    ) -> Outcome {
        let ticket = match self.layers.far_if_any(key).await {
            Ok(found) => match read(&found.body) {
                Some(told) => return Ok(Arc::new(told)),
                None => self.layers.ticket(key),
            },
            Err(ticket) => ticket,
        };
        self.asked(identifier, object, Some(ticket)).await
    }

    /// What is not whole is not kept, nor what another state of the file says.
    async fn asked(
        &self,
        identifier: Identifier,
        object: Object,
        ticket: Option<Ticket>,
    ) -> Outcome {
        let wanted = identifier.clone();
        let image = self.open(&identifier).await?;
        let ask = move |_: &Cancelled| {
            let decoder = image.decoder().map(Arc::clone);
            let decoder = decoder.ok_or_else(|| Error::internal("an image that is not open"))?;
            let contents = decoder.contents();
            let contents = contents.map_err(|error| Error::decoding(&wanted, error))?;
            Ok((image.object, Told::new(&wanted, contents)))
        };
        let (asked, told) = self.read(&identifier, ask).await?;
        if asked.version == object.version
            && told.pages.iter().all(Option::is_some)
            && let Some(ticket) = ticket
            && let Ok(bytes) = serde_json::to_vec(&told)
        {
            self.layers.keep(ticket, Bytes::from(bytes));
        }
        Ok(Arc::new(told))
    }
}

impl Walk {
    /// Whether the file of an image is asked what it holds: the image stands for all pages of it, or it may have a title.
    fn is_document(&self, identifier: &Identifier, image: &Image) -> bool {
        let is_page = image.object.page != Page::FIRST || self.images.routes.is_page(identifier);
        let header = image.header();
        let has_title = header.format == SourceFormat::Pdf && header.pages == 1;
        let has_names = || {
            let second = Page::new(2).and_then(|second| self.page(identifier, second));
            second.is_some()
        };
        !is_page && (has_title || header.pages > 1 && has_names())
    }

    /// The identifier of another page of a document. `None` if pages have none.
    fn page(&self, document: &Identifier, page: Page) -> Option<Identifier> {
        if self.has_page_places {
            return Some(document.with_page(page));
        }
        self.images.routes.name_page(document, page)
    }
}

impl Shown {
    /// An image of these dimensions under an identifier that may make it seem smaller.
    fn new(identifier: Identifier, label: String, stored: Dimensions, terms: &Arc<Terms>) -> Self {
        let full = identifier.apparent(stored);
        Self {
            identifier,
            label,
            full,
            largest: sized(SizeForm::Max, full, &terms.limits),
            thumbnail: sized(
                SizeForm::Confined(THUMBNAIL, THUMBNAIL),
                full,
                &terms.limits,
            ),
            terms: Arc::clone(terms),
        }
    }
}

/// Neither form is ever refused.
fn sized(form: SizeForm, full: Dimensions, limits: &SizeLimits) -> Dimensions {
    let size = Size {
        upscale: false,
        form,
    };
    size.resolve(full, limits, Version::V3).unwrap_or(full)
}

impl Told {
    fn of_one(image: &Image) -> Self {
        Self {
            title: None,
            pages: vec![Some(image.header().dimensions())],
        }
    }

    fn new(identifier: &Identifier, contents: decode::Contents) -> Self {
        let page = |(page, dimensions): (usize, Result<Dimensions, decode::DecodeError>)| {
            dimensions
                .inspect_err(|error| {
                    let page = page + 1;
                    let identifier = identifier.to_string();
                    tracing::warn!(identifier, page, "left out of the manifest: {error}");
                })
                .ok()
        };
        Self {
            title: contents.title,
            pages: contents.pages.into_iter().enumerate().map(page).collect(),
        }
    }
}

/// The name of what a document holds in the cache, beside the header of its first page.
fn key(header: EntryKey) -> EntryKey {
    EntryKey {
        entry: CacheKey::new(&[FORMAT, &header.entry.to_string()]),
        ..header
    }
}

/// `None` for what this version of the server did not write.
fn read(bytes: &[u8]) -> Option<Told> {
    serde_json::from_slice(bytes).ok()
}
