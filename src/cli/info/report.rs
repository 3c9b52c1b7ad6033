//! The header of an image, for people and as JSON.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::fitness::Fitness;
use crate::decode::{ColorModel, Header, Level, SourceFormat};
use crate::geometry::Dimensions;

#[derive(Debug, Serialize)]
pub struct Report {
    format: SourceFormat,
    coding: String,
    width: u32,
    height: u32,
    /// The value of the EXIF tag.
    orientation: u16,
    color: ColorModel,
    alpha: bool,
    bit_depth: u8,
    pages: u32,
    resolution: Option<PixelsPerInch>,
    profile: Option<Profile>,
    levels: Vec<LevelReport>,
    #[serde(flatten)]
    fitness: Fitness,
}

#[derive(Debug, Serialize)]
struct PixelsPerInch {
    x: f64,
    y: f64,
}

#[derive(Debug, Serialize)]
struct Profile {
    bytes: usize,
    /// Such as `sRGB IEC61966-2.1`; missing if the profile does not say or is broken.
    description: Option<String>,
}

#[derive(Debug, Serialize)]
struct LevelReport {
    scale_factor: u32,
    width: u32,
    height: u32,
    tile: Option<Tile>,
}

#[derive(Debug, Serialize)]
struct Tile {
    width: u32,
    height: u32,
}

impl Report {
    pub fn new(path: &Path, header: &Header) -> Self {
        let dimensions = header.dimensions();
        Self {
            format: header.format,
            coding: header.coding.clone(),
            width: dimensions.width(),
            height: dimensions.height(),
            orientation: header.orientation.tag(),
            color: header.color,
            alpha: header.alpha,
            bit_depth: header.bit_depth,
            pages: header.pages,
            resolution: header.resolution.map(|resolution| PixelsPerInch {
                x: resolution.x,
                y: resolution.y,
            }),
            profile: header.profile.as_deref().map(Profile::new),
            levels: header.levels.iter().map(LevelReport::new).collect(),
            fitness: Fitness::new(path, header),
        }
    }
}

impl LevelReport {
    fn new(level: &Level) -> Self {
        let tile = |tile: Dimensions| Tile {
            width: tile.width(),
            height: tile.height(),
        };
        Self {
            scale_factor: level.scale_factor.get(),
            width: level.dimensions.width(),
            height: level.dimensions.height(),
            tile: level.tile.map(tile),
        }
    }
}

impl Profile {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len(),
            description: description(bytes),
        }
    }
}

/// The description tag of an ICC profile: one text, or texts in several languages, of which the first.
fn description(profile: &[u8]) -> Option<String> {
    use moxcms::{ColorProfile, ProfileText};
    match ColorProfile::new_from_slice(profile).ok()?.description? {
        ProfileText::PlainString(text) => Some(text),
        ProfileText::Localizable(texts) => texts.into_iter().next().map(|text| text.value),
        ProfileText::Description(text) => Some(text.ascii_string),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format       {} ({})", name(&self.format), self.coding)?;
        writeln!(f, "dimensions   {} x {}", self.width, self.height)?;
        writeln!(f, "color        {}", self.color_text())?;
        if self.orientation != 1 {
            writeln!(
                f,
                "orientation  {} (stored turned or mirrored)",
                self.orientation
            )?;
        }
        if let Some(PixelsPerInch { x, y }) = self.resolution {
            writeln!(f, "resolution   {x:.0} x {y:.0} pixels per inch")?;
        }
        if let Some(profile) = &self.profile {
            writeln!(f, "profile      {profile}")?;
        }
        writeln!(f, "pages        {}", self.pages)?;
        self.levels
            .iter()
            .try_for_each(|level| writeln!(f, "level        {level}"))?;
        self.verdict(f)
    }
}

impl Report {
    fn color_text(&self) -> String {
        let alpha = if self.alpha { " with transparency" } else { "" };
        let bits = if self.bit_depth == 1 { "bit" } else { "bits" };
        format!(
            "{}{alpha}, {} {bits} per sample",
            name(&self.color),
            self.bit_depth
        )
    }

    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fitness {
            fit,
            reasons,
            remedy,
        } = &self.fitness;
        writeln!(f, "serving      {}", if *fit { "fit" } else { "slow" })?;
        reasons
            .iter()
            .try_for_each(|reason| writeln!(f, "             {reason}"))?;
        match remedy {
            Some(command) => writeln!(f, "A copy that is fast to serve is made by:\n  {command}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = self.description.as_deref().unwrap_or("without description");
        write!(f, "{description} ({} bytes)", self.bytes)
    }
}

impl fmt::Display for LevelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "1/{}  {} x {}",
            self.scale_factor, self.width, self.height
        )?;
        match &self.tile {
            Some(Tile { width, height }) => write!(f, ", tiles of {width} x {height}"),
            None => f.write_str(", without tiles"),
        }
    }
}

/// As in JSON, so that each name is written down once.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::decode::sample_header;
    use crate::geometry::ScaleFactor;

    /// An 8-bit RGB TIFF with these levels.
    pub fn header(width: u32, height: u32, factors: &[u32], tile: Option<u32>) -> Header {
        let full = Dimensions::new(width, height).unwrap();
        let level = |factor: &u32| {
            let scale_factor = ScaleFactor::new(*factor).unwrap();
            Level {
                tile: tile.and_then(|side| Dimensions::new(side, side)),
                ..sample_header::level(full.divided(scale_factor), scale_factor)
            }
        };
        sample_header::header(factors.iter().map(level).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::decode::Resolution;
    use crate::orientation::Orientation;

    fn report() -> Report {
        let mut header = sample::header(3000, 2000, &[1, 2], Some(256));
        header.orientation = Orientation::from_tag(6);
        header.resolution = Some(Resolution { x: 300.0, y: 300.0 });
        header.profile = Some(Arc::from(
            moxcms::ColorProfile::new_srgb().encode().unwrap(),
        ));
        Report::new(Path::new("a.tif"), &header)
    }

    #[test]
    fn people_read_lines() {
        let text = report().to_string();
        let (before, after) = text.split_once("profile      ").unwrap();
        assert_eq!(
            before,
            "format       tiff (Deflate)\n\
             dimensions   2000 x 3000\n\
             color        rgb, 8 bits per sample\n\
             orientation  6 (stored turned or mirrored)\n\
             resolution   300 x 300 pixels per inch\n"
        );
        let after = after.split_once('\n').unwrap().1;
        assert_eq!(
            after,
            "pages        1\n\
             level        1/1  3000 x 2000, tiles of 256 x 256\n\
             level        1/2  1500 x 1000, tiles of 256 x 256\n\
             serving      fit\n"
        );
    }

    #[test]
    fn programs_read_json() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["width"], 2000);
        assert_eq!(
            json["levels"][1]["tile"],
            json!({"width": 256, "height": 256})
        );
        assert_eq!(json["fit"], true);
        assert!(
            json["profile"]["description"]
                .as_str()
                .unwrap()
                .contains("sRGB"),
            "{}",
            json["profile"]
        );
    }

    #[test]
    fn a_broken_profile_has_no_description() {
        assert_eq!(description(b"no profile"), None);
    }
}
