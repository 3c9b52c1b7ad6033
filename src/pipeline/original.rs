//! The file of a document itself, in parts: it is never in memory as a whole.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::{Caching, Pipeline, Terms};
use crate::cache::CacheKey;
use crate::decode::{DecodeError, SourceFormat};
use crate::error::Error;
use crate::iiif::Identifier;
use crate::input::{Input, read_up_to};
use crate::source::Object;
use crate::work::Cancelled;

/// Bytes that are read at one time, for each who downloads.
const PART: usize = 256 << 10;

/// An opened PDF file.
pub struct Original {
    pub identifier: Identifier,
    pub terms: Arc<Terms>,
    /// Whether the identifier names the file, and not a page that is an image of its own.
    pub is_named: bool,
    object: Object,
    input: Input,
}

impl Pipeline {
    /// The PDF that an identifier names, or names a page of.
    ///
    /// # Errors
    /// As for an image, and [`Error::NotFound`] for a file of another format.
    pub async fn original(
        &self,
        identifier: Identifier,
        caching: Caching,
    ) -> Result<Original, Error> {
        let image = self.image(identifier.clone(), caching).await?;
        if image.header().format != SourceFormat::Pdf {
            let why = format!("\"{identifier}\" is no document that can be downloaded");
            return Err(Error::NotFound(why));
        }
        let object = image.object;
        let routes = &self.walk.images.routes;
        let terms = Arc::clone(routes.terms(&object));
        let is_named = routes.names_file(&object);
        let (walk, wanted, found) = (Arc::clone(&self.walk), identifier.clone(), object.clone());
        let open = move |_: &Cancelled| walk.images.input(&wanted, &found);
        let input = self.read_of(&object, open).await?;
        Ok(Original {
            identifier,
            terms,
            is_named,
            object,
            input,
        })
    }

    /// The next bytes from an offset. Empty at the end.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn part(&self, original: &Original, offset: u64) -> Result<Bytes, Error> {
        let (input, identifier) = (Arc::clone(&original.input), original.identifier.clone());
        let read = move |_: &Cancelled| {
            let part = read_up_to(&*input, offset, PART);
            let part =
                part.map_err(|error| Error::decoding(&identifier, DecodeError::Io(error)))?;
            Ok(Bytes::from(part))
        };
        self.read_of(&original.object, read).await
    }

    async fn read_of<T, F>(&self, object: &Object, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        match self.walk.images.routes.far_of(object) {
            Some(far) => self.fetch(far, work).await,
            None => self.read_here(work).await,
        }
    }
}

impl Original {
    /// In bytes.
    pub fn size(&self) -> u64 {
        self.input.size()
    }

    /// Of the state of the file.
    pub fn modified(&self) -> SystemTime {
        self.object.modified
    }

    /// Stands for its bytes.
    pub fn tag(&self) -> CacheKey {
        CacheKey::new(&["original", &self.object.location, &self.object.version])
    }
}
