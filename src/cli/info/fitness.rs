//! Whether an image is stored so that a part or a small view of it can be had without decoding all of it.

use std::path::Path;

use serde::Serialize;

use crate::decode::{Header, SourceFormat};

/// Pixels up to which an image is decoded fast enough as a whole.
const SMALL: u64 = 4_000_000;

/// The verdict, and what would help.
#[derive(Debug, PartialEq, Serialize)]
pub struct Fitness {
    pub fit: bool,
    /// What is missing; empty if it is fit.
    pub reasons: Vec<&'static str>,
    /// Makes a copy that is fit.
    pub remedy: Option<String>,
}

impl Fitness {
    pub fn new(path: &Path, header: &Header) -> Self {
        let reasons = reasons(header);
        let fit = reasons.is_empty();
        Self {
            fit,
            reasons,
            remedy: (!fit).then(|| command(path, header)),
        }
    }
}

fn reasons(header: &Header) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    let is_rendered = header.format == SourceFormat::Pdf;
    if is_rendered || header.stored_dimensions().area() <= SMALL {
        return reasons;
    }
    if !is_divided(header) {
        reasons.push("it has no tiles: every detail costs as much as the whole image");
    }
    if header.levels.len() < 2 {
        reasons.push("it has no smaller levels: every overview costs as much as the whole image");
    }
    reasons
}

/// JPEG 2000 without tiles still consists of code-blocks, which are decoded one by one.
fn is_divided(header: &Header) -> bool {
    header.format == SourceFormat::Jp2 || header.levels.iter().any(|level| level.tile.is_some())
}

/// JPEG has no transparency and eight bits; for all others, Deflate loses nothing.
fn command(path: &Path, header: &Header) -> String {
    let compression = if header.alpha || header.bit_depth != 8 {
        "deflate --predictor horizontal"
    } else {
        "jpeg --Q 90"
    };
    let stem = path.file_stem().unwrap_or_default().display();
    let output = path.with_file_name(format!("{stem}-pyramid.tif"));
    format!(
        "vips tiffsave {} {} --tile --pyramid --compression {compression} --tile-width 256 --tile-height 256",
        quoted(path),
        quoted(&output),
    )
}

/// As a word of a shell command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:=@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::super::report::sample::header;
    use super::*;

    fn fitness(header: &Header) -> Fitness {
        Fitness::new(Path::new("maps/1.jpg"), header)
    }

    #[test]
    fn a_large_image_needs_tiles_and_levels() {
        assert!(fitness(&header(8000, 6000, &[1, 2, 4], Some(256))).fit);
        let whole = fitness(&header(8000, 6000, &[1], None));
        assert_eq!(whole.reasons.len(), 2);
        assert_eq!(
            whole.remedy.unwrap(),
            "vips tiffsave maps/1.jpg maps/1-pyramid.tif --tile --pyramid --compression jpeg --Q 90 --tile-width 256 \
             --tile-height 256"
        );
        assert_eq!(fitness(&header(8000, 6000, &[1, 2], None)).reasons.len(), 1);
        assert_eq!(
            fitness(&header(8000, 6000, &[1], Some(256))).reasons.len(),
            1
        );
    }

    #[test]
    fn a_small_image_needs_nothing() {
        let small = fitness(&header(2000, 2000, &[1], None));
        assert_eq!(
            small,
            Fitness {
                fit: true,
                reasons: vec![],
                remedy: None
            }
        );
        assert!(!fitness(&header(2001, 2000, &[1], None)).fit);
    }

    #[test]
    fn jpeg_2000_needs_no_tiles() {
        let mut untiled = header(8000, 6000, &[1, 2], None);
        untiled.format = SourceFormat::Jp2;
        assert!(fitness(&untiled).fit);
    }

    #[test]
    fn nothing_is_lost_that_jpeg_cannot_hold() {
        let mut deep = header(8000, 6000, &[1], None);
        deep.bit_depth = 16;
        assert!(
            fitness(&deep)
                .remedy
                .unwrap()
                .contains("--compression deflate")
        );
    }

    #[test]
    fn names_are_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("a b.tif")), "'a b.tif'");
        assert_eq!(quoted(Path::new("it's;rm")), r"'it'\''s;rm'");
    }
}
