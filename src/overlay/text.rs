//! A line of text as pixels.

use std::path::Path;
use std::{fs, io};

use ab_glyph::{Font, FontVec, Glyph, PxScale, ScaleFont, point};

use crate::geometry::Dimensions;
use crate::raster::{Layout, Raster, Samples};

/// Where Debian, Fedora and Alpine put fonts that have most letters; the first that is there counts.
const FONTS: [&str; 9] = [
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/liberation-sans-fonts/LiberationSans-Regular.ttf",
    "/usr/share/fonts/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/google-noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/noto/NotoSans-Regular.ttf",
];

/// The bytes of a font: of this file, or of one of the system.
///
/// # Errors
/// If there is none.
pub fn font_bytes(file: Option<&Path>) -> io::Result<Vec<u8>> {
    if let Some(file) = file {
        return fs::read(file)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())));
    }
    let found = FONTS.iter().find_map(|path| fs::read(path).ok());
    found.ok_or_else(|| {
        let none = "there is no font on this machine: install fonts-dejavu-core (Debian), dejavu-sans-fonts (Fedora) or \
                    font-dejavu (Alpine), or name a file as `font`";
        io::Error::new(io::ErrorKind::NotFound, none)
    })
}

/// A text and its font.
pub struct Text {
    font: FontVec,
    text: String,
}

/// Glyphs side by side, with the size of the line in pixels.
struct Line {
    glyphs: Vec<Glyph>,
    width: f32,
    height: f32,
}

impl Text {
    /// # Errors
    /// If the font cannot be read, or lacks a letter: a text of empty boxes is no watermark.
    pub fn new(text: &str, font: Vec<u8>) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        let font = FontVec::try_from_vec(font).map_err(|error| invalid(error.to_string()))?;
        let has_glyph = |letter: char| letter.is_whitespace() || font.glyph_id(letter).0 != 0;
        if let Some(missing) = text.chars().find(|letter| !has_glyph(*letter)) {
            return Err(invalid(format!("the font has no letter \"{missing}\"")));
        }
        let text = text.to_owned();
        let drawn = Self { font, text };
        if drawn.line(FINE).glyphs.is_empty() {
            return Err(invalid(
                "there is nothing to be seen of the text".to_owned(),
            ));
        }
        Ok(drawn)
    }

    /// Of a line of this height.
    pub fn dimensions(&self, height: u32) -> Dimensions {
        let line = self.line(height as f32);
        Dimensions::at_least_one(line.width.ceil() as u32, line.height.ceil() as u32)
    }

    /// The text in one colour; its opacity is what of each pixel the letters cover. Never larger than `to`.
    pub fn draw(&self, to: Dimensions, [red, green, blue]: [u8; 3]) -> Raster {
        let mut pixels = vec![[red, green, blue, 0]; to.area() as usize];
        for glyph in self.fitting(to).glyphs {
            let Some(outlined) = self.font.outline_glyph(glyph) else {
                continue;
            };
            let corner = outlined.px_bounds().min;
            outlined.draw(|x, y, covered| {
                let (x, y) = (
                    corner.x as i64 + i64::from(x),
                    corner.y as i64 + i64::from(y),
                );
                if let Some(index) = index(to, x, y) {
                    let alpha = &mut pixels[index][3];
                    // Letters may touch each other.
                    *alpha = alpha.saturating_add((covered.clamp(0.0, 1.0) * 255.0).round() as u8);
                }
            });
        }
        Raster::new(to, Layout::Rgba, Samples::U8(pixels.into_flattened()))
    }

    /// The largest line that fits.
    fn fitting(&self, to: Dimensions) -> Line {
        let fine = self.line(FINE);
        let (width, height) = (to.width() as f32, to.height() as f32);
        self.line(FINE * (width / fine.width).min(height / fine.height))
    }

    fn line(&self, height: f32) -> Line {
        let font = self.font.as_scaled(PxScale::from(height));
        let mut glyphs: Vec<Glyph> = Vec::new();
        let mut right = 0.0;
        let mut last = None;
        for letter in self.text.chars() {
            let id = font.glyph_id(letter);
            right += last.map_or(0.0, |last| font.kern(last, id));
            glyphs.push(id.with_scale_and_position(font.scale(), point(right, font.ascent())));
            right += font.h_advance(id);
            last = Some(id);
        }
        glyphs.retain(|glyph| self.font.outline_glyph(glyph.clone()).is_some());
        Line {
            glyphs,
            width: right.max(1.0),
            height: font.height().max(1.0),
        }
    }
}

/// Pixels of a line whose proportions are known well enough.
const FINE: f32 = 1_000.0;

fn index(within: Dimensions, x: i64, y: i64) -> Option<usize> {
    let (width, height) = (i64::from(within.width()), i64::from(within.height()));
    let is_inside = (0..width).contains(&x) && (0..height).contains(&y);
    is_inside.then(|| usize::try_from(y * width + x).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> io::Result<Text> {
        Text::new(text, font_bytes(None).unwrap())
    }

    /// Opaque pixels in columns from here to there.
    fn covered(raster: &Raster, columns: std::ops::Range<usize>) -> usize {
        let width = raster.dimensions().width() as usize;
        let pixels = raster.as_u8().unwrap().as_chunks::<4>().0;
        let is_covered = |(index, pixel): &(usize, &[u8; 4])| {
            columns.contains(&(index % width)) && pixel[3] > 128
        };
        pixels.iter().enumerate().filter(is_covered).count()
    }

    #[test]
    fn letters_are_drawn_where_they_stand() {
        let text = text("I I").unwrap();
        let size = text.dimensions(40);
        assert_eq!(size.height(), 40);
        let drawn = text.draw(size, [1, 2, 3]);
        let third = size.width() as usize / 3;
        assert!(covered(&drawn, 0..third) > 50);
        assert_eq!(covered(&drawn, third + 2..2 * third - 2), 0);
        assert!(covered(&drawn, 2 * third..3 * third) > 50);
        assert_eq!(drawn.as_u8().unwrap()[..3], [1, 2, 3]);
    }

    #[test]
    fn it_is_drawn_as_large_as_there_is_place() {
        let text = text("Watermark").unwrap();
        let small = text.dimensions(10);
        let large = text.dimensions(100);
        assert!(large.width() > 9 * small.width() && large.width() < 11 * small.width());
        let all = |size: Dimensions| covered(&text.draw(size, [0; 3]), 0..usize::MAX) as f64;
        let share = |size: Dimensions| all(size) / size.area() as f64;
        assert!((share(large) - share(text.dimensions(300))).abs() < 0.02);
        for tiny in [(1, 1), (1, 50), (50, 1)] {
            let size = Dimensions::new(tiny.0, tiny.1).unwrap();
            assert_eq!(text.draw(size, [0; 3]).dimensions(), size);
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(text("\u{13000}").is_err(), "no hieroglyphs in this font");
        assert!(text("   ").is_err());
        assert!(Text::new("a", b"no font".to_vec()).is_err());
        assert!(font_bytes(Some(Path::new("/nowhere.ttf"))).is_err());
    }
}
