//! Where redactions lie on what is decoded.

use super::{Copied, Plan};
use crate::decode::{Header, SourceFormat};
use crate::geometry::Rect;
use crate::iiif::region::RegionError;
use crate::view::{Redaction, View};

/// A rectangle of the decoded window that is painted over. As stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Painted {
    pub rect: Rect,
    /// In sRGB.
    pub color: [u8; 3],
}

impl Plan {
    /// The same with what is hidden, and drawn by nobody else: stored bytes are never the answer where something is.
    ///
    /// # Errors
    /// If a redaction lies outside of the image.
    pub fn as_seen(mut self, view: &View, header: &Header) -> Result<Self, RegionError> {
        self.redacts = !view.redactions.is_empty();
        self.overlays = !view.overlays.is_empty();
        if self.redacts || self.overlays {
            self.copied = Copied::No;
        }
        for redaction in &view.redactions {
            let cover = Cover::of(redaction, header)?;
            let rect = cover.on_level(header, self.window.level);
            if let Some(rect) = rect.intersection(self.window.rect) {
                let rect = rect.within(self.window.rect).expect("it is a part of it");
                let color = redaction.color.rgb();
                self.painted.push(Painted { rect, color });
            }
        }
        Ok(self)
    }
}

/// What is hidden of the stored image.
struct Cover(Rect);

impl Cover {
    fn of(redaction: &Redaction, header: &Header) -> Result<Self, RegionError> {
        let upright = redaction.rect(header.dimensions())?;
        let stored = header.stored_dimensions();
        Ok(Self(header.orientation.stored_rect(upright, stored)))
    }

    /// All pixels of a level in which something of it may be seen.
    fn on_level(&self, header: &Header, level: usize) -> Rect {
        let smear = Smear::new(header, level);
        let (full, here) = (header.stored_dimensions(), header.levels[level].dimensions);
        let factor = header.levels[level].scale_factor.get();
        let x = Side {
            full: full.width(),
            level: here.width(),
            factor,
        };
        let y = Side {
            full: full.height(),
            level: here.height(),
            factor,
        };
        let (left, right) = x.cover(self.0.x(), self.0.right(), smear.across, smear.reach);
        let (top, bottom) = y.cover(self.0.y(), self.0.bottom(), smear.down, smear.reach);
        let rect = Rect::new(left, top, right - left, bottom - top);
        rect.unwrap_or_else(|| Rect::whole(here))
    }
}

/// One side of a level.
struct Side {
    full: u32,
    level: u32,
    factor: u32,
}

impl Side {
    /// Of a span of the full image: whole blocks, and as far beyond as filters reach. A level whose side was rounded may have been
    /// scaled as a whole, or pixel by pixel: both places are covered.
    fn cover(&self, start: u32, end: u32, block: u32, reach: u32) -> (u32, u32) {
        let (full, level) = (u64::from(self.full), u64::from(self.level));
        let (start, end, factor) = (u64::from(start), u64::from(end), u64::from(self.factor));
        let (block, reach) = (u64::from(block), u64::from(reach));
        let first = (start / factor).min(start * level / full);
        let last = end.div_ceil(factor).max((end * level).div_ceil(full));
        let first = (first / block * block).saturating_sub(reach);
        let last = last.next_multiple_of(block) + reach;
        // On a level that was rounded down, the last pixel stands for what is beyond it.
        let first = first.min(level - 1) as u32;
        (first, (last.min(level) as u32).max(first + 1))
    }
}

/// How far a pixel of the image is seen in others of a level.
struct Smear {
    /// Pixels of a level that are coded together, so that what is lost of one is found in the others.
    across: u32,
    down: u32,
    /// How far filters reach beyond them.
    reach: u32,
}

impl Smear {
    fn new(header: &Header, level: usize) -> Self {
        let factor = header.levels[level].scale_factor.get();
        let (across, down, reach) = match header.format {
            // Units of 16 by 16 pixels, or 32 by 8 (ITU-T T.81, A.2); colour is interpolated. Levels are made of the same units.
            SourceFormat::Jpeg => (32_u32.div_ceil(factor), 16_u32.div_ceil(factor), 4),
            SourceFormat::Webp => (16, 16, 8),
            // Each level may be coded so, and was made by filters that nobody knows: Lanczos, repeated, reaches six pixels.
            SourceFormat::Tiff => (32, 16, 6),
            // Wavelets of nine samples, repeated, reach four; and as many where they are not whole.
            SourceFormat::Jp2 => (1, 1, 8),
            SourceFormat::Pdf => (1, 1, 2),
            SourceFormat::Png | SourceFormat::Gif | SourceFormat::Bmp => (1, 1, 0),
        };
        Self {
            across,
            down,
            reach,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rectangle_is_rounded_outwards() {
        let side = Side {
            full: 1_001,
            level: 126,
            factor: 8,
        };
        assert_eq!(side.cover(0, 1, 1, 0), (0, 1));
        assert_eq!(side.cover(15, 17, 1, 0), (1, 3));
        assert_eq!(side.cover(1_000, 1_001, 1, 0), (125, 126));
        assert_eq!(side.cover(500, 510, 16, 2), (46, 82));
    }

    #[test]
    fn what_a_level_lacks_is_hidden_by_its_last_pixel() {
        let side = Side {
            full: 1_007,
            level: 125,
            factor: 8,
        };
        assert_eq!(side.cover(1_004, 1_007, 1, 0), (124, 125));
    }

    proptest! {
        #[test]
        fn the_cover_lies_on_the_level_and_is_never_empty(
            full in 1..100_000_u32, factor in 1..64_u32, start in 0..100_000_u32, length in 1..100_000_u32,
            block in 1..33_u32, reach in 0..9_u32, up: bool,
        ) {
            let level = (if up { full.div_ceil(factor) } else { full / factor }).max(1);
            let start = start.min(full - 1);
            let end = (start + length).min(full);
            let (first, last) = Side { full, level, factor }.cover(start, end, block, reach);
            prop_assert!(first < last && last <= level);
            prop_assert!(first <= (start / factor).min(level - 1));
            prop_assert!(last >= end.div_ceil(factor).min(level));
        }
    }
}
