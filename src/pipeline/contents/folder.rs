//! The images of a folder.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::{Contents, Count, FORMAT, Shown};
use crate::cache::CacheKey;
use crate::error::Error;
use crate::iiif::Identifier;
use crate::pipeline::{Caching, Pipeline};
use crate::view::View;

/// Images of a folder that are shown: each of them has to be looked at.
const MOST_IMAGES: usize = 1_000;
/// Images of a folder that are looked at together: others want to read headers, too.
const AT_ONCE: usize = 8;

impl Pipeline {
    /// These images of a folder, each with the pixels of the smaller version that is meant. Of documents their first page is shown.
    ///
    /// # Errors
    /// If there is none of them that can be read.
    pub async fn folder(
        &self,
        folder: &str,
        images: Vec<(String, Option<NonZeroU32>)>,
        caching: Caching,
    ) -> Result<Contents, Error> {
        let count = images.len();
        let images = images.into_iter().take(MOST_IMAGES);
        let looked_at =
            stream::iter(images).map(|(path, largest)| self.cover(path, largest, caching));
        let looked_at: Vec<_> = looked_at.buffered(AT_ONCE).collect().await;
        let mut images = Vec::new();
        let mut failures = Vec::new();
        for image in looked_at {
            match image {
                Ok(image) => images.push(image),
                Err(error) => failures.push(error),
            }
        }
        if let Some(first) = failures.first() {
            let left_out = failures.len();
            tracing::warn!(folder, left_out, "the manifest is partial: {first}");
        }
        if images.is_empty() {
            let absent = || Error::NotFound(format!("there are no images in \"{folder}\""));
            return Err(failures.into_iter().next().unwrap_or_else(absent));
        }
        Ok(Contents {
            title: None,
            is_pdf: false,
            is_named: false,
            is_partial: !failures.is_empty(),
            count: Count::Exactly(count),
            tag: tag(count, &images),
            images,
            terms: Arc::default(),
        })
    }

    async fn cover(
        &self,
        path: String,
        largest: Option<NonZeroU32>,
        caching: Caching,
    ) -> Result<Shown, Error> {
        let label = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let identifier = Identifier::new(path)?;
        let image = self.image(identifier.clone(), caching).await?;
        let terms = self.walk.images.routes.terms(&image.object);
        let full = image.header().dimensions();
        let view = View::of(largest);
        Ok(Shown::new(identifier, label, full, &view, terms))
    }
}

/// Images that look alike make the same manifest, whatever state they are in.
fn tag(count: usize, images: &[Shown]) -> CacheKey {
    let mut told = format!("{count}");
    for image in images {
        // Into a string: never an error.
        let _ = write!(
            told,
            " {:?}",
            (&image.identifier, image.confined, image.full, &image.terms)
        );
    }
    CacheKey::new(&[FORMAT, &told])
}
