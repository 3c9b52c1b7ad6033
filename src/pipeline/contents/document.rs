//! A document and its pages, each under a name that leads to it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use super::told::Told;
use super::{Contents, Count, FORMAT, Shown};
use crate::cache::CacheKey;
use crate::decode::SourceFormat;
use crate::error::Error;
use crate::iiif::Identifier;
use crate::page::Page;
use crate::pipeline::images::Image;
use crate::pipeline::{Caching, Pipeline, Walk};
use crate::route::Terms;
use crate::source::Object;
use crate::view::View;
use crate::work::Cancelled;

/// A document that was found, and not yet asked what it holds.
pub struct Document {
    pub(super) identifier: Identifier,
    pub(super) image: Image,
    pub(super) caching: Caching,
    view: Arc<View>,
    names: Names,
    pub terms: Arc<Terms>,
    /// Stands for everything that its pages are made of.
    pub tag: CacheKey,
}

/// How a document and its pages are called.
#[derive(Clone)]
struct Names {
    /// The image is one page, and stands for itself alone.
    is_page: bool,
    /// What the names of pages are made of.
    file: Identifier,
}

/// A document with what it holds.
pub struct Pages {
    document: Document,
    told: Arc<Told>,
    walk: Arc<Walk>,
}

impl Pipeline {
    /// A file with one image is a document of one page, and so is a page that is asked for by its number. Its pages seem to be no
    /// larger than `largest` on their longer sides.
    ///
    /// # Errors
    /// If it is not found, or cannot be opened.
    pub async fn document(
        &self,
        identifier: Identifier,
        largest: Option<NonZeroU32>,
        caching: Caching,
    ) -> Result<Document, Error> {
        let view = View::of(largest);
        let image = self.image(identifier.clone(), caching).await?;
        let names = self.names(&identifier, &image).await?;
        let walk = &self.walk;
        let second = Page::new(2).and_then(|second| walk.page(&names.file, second));
        let told = format!("{identifier} {second:?} {} {}", names.is_page, view.tag());
        let key = walk.images.header_key(&image.object).entry.to_string();
        Ok(Document {
            tag: CacheKey::new(&[FORMAT, &key, &told]),
            terms: Arc::clone(walk.images.routes.terms(&image.object)),
            identifier,
            image,
            caching,
            view,
            names,
        })
    }

    /// The pages of a document: from the cache, or its file is asked.
    ///
    /// # Errors
    /// If it cannot be.
    pub async fn pages(&self, document: Document) -> Result<Pages, Error> {
        let told = match self.walk.is_asked(&document) {
            true => self.told(&document).await?,
            false => Arc::new(Told::of_one(&document.image)),
        };
        Ok(Pages {
            document,
            told,
            walk: Arc::clone(&self.walk),
        })
    }

    /// Only where a name may be understood in two ways, a source is asked.
    async fn names(&self, identifier: &Identifier, image: &Image) -> Result<Names, Error> {
        let walk = Arc::clone(&self.walk);
        let plain = Names {
            is_page: image.object.is_one_page || image.object.page != Page::FIRST,
            file: identifier.clone(),
        };
        let may_be_page = walk.images.routes.may_be_page(identifier);
        let full = extension(identifier, &image.object).filter(|_| !walk.has_page_places);
        if plain.is_page || !may_be_page && (full.is_none() || image.header().pages == 1) {
            return Ok(plain);
        }
        let object = image.object.clone();
        let tell = move |_: &Cancelled| {
            let routes = &walk.images.routes;
            let full = full.filter(|full| {
                let found = routes.find(full);
                found.is_ok_and(|it| it.location == object.location && it.page == object.page)
            });
            Ok(Names {
                is_page: may_be_page && !routes.is_own(&plain.file),
                file: full.unwrap_or(plain.file),
            })
        };
        self.read(identifier, tell).await
    }
}

impl Document {
    /// Of the state of the file.
    pub fn modified(&self) -> SystemTime {
        self.image.object.modified
    }
}

impl Pages {
    /// Those that may be shown.
    pub fn count(&self) -> usize {
        self.told.pages.len()
    }

    /// # Errors
    /// If none can be read.
    pub fn contents(self) -> Result<Contents, Error> {
        let Self {
            document,
            told,
            walk,
        } = self;
        let first = document.image.object.page.number();
        let shown = |(number, full): (u32, &Option<_>)| {
            let page = match number == first {
                true => document.identifier.clone(),
                false => walk.page(&document.names.file, Page::new(number)?)?,
            };
            Some(Shown::new(
                page,
                number.to_string(),
                (*full)?,
                &document.view,
                &document.terms,
            ))
        };
        let images: Vec<Shown> = (first..).zip(&told.pages).filter_map(shown).collect();
        if images.is_empty() {
            let identifier = &document.identifier;
            return Err(Error::NotFound(format!("\"{identifier}\" has no pages")));
        }
        Ok(Contents {
            title: told.title.clone(),
            is_partial: images.len() < told.pages.len() || told.is_replaced,
            count: match told.has_more {
                true => Count::MoreThan(told.count),
                false => Count::Exactly(told.count),
            },
            images,
            is_pdf: document.image.header().format == SourceFormat::Pdf,
            is_named: walk.images.routes.names_file(&document.image.object),
            tag: document.tag,
            terms: document.terms,
        })
    }
}

impl Walk {
    /// Whether the file of an image is asked what it holds: the image stands for all pages of it, or it may have a title.
    fn is_asked(&self, document: &Document) -> bool {
        let names = &document.names;
        let header = document.image.header();
        let has_title = header.format == SourceFormat::Pdf && header.pages == 1;
        let has_names = || {
            let second = Page::new(2).and_then(|second| self.page(&names.file, second));
            second.is_some()
        };
        !names.is_page && (has_title || header.pages > 1 && has_names())
    }

    /// The identifier of another page of a document. `None` if pages have none.
    fn page(&self, document: &Identifier, page: Page) -> Option<Identifier> {
        if self.has_page_places {
            return Some(document.with_page(page));
        }
        self.images.routes.name_page(document, page)
    }
}

/// With the extension that an identifier left out: without it, the name of a page might be that of another image.
fn extension(identifier: &Identifier, object: &Object) -> Option<Identifier> {
    let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let (file, asked) = (last(&object.key)?, last(identifier.as_str())?);
    let extension = file.strip_prefix(&*asked)?;
    let full = extension.starts_with('.');
    full.then(|| Identifier::new(format!("{}{extension}", identifier.as_str())).ok())?
}
