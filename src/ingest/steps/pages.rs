//! RASTERIZING: which pages a document has, and how large each is. Nothing is drawn.

use std::sync::Arc;

use super::failure::of_content;
use super::quiet::Unwanted;
use crate::decode::{self, DecodeError, Decoder, Limits};
use crate::input::Input;
use crate::page::Page;
use crate::queue::Failure;

/// A page as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub page: Page,
    /// Upright.
    pub width: u32,
    pub height: u32,
    /// Pixels per inch, if the document says how large its pages are.
    pub resolution: Option<u32>,
}

/// A document that is open: some formats are read as a whole for that, once for all pages.
pub struct Opened {
    input: Input,
    limits: Limits,
    first: Box<dyn Decoder>,
}

impl Opened {
    /// # Errors
    /// If the document is broken or no document, or cannot be read.
    pub fn new(input: Input, limits: &Limits) -> Result<Self, Failure> {
        let first = decode::open(Arc::clone(&input), limits).map_err(|error| of_content(&error))?;
        Ok(Self {
            input,
            limits: *limits,
            first,
        })
    }

    /// All pages in their order.
    ///
    /// # Errors
    /// If a page is broken, there are more than so many, or nobody wants to know any more.
    pub fn measure(&self, most: u32, unwanted: &Unwanted) -> Result<Vec<Size>, Failure> {
        let count = self.first.header().pages;
        if count > most {
            let text = format!("the document has {count} pages, and may have {most}");
            return Err(Failure::Permanent(text));
        }
        let mut sizes = vec![size(Page::FIRST, &*self.first)];
        for page in (2..=count).filter_map(Page::new) {
            if unwanted.is_set() {
                return Err(Failure::Lost);
            }
            sizes.push(size(page, &*self.page(page)?));
        }
        Ok(sizes)
    }

    /// # Errors
    /// If it is broken.
    pub fn page(&self, page: Page) -> Result<Box<dyn Decoder>, Failure> {
        let turned = self.first.turn_to(page);
        let opened = turned
            .unwrap_or_else(|| decode::open_page(Arc::clone(&self.input), &self.limits, page));
        opened.map_err(|error| of_page(page, &error))
    }
}

fn size(page: Page, decoder: &dyn Decoder) -> Size {
    let header = decoder.header();
    let dimensions = header.dimensions();
    let resolution = header.resolution.filter(|found| found.is_sensible());
    Size {
        page,
        width: dimensions.width(),
        height: dimensions.height(),
        resolution: resolution.map(|found| found.x.round() as u32),
    }
}

fn of_page(page: Page, error: &DecodeError) -> Failure {
    match of_content(error) {
        Failure::Permanent(text) => Failure::Permanent(format!("page {page}: {text}")),
        other => other,
    }
}
