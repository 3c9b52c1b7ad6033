//! What is known of a document once it is opened: how many pages there are, and how large each is.

use serde::{Deserialize, Serialize};

use crate::decode::header::{Coding, ColorModel, Header, Level, Resolution, SourceFormat};
use crate::decode::{DecodeError, Limits, Unit};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::orientation::Orientation;

/// Of every page, nothing of which has been rendered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// Of PDF: `1.7`.
    pub version: String,
    /// What it calls itself.
    pub title: Option<String>,
    pub pages: Vec<PageSize>,
}

/// The part of a page that is shown (its crop box within its media box), upright (`Rotate`), in inches (`UserUnit`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageSize {
    pub width: f64,
    pub height: f64,
    /// Pixels of the image that is all of the page, if that is what it is to be.
    pub scan: Option<(u32, u32)>,
}

/// What is rendered at once, and kept: interpreting the page costs about the same for a tile and for this (`docs/pdf.md`).
const BLOCK: u32 = 1024;
/// Levels end where both sides are no longer than this.
const SMALLEST: u32 = 128;

impl PageSize {
    /// Pixels per inch: as configured, or as many as the most pixels allow.
    fn resolution(self, limits: &Limits) -> u32 {
        let most = limits.source_pixels as f64;
        let allowed = (most / (self.width * self.height)).sqrt().floor();
        let is_within = |resolution: &u32| {
            let dimensions = self.dimensions(*resolution);
            dimensions.is_ok_and(|it| it.area() <= limits.source_pixels)
        };
        let resolution = limits.pdf.resolution.min(allowed as u32).max(1);
        // Rounding may have made it a pixel longer.
        let less = resolution.saturating_sub(1).max(1);
        Some(resolution).filter(is_within).unwrap_or(less)
    }

    /// The size of the image that is all of it, and its pixels per inch.
    fn native(self) -> Option<(Dimensions, Resolution)> {
        let (width, height) = self.scan?;
        let resolution = Resolution {
            x: f64::from(width) / self.width,
            y: f64::from(height) / self.height,
        };
        Some((Dimensions::new(width, height)?, resolution))
    }

    fn at(self, resolution: u32) -> Result<(Dimensions, Resolution), DecodeError> {
        let per_inch = f64::from(resolution);
        let resolution_of_both = Resolution {
            x: per_inch,
            y: per_inch,
        };
        Ok((self.dimensions(resolution)?, resolution_of_both))
    }

    /// At so many pixels per inch.
    ///
    /// # Errors
    /// If there is no such image: the page is without extent, or too large for a number.
    pub fn dimensions(self, resolution: u32) -> Result<Dimensions, DecodeError> {
        let side = |inches: f64| {
            let pixels = (inches * f64::from(resolution)).round();
            let is_side = pixels <= f64::from(i32::MAX);
            is_side.then_some(pixels.max(1.0) as u32)
        };
        let dimensions = Option::zip(side(self.width), side(self.height))
            .and_then(|(width, height)| Dimensions::new(width, height));
        dimensions.ok_or_else(|| DecodeError::malformed("PDF", "a page has no sensible size"))
    }
}

impl Outline {
    /// Bytes that it keeps.
    pub fn memory(&self) -> u64 {
        let title = self.title.as_ref().map_or(0, String::capacity);
        (title + self.pages.capacity() * size_of::<PageSize>()) as u64
    }

    /// The header of one of the pages.
    ///
    /// # Errors
    /// As [`PageSize::dimensions`].
    pub fn header(&self, page: &PageSize, limits: &Limits) -> Result<Header, DecodeError> {
        let (full, resolution) = match page.native() {
            Some(native) => native,
            None => page.at(page.resolution(limits))?,
        };
        Ok(Header {
            format: SourceFormat::Pdf,
            levels: levels(full),
            orientation: Orientation::UPRIGHT,
            color: ColorModel::Rgb,
            alpha: false,
            bit_depth: 8,
            pages: u32::try_from(self.pages.len()).unwrap_or(u32::MAX),
            resolution: Some(resolution),
            profile: None,
            coding: format!("PDF {}", self.version),
        })
    }
}

/// A page can be rendered at any scale; halves are what viewers ask for, and what lies between is made of the next larger
/// one, which is smoother than text rendered at just that size.
fn levels(full: Dimensions) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    for reduction in 0..32 {
        let Some(scale_factor) = ScaleFactor::from_reduction(reduction) else {
            break;
        };
        let dimensions = full.divided(scale_factor);
        levels.push(level(dimensions, scale_factor));
        if dimensions.width().max(dimensions.height()) <= SMALLEST {
            break;
        }
    }
    levels
}

fn level(dimensions: Dimensions, scale_factor: ScaleFactor) -> Level {
    const NONE: Option<Coding> = None;
    Level {
        dimensions,
        scale_factor,
        tile: None,
        unit: Unit::Tile(Dimensions::at_least_one(BLOCK, BLOCK)),
        coding: NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: f64, height: f64) -> PageSize {
        PageSize {
            width,
            height,
            scan: None,
        }
    }

    fn sides(dimensions: Dimensions) -> (u32, u32) {
        (dimensions.width(), dimensions.height())
    }

    #[test]
    fn a_page_is_as_large_as_its_inches() {
        let letter = page(8.5, 11.0);
        assert_eq!(sides(letter.dimensions(300).unwrap()), (2550, 3300));
        assert_eq!(sides(letter.dimensions(72).unwrap()), (612, 792));
        let point = page(1.0 / 72.0, 1.0 / 7200.0);
        assert_eq!(sides(point.dimensions(72).unwrap()), (1, 1));
    }

    /// A poster is served all the same.
    #[test]
    fn a_page_with_too_many_pixels_has_fewer_per_inch() {
        let few = Limits {
            source_pixels: 10_000,
            ..Limits::DEFAULT
        };
        let outline = Outline {
            version: "1.7".to_owned(),
            title: None,
            pages: Vec::new(),
        };
        let header = outline.header(&page(10.0, 20.0), &few).unwrap();
        assert_eq!(sides(header.dimensions()), (70, 140));
        assert_eq!(header.resolution.unwrap().x, 7.0);
        let header = outline.header(&page(0.149, 0.99), &few).unwrap();
        assert!(
            header.dimensions().area() <= 10_000,
            "{:?}",
            header.dimensions()
        );
    }

    #[test]
    fn nonsense_is_no_size() {
        for inches in [f64::NAN, f64::INFINITY, 1e9] {
            assert!(page(inches, 1.0).dimensions(300).is_err(), "{inches}");
        }
    }

    #[test]
    fn levels_go_down_by_halves_to_a_thumbnail() {
        let outline = Outline {
            version: "1.7".to_owned(),
            title: None,
            pages: vec![page(8.5, 11.0); 3],
        };
        let header = outline.header(&outline.pages[0], &Limits::DEFAULT).unwrap();
        let found: Vec<_> = header
            .levels
            .iter()
            .map(|it| sides(it.dimensions))
            .collect();
        let expected = [
            (2550, 3300),
            (1275, 1650),
            (638, 825),
            (319, 413),
            (160, 207),
            (80, 104),
        ];
        assert_eq!(found, expected);
        assert_eq!(header.pages, 3);
    }
}
