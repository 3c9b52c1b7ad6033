//! What a manifest shows: the pages of a document, or the images of a folder. Told from headers; no pixel is decoded.

mod document;
mod folder;
mod told;

use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

use super::Pipeline;
use crate::cache::CacheKey;
use crate::error::Error;
use crate::geometry::Dimensions;
use crate::iiif::size::SizeForm;
use crate::iiif::{Identifier, Size, SizeLimits, Version};
use crate::route::Terms;
use crate::view::View;
use crate::work::{Cancelled, Cost};
pub use document::{Document, Pages};
pub(super) use told::Outcome;

/// Pages that are shown: a manifest cannot be paged, and viewers keep all of it.
pub const MOST_PAGES: usize = 5_000;
/// Pixels of either side of a thumbnail.
const THUMBNAIL: u32 = 200;
/// Changes with what is written of contents.
const FORMAT: &str = concat!("contents ", env!("CARGO_PKG_VERSION"));

/// What a manifest is made of.
pub struct Contents {
    pub title: Option<String>,
    /// In their order; never empty.
    pub images: Vec<Shown>,
    pub count: Count,
    /// They are pages of a PDF.
    pub is_pdf: bool,
    /// Whether the identifier names the file, and not a page that is an image of its own.
    pub is_named: bool,
    /// Some could not be read, and are left out: another answer is to be expected soon.
    pub is_partial: bool,
    /// Stands for the images, in their states.
    pub tag: CacheKey,
    /// What holds for the document; for a folder nothing but what holds for all.
    pub terms: Arc<Terms>,
}

/// How many images there are, shown or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Exactly(usize),
    /// Nobody has counted on.
    MoreThan(usize),
}

/// An image that a manifest shows.
pub struct Shown {
    pub identifier: Identifier,
    /// Pixels of the longer side, if it is a smaller version.
    pub confined: Option<NonZeroU32>,
    /// The number of the page, or the name of the file; no two are alike.
    pub label: String,
    pub full: Dimensions,
    /// What `max` gives.
    pub largest: Dimensions,
    pub thumbnail: Dimensions,
    pub terms: Arc<Terms>,
}

impl Pipeline {
    /// An image of which width and height are known, under the limits that hold for all. `None` if one of them is zero.
    pub fn shown(
        &self,
        identifier: Identifier,
        label: String,
        (width, height): (u32, u32),
        largest: Option<NonZeroU32>,
    ) -> Option<Shown> {
        let full = Dimensions::new(width, height)?;
        let view = View::of(largest);
        let terms = &self.walk.terms;
        Some(Shown::new(identifier, label, full, &view, terms))
    }

    /// Writes something about so many images where images are made, as one of them: with a share of the memory.
    ///
    /// # Errors
    /// What the work says, and if there is no place for it ([`Error::Busy`]).
    pub async fn write<F>(&self, images: usize, work: F) -> Result<Written, Error>
    where
        F: FnOnce() -> Result<(String, bool), Error> + Send + 'static,
    {
        let run = move |_: &Cancelled| work();
        let (text, is_whole) = Box::pin(self.makers.run(cost(images), run)).await?;
        Ok(Written {
            text: text.into(),
            is_whole,
        })
    }
}

/// A text about images.
pub struct Written {
    pub text: Bytes,
    /// Nothing that should be in it is left out.
    pub is_whole: bool,
}

/// Measured: a canvas is some 1,000 bytes of text, and several times that while it is put together.
fn cost(images: usize) -> Cost {
    const BYTES: u64 = 8 << 10;
    const PIXELS: u64 = 2_000;
    let images = images as u64;
    Cost {
        bytes: images * BYTES,
        pixels: images * PIXELS,
    }
}

impl Shown {
    /// An image of these dimensions, which identifier and view may make seem smaller.
    fn new(
        identifier: Identifier,
        label: String,
        stored: Dimensions,
        view: &View,
        terms: &Arc<Terms>,
    ) -> Self {
        let full = view.apparent(&identifier, stored);
        Self {
            identifier,
            confined: view.largest,
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
