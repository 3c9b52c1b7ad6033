//! What a file says of its pages, and where that is kept.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::{FORMAT, MOST_PAGES};
use crate::cache::{CacheKey, EntryKey, Ticket};
use crate::decode;
use crate::error::Error;
use crate::geometry::Dimensions;
use crate::iiif::Identifier;
use crate::pipeline::images::Image;
use crate::pipeline::{Caching, Pipeline};
use crate::source::Object;
use crate::work::Cancelled;

/// What is kept of a document.
#[derive(Clone, Serialize, Deserialize)]
pub struct Told {
    pub title: Option<String>,
    /// The first [`MOST_PAGES`]; `None` for a page that could not be read.
    pub pages: Vec<Option<Dimensions>>,
    /// Of all pages.
    pub count: usize,
    /// There are others, which the decoder did not count.
    pub has_more: bool,
    /// It is told of another state of the file than was found.
    #[serde(skip)]
    pub is_replaced: bool,
}

pub type Outcome = Result<Arc<Told>, Error>;

impl Pipeline {
    /// What a document holds: from the cache, or its file is asked, once for all who want to know at the same time.
    pub(super) async fn told(&self, document: &Document) -> Outcome {
        let (identifier, caching) = (&document.identifier, document.caching);
        let object = document.image.object.clone();
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
            Ok((image.object, contents))
        };
        let (asked, contents) = self.read(&identifier, ask).await?;
        let told = Told::new(&identifier, contents, asked.version != object.version);
        if told.is_whole()
            && let Some(ticket) = ticket
            && let Ok(bytes) = serde_json::to_vec(&told)
        {
            self.layers.keep(ticket, Bytes::from(bytes));
        }
        Ok(Arc::new(told))
    }
}

impl Told {
    pub fn of_one(image: &Image) -> Self {
        Self {
            title: None,
            pages: vec![Some(image.header().dimensions())],
            count: 1,
            has_more: false,
            is_replaced: false,
        }
    }

    /// One line is logged, however many pages cannot be read.
    fn new(identifier: &Identifier, contents: decode::Contents, is_replaced: bool) -> Self {
        let count = contents.pages.len();
        let pages: Vec<_> = contents.pages.into_iter().take(MOST_PAGES).collect();
        let mut failures = (1..)
            .zip(&pages)
            .filter_map(|(page, told): (u32, _)| Some((page, told.as_ref().err()?)));
        if let Some((page, error)) = failures.next() {
            let (identifier, left_out) = (identifier.to_string(), 1 + failures.count());
            tracing::warn!(
                identifier,
                left_out,
                page,
                "the manifest is partial: {error}"
            );
        }
        Self {
            title: contents.title,
            pages: pages.into_iter().map(Result::ok).collect(),
            count,
            has_more: contents.has_more,
            is_replaced,
        }
    }

    fn is_whole(&self) -> bool {
        !self.is_replaced && self.pages.iter().all(Option::is_some)
    }
}

/// The name of what a document holds in the cache, beside the header of its first page.
fn key(header: EntryKey) -> EntryKey {
    EntryKey {
        entry: CacheKey::new(&[FORMAT, "told", &header.entry.to_string()]),
        ..header
    }
}

/// `None` for what this version of the server did not write.
fn read(bytes: &[u8]) -> Option<Told> {
    serde_json::from_slice(bytes).ok()
}
