//! Pages of PDF documents, rendered at the size that is asked for: [`hayro`] does it, mostly in processes of their own.
//!
//! A renderer can neither be stopped nor kept from filling the memory or the stack, and documents come from anywhere: so
//! each is opened in another run of this program (`child`), which may be killed (ADR 14).

mod child;
pub mod config;
mod fault;
mod fonts;
mod outline;
mod page;
mod pool;
mod process;
mod scan;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::RenderCache;

pub use self::child::run as run_renderer;
use self::outline::Outline;
use self::page::{Parsed, Part};
use self::pool::Remote;
pub use self::process::COMMAND as RENDERER;
use super::limits::check;
use super::whole::read_ahead_all;
use super::{Contents, DecodeError, Decoder, Header, Limits, PdfLimits, Window};
use crate::geometry::Rect;
use crate::input::{Input, read_range};
use crate::page::Page;
use crate::raster::{Layout, Raster, Samples};

/// Whether this program can be run again as a renderer.
static HAS_RENDERER: AtomicBool = AtomicBool::new(false);

/// Has documents rendered in processes of their own from now on: to be said by a program that becomes a renderer, by way of
/// [`run_renderer`], when its only argument is [`RENDERER`]. Others, such as tests, render in their own process.
pub fn use_renderers() {
    HAS_RENDERER.store(true, Ordering::Relaxed);
}

/// A document that is open: opening it costs the most, and it may be open though some of its pages are broken.
pub struct Document {
    inner: Arc<Inner>,
    limits: Limits,
}

impl Document {
    /// # Errors
    /// If the document cannot be opened, whatever page is wanted.
    pub fn open(input: Input, limits: &Limits) -> Result<Self, DecodeError> {
        check("bytes of a PDF", input.size(), limits.pdf.file_bytes)?;
        read_ahead_all(&input)?;
        Ok(Self {
            inner: Arc::new(Inner::open(input, &limits.pdf)?),
            limits: *limits,
        })
    }

    /// # Errors
    /// If there is no such page, or it has no sensible size.
    pub fn page(&self, page: Page) -> Result<Box<dyn Decoder>, DecodeError> {
        let page = PdfPage::new(Arc::clone(&self.inner), self.limits, page)?;
        Ok(Box::new(page))
    }
}

/// What pages share.
struct Inner {
    outline: Outline,
    renderer: Renderer,
}

enum Renderer {
    Here(Box<Parsed>),
    Elsewhere(Remote),
}

impl Inner {
    fn open(input: Input, limits: &PdfLimits) -> Result<Self, DecodeError> {
        if HAS_RENDERER.load(Ordering::Relaxed) {
            let (remote, outline) = Remote::open(input, limits)?;
            let renderer = Renderer::Elsewhere(remote);
            return Ok(Self { outline, renderer });
        }
        let length = usize::try_from(input.size()).unwrap_or(usize::MAX);
        let parsed = Parsed::new(read_range(&*input, 0, length)?, limits.pages)?;
        Ok(Self {
            outline: parsed.outline(limits.scans),
            renderer: Renderer::Here(Box::new(parsed)),
        })
    }

    fn render(&self, part: &Part) -> Result<Vec<u8>, DecodeError> {
        match &self.renderer {
            Renderer::Here(parsed) => Ok(parsed.render(&RenderCache::new(), part)?),
            Renderer::Elsewhere(remote) => remote.render(part),
        }
    }
}

struct PdfPage {
    document: Arc<Inner>,
    limits: Limits,
    /// Counted from zero.
    index: usize,
    header: Header,
}

impl PdfPage {
    fn new(document: Arc<Inner>, limits: Limits, page: Page) -> Result<Self, DecodeError> {
        let index = page.number() as usize - 1;
        let outline = &document.outline;
        let size = outline.pages.get(index).ok_or(DecodeError::NoPage {
            page,
            pages: u32::try_from(outline.pages.len()).unwrap_or(u32::MAX),
        })?;
        let header = outline.header(size, &limits)?;
        limits.check_dimensions(header.stored_dimensions())?;
        Ok(Self {
            document,
            limits,
            index,
            header,
        })
    }

    fn part(&self, window: &Window, rect: Rect) -> Part {
        let level = self.header.levels[window.level].dimensions;
        let scan = self.document.outline.pages[self.index].scan;
        // Sides of parts are at most `LONGEST`.
        let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
        Part {
            page: self.index,
            is_scan: scan == Some((level.width(), level.height())),
            whole: (level.width(), level.height()),
            corner: (rect.x(), rect.y()),
            sides: (side(rect.width()), side(rect.height())),
        }
    }
}

/// Sides of what is rendered at once; more is put together.
const LONGEST: u32 = 4096;

impl Decoder for PdfPage {
    fn header(&self) -> &Header {
        &self.header
    }

    fn read_ahead(&self, _window: &Window) -> Result<(), DecodeError> {
        Ok(())
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        let dimensions = window.rect.dimensions();
        self.limits
            .check_decoded(dimensions, self.header.channels())?;
        let parts: Vec<Rect> = parts(window.rect).collect();
        let samples = match parts[..] {
            [only] => self.document.render(&self.part(window, only))?,
            _ => {
                let mut canvas = Canvas::new(window.rect);
                for rect in parts {
                    let samples = self.document.render(&self.part(window, rect))?;
                    canvas.put(rect, &samples);
                }
                canvas.samples
            }
        };
        Ok(Raster::new(dimensions, Layout::Rgb, Samples::U8(samples)))
    }

    fn contents(&self) -> Result<Contents, DecodeError> {
        let outline = &self.document.outline;
        let dimensions = |page| {
            let header = outline.header(page, &self.limits)?;
            self.limits.check_dimensions(header.dimensions())?;
            Ok(header.dimensions())
        };
        Ok(Contents {
            title: outline.title.clone(),
            pages: outline.pages.iter().map(dimensions).collect(),
            has_more: false,
        })
    }

    /// What all pages share counts as that of the first, which is kept as long as any of them.
    fn memory(&self) -> u64 {
        const FIELDS: u64 = 4 << 10;
        let is_first = self.index == 0;
        FIELDS
            + if is_first {
                self.document.outline.memory()
            } else {
                0
            }
    }

    fn turn_to(&self, page: Page) -> Option<Result<Box<dyn Decoder>, DecodeError>> {
        let turned = Self::new(Arc::clone(&self.document), self.limits, page);
        Some(turned.map(|page| Box::new(page) as Box<dyn Decoder>))
    }
}

/// A rectangle in pieces that are rendered one after the other.
fn parts(rect: Rect) -> impl Iterator<Item = Rect> {
    let steps = |start: u32, end: u32| {
        (start..end)
            .step_by(LONGEST as usize)
            .map(move |at| (at, LONGEST.min(end - at)))
    };
    steps(rect.y(), rect.bottom()).flat_map(move |(y, height)| {
        steps(rect.x(), rect.right()).filter_map(move |(x, width)| Rect::new(x, y, width, height))
    })
}

/// What is put together.
struct Canvas {
    area: Rect,
    samples: Vec<u8>,
}

impl Canvas {
    fn new(area: Rect) -> Self {
        let length = area.dimensions().area() as usize * Layout::Rgb.channels();
        Self {
            area,
            samples: vec![0; length],
        }
    }

    fn put(&mut self, rect: Rect, samples: &[u8]) {
        let pixel = Layout::Rgb.channels();
        let (x, y) = (rect.x() - self.area.x(), rect.y() - self.area.y());
        let row = rect.width() as usize * pixel;
        for (line, from) in (y as usize..).zip(samples.chunks_exact(row)) {
            let start = (line * self.area.width() as usize + x as usize) * pixel;
            self.samples[start..start + row].copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests;
