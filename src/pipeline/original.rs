//! The file of a document itself.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Caching, Pipeline, Terms, WholeFile};
use crate::cache::CacheKey;
use crate::decode::SourceFormat;
use crate::error::Error;
use crate::iiif::Identifier;
use crate::source::Object;
use crate::work::Cancelled;

/// An opened PDF file.
pub struct Original {
    pub identifier: Identifier,
    pub terms: Arc<Terms>,
    /// Whether the identifier names the file, and not a page that is an image of its own.
    pub is_named: bool,
    pub file: WholeFile,
    object: Object,
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
        let far = routes.far_of(&object);
        let input = self.read_of(far, open).await?;
        Ok(Original {
            file: WholeFile::new(identifier.clone(), input, far),
            identifier,
            terms,
            is_named,
            object,
        })
    }
}

impl Original {
    /// Of the state of the file.
    pub fn modified(&self) -> SystemTime {
        self.object.modified
    }

    /// Stands for its bytes.
    pub fn tag(&self) -> CacheKey {
        CacheKey::new(&["original", &self.object.location, &self.object.version])
    }
}
