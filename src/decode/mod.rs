//! From the bytes of an underlying image to its [`Header`] and to the pixels of a [`Window`].
//!
//! The format is found by content, never by name. A decoder reads only the bytes and decodes only the parts that the
//! window needs, as far as the format allows.

mod aids;
#[cfg(test)]
mod announced;
mod bmp;
mod contents;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod counting;
mod error;
mod exif;
mod gif;
mod header;
mod jp2;
mod jpeg;
mod limits;
pub mod pdf;
mod png;
#[cfg(test)]
mod samples;
mod sniff;
mod tiff;
mod unit;
mod webp;
mod whole;

#[cfg(test)]
pub use aids::Shelf;
pub use aids::{Aids, TILE_STAGES, Tiles};
pub use contents::Contents;
#[cfg(test)]
pub use counting::Counting;
pub use error::DecodeError;
#[cfg(test)]
pub use header::sample as sample_header;
pub use header::{Coding, ColorModel, Header, Level, Resolution, SourceFormat};
pub use jp2::{JP2_SAMPLE, jp2_band};
pub use limits::Limits;
pub use pdf::Document;
pub use pdf::config::PdfLimits;
pub use sniff::source_format;
pub use unit::Unit;

use crate::geometry::Rect;
use crate::input::Input;
use crate::page::Page;
use crate::raster::Raster;

/// Pixels asked of a decoder: a rectangle of one stored level, in the level's own pixels and as stored, that is
/// before the orientation of the header is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Index into [`Header::levels`].
    pub level: usize,
    /// Lies within the dimensions of that level.
    pub rect: Rect,
}

/// An opened underlying image.
///
/// Contract, shown for every format by one test: decoding a window equals cropping the whole decoded level, exactly.
pub trait Decoder: Send + Sync {
    /// What is known without decoding pixels.
    fn header(&self) -> &Header;

    /// The pixels of a window, as stored: the raster has the dimensions of `window.rect`.
    ///
    /// # Errors
    /// If the file is broken where the window needs it, uses what is not supported, or would need more memory than the
    /// limits allow.
    fn decode(&self, window: &Window) -> Result<Raster, DecodeError>;

    /// Tells the input all that decoding this window, or [`Self::stored`] for it, will read. What has to be known for that,
    /// such as an index of the window's part of the file, is read here.
    ///
    /// # Errors
    /// Those of [`Self::decode`], as far as they show before pixels are decoded.
    fn read_ahead(&self, window: &Window) -> Result<(), DecodeError>;

    /// [`Self::decode`] with the help of these, where the format can be decoded in pieces.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    fn decode_with(&self, window: &Window, _aids: Aids<'_>) -> Result<Raster, DecodeError> {
        self.decode(window)
    }

    /// What the whole file holds, whichever page was opened. No pixel is decoded, and no page opened anew.
    ///
    /// # Errors
    /// If the pages cannot be told; one that is broken is an error of its own.
    fn contents(&self) -> Result<Contents, DecodeError> {
        Ok(Contents::of_one(self.header()))
    }

    /// Another page of the same file. `None` if that is to be opened by itself.
    ///
    /// # Errors
    /// Those of [`open_page`].
    fn turn_to(&self, _page: Page) -> Option<Result<Box<dyn Decoder>, DecodeError>> {
        None
    }

    /// Bytes that it keeps between decodes, roughly.
    fn memory(&self) -> u64 {
        const FIELDS: u64 = 4 << 10;
        FIELDS + self.header().profile_bytes()
    }

    /// A window that begins with a unit of a level that has a [`Level::coding`], as a file of that format in sRGB or gray,
    /// made of the stored bytes without decoding pixels. `resolution` is written where the format can.
    ///
    /// `None` if more than `most` bytes would have to be read, or if they are not what they should be, or show more than the format's usual readers understand: decoding
    /// knows better, and says what is wrong.
    fn stored(
        &self,
        _window: &Window,
        _resolution: Option<Resolution>,
        _most: u64,
    ) -> Option<Vec<u8>> {
        None
    }

    /// The file itself, if it is what [`Self::stored`] would be for this window however many bytes that reads.
    fn file(&self, _window: &Window) -> Option<Input> {
        None
    }
}

/// Opens an image: recognises the format and reads the header.
///
/// # Errors
/// If the format is not known, the header is broken, or the limits forbid it.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    open_page(input, limits, Page::FIRST)
}

/// The same for a page of a file that may hold several. Of TIFF each image that is no level of another is one; all others but
/// PDF have one.
///
/// # Errors
/// As [`open`]; [`DecodeError::NoPage`] if there is no such page.
pub fn open_page(
    input: Input,
    limits: &Limits,
    page: Page,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let format = sniff::source_format(&*input)?;
    let decoder: Box<dyn Decoder> = match format {
        SourceFormat::Jpeg => jpeg::open(input, limits)?,
        SourceFormat::Png => png::open(input, limits)?,
        SourceFormat::Tiff => tiff::open(input, limits, page)?,
        SourceFormat::Jp2 => jp2::open(input, limits)?,
        SourceFormat::Webp => webp::open(input, limits)?,
        SourceFormat::Gif => gif::open(input, limits)?,
        SourceFormat::Bmp => bmp::open(input, limits)?,
        SourceFormat::Pdf => return Document::open(input, limits)?.page(page),
    };
    limits.check_dimensions(decoder.header().stored_dimensions())?;
    let pages = decoder.header().pages;
    if page.number() > pages {
        return Err(DecodeError::NoPage { page, pages });
    }
    Ok(decoder)
}
