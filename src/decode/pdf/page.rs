//! Documents as the renderer sees them: the only place that knows `hayro`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning, TransformExt};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{LoadPdfError, Pdf, PdfVersion};
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings};
use serde::{Deserialize, Serialize};

use super::config::Scans;
use super::fault::Fault;
use super::fonts;
use super::outline::{Outline, PageSize};
use super::scan::{self, Scan};

/// ISO 32000-1, 14.11.2 and 7.7.3.3: a unit is a 72nd of an inch, unless the page says otherwise.
const UNITS_PER_INCH: f64 = 72.0;

/// Characters. The rest of a title that is longer is not told: the server would keep it.
const LONGEST_TITLE: usize = 1_000;

/// A part of a page, rendered at some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Counted from zero.
    pub page: usize,
    /// Whether these are pixels of the image that is all of the page.
    pub is_scan: bool,
    /// Pixels of the whole page.
    pub whole: (u32, u32),
    /// Of these, the first that is rendered.
    pub corner: (u32, u32),
    /// How many are rendered.
    pub sides: (u16, u16),
}

impl Part {
    /// Bytes of its samples.
    pub fn bytes(&self) -> usize {
        CHANNELS * usize::from(self.sides.0) * usize::from(self.sides.1)
    }
}

/// Red, green and blue.
const CHANNELS: usize = 3;

/// A document that was parsed.
pub struct Parsed {
    pdf: Pdf,
    /// The last page that was a scan: its tiles follow each other.
    scan: Mutex<Option<(usize, Scan)>>,
}

impl Parsed {
    /// # Errors
    /// If it is encrypted, broken, or has more pages than that.
    pub fn new(bytes: Vec<u8>, most_pages: u32) -> Result<Self, Fault> {
        let pdf = Pdf::new(bytes).map_err(|error| match error {
            LoadPdfError::Decryption(_) => Fault::Encrypted,
            LoadPdfError::Invalid => Fault::broken("it has no pages that can be found"),
        })?;
        let (pages, limit) = (pdf.pages().len() as u64, u64::from(most_pages));
        if pages > limit {
            return Err(Fault::TooManyPages { pages, limit });
        }
        if pages == 0 {
            return Err(Fault::broken("it has no pages"));
        }
        Ok(Self {
            pdf,
            scan: Mutex::default(),
        })
    }

    pub fn outline(&self, scans: Scans) -> Outline {
        Outline {
            version: version(self.pdf.version()).to_owned(),
            title: self.pdf.metadata().title.as_deref().and_then(text),
            pages: self.pdf.pages().iter().map(|it| size(it, scans)).collect(),
        }
    }

    /// Samples of red, green and blue, row by row, on white paper.
    ///
    /// # Errors
    /// If there is no such page, or an image on it cannot be decoded.
    pub fn render<'a>(&'a self, cache: &RenderCache<'a>, part: &Part) -> Result<Vec<u8>, Fault> {
        let pages = self.pdf.pages();
        let page = pages.get(part.page).ok_or(Fault::broken("no such page"))?;
        if part.is_scan {
            return self.cut(page, part);
        }
        let has_failed = Arc::new(AtomicBool::new(false));
        let (width, height) = part.sides;
        let mut context = RenderContext::new(width, height);
        hayro::render_into(
            page,
            cache,
            &settings(&has_failed),
            &RenderSettings::default(),
            &mut context,
            placed(page, part),
        );
        if has_failed.load(Ordering::Relaxed) {
            return Err(Fault::broken("an image on the page cannot be decoded"));
        }
        Ok(painted(&mut context))
    }
}

impl Parsed {
    /// A part of the image that is all of the page.
    fn cut(&self, page: &Page<'_>, part: &Part) -> Result<Vec<u8>, Fault> {
        let mut kept = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(page, _)| *page != part.page) {
            // The one before it makes room first.
            *kept = None;
            let scan = scan::decoded(page, settings(&Arc::default()));
            *kept = scan.map(|scan| (part.page, scan));
        }
        let scan = kept.as_ref().map(|(_, scan)| scan);
        let as_told = scan.filter(|scan| (scan.width, scan.height) == part.whole);
        as_told
            .map(|scan| scan.part(part.corner, part.sides))
            .ok_or(Fault::broken("the image of the page cannot be decoded"))
    }
}

/// From the units of the page to the pixels of the part.
fn placed(page: &Page<'_>, part: &Part) -> Affine {
    let (width, height) = page.render_dimensions();
    let corner = (-f64::from(part.corner.0), -f64::from(part.corner.1));
    let scale = Affine::scale_non_uniform(
        f64::from(part.whole.0) / f64::from(width),
        f64::from(part.whole.1) / f64::from(height),
    );
    Affine::translate(corner) * scale * page.initial_transform(true).to_kurbo()
}

/// An image that is missing would not be seen by those who read the page; a font that is missing is replaced.
fn settings(has_failed: &Arc<AtomicBool>) -> InterpreterSettings {
    let has_failed = Arc::clone(has_failed);
    InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::ImageDecodeFailure) {
                has_failed.store(true, Ordering::Relaxed);
            }
        }),
        font_resolver: Arc::new(fonts::substitute),
        ..InterpreterSettings::default()
    }
}

fn painted(context: &mut RenderContext) -> Vec<u8> {
    context.flush();
    let mut pixels = Pixmap::new(context.width(), context.height());
    let on_paper = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..RasterizerSettings::default()
    };
    context.render_with(&mut pixels, &mut Resources::default(), on_paper);
    let opaque = pixels.data().iter();
    opaque
        .flat_map(|pixel| [pixel.r, pixel.g, pixel.b])
        .collect()
}

/// A text string (7.9.2.2). `None` if nothing is in it that can be read.
fn text(bytes: &[u8]) -> Option<String> {
    let decoded = match bytes {
        [0xFE, 0xFF, utf_16 @ ..] => {
            let units = utf_16
                .chunks_exact(2)
                .map(|it| u16::from_be_bytes([it[0], it[1]]));
            char::decode_utf16(units)
                .map(|it| it.unwrap_or('\u{FFFD}'))
                .collect()
        }
        [0xEF, 0xBB, 0xBF, utf_8 @ ..] => String::from_utf8_lossy(utf_8).into_owned(),
        // PDFDocEncoding is Latin 1 but for a few signs.
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let readable = decoded.chars().filter(|it| !it.is_control());
    let readable: String = readable.take(LONGEST_TITLE).collect();
    let trimmed = readable.trim();
    let says_nothing = trimmed.is_empty() || trimmed.eq_ignore_ascii_case("untitled");
    (!says_nothing).then(|| trimmed.to_owned())
}

fn size(page: &Page<'_>, scans: Scans) -> PageSize {
    let unit = page.raw().get::<f64>("UserUnit").filter(|unit| *unit > 0.0);
    let inches = unit.unwrap_or(1.0) / UNITS_PER_INCH;
    let (width, height) = page.render_dimensions();
    PageSize {
        width: f64::from(width) * inches,
        height: f64::from(height) * inches,
        scan: match scans {
            Scans::Rendered => None,
            Scans::Native => scan::size(page, settings(&Arc::default())),
        },
    }
}

fn version(version: PdfVersion) -> &'static str {
    match version {
        PdfVersion::Pdf10 => "1.0",
        PdfVersion::Pdf11 => "1.1",
        PdfVersion::Pdf12 => "1.2",
        PdfVersion::Pdf13 => "1.3",
        PdfVersion::Pdf14 => "1.4",
        PdfVersion::Pdf15 => "1.5",
        PdfVersion::Pdf16 => "1.6",
        PdfVersion::Pdf17 => "1.7",
        PdfVersion::Pdf20 => "2.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_text() {
        let rows: [(&[u8], Option<&str>); 6] = [
            // What a widespread library writes where it is told no title.
            (b"untitled", None),
            (b"Caf\xE9 ", Some("Café")),
            (b"\xFE\xFF\x00A\x6F\x22", Some("A漢")),
            (b"\xEF\xBB\xBF\xC3\xBC", Some("ü")),
            (b"\x00\x01", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(text(bytes).as_deref(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn titles_end() {
        let endless = vec![b'a'; 1 << 20];
        assert_eq!(text(&endless).unwrap().len(), LONGEST_TITLE);
    }
}
