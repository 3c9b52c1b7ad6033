//! What is drawn on images: logos and texts.
//!
//! All of it is read at the start, so that no request can find it missing.

mod check;
pub mod config;
mod place;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::{fmt, fs, io};

use sha2::{Digest, Sha256};

use crate::decode::{self, Limits, Window};
use crate::geometry::{Dimensions, Rect};
use crate::raster::Raster;
use crate::transform::compose::{compose, with_alpha};
use crate::transform::scale::{Crop, scale};
use crate::transform::{TransformError, color, orient};
pub use check::problems;
use config::OverlayConfig;
use text::Text;

/// All overlays, by their names.
#[derive(Clone, Debug, Default)]
pub struct Overlays(BTreeMap<String, Arc<Overlay>>);

impl Overlays {
    /// # Errors
    /// If a file cannot be read, or is no image or font; or if a font lacks a letter.
    pub fn load(configs: &BTreeMap<String, OverlayConfig>) -> io::Result<Self> {
        let load = |(name, config): (&String, &OverlayConfig)| {
            let overlay = Overlay::load(name, config);
            let overlay = overlay.map_err(|error| {
                io::Error::new(error.kind(), format!("overlays.{name}: {error}"))
            })?;
            Ok((name.clone(), Arc::new(overlay)))
        };
        configs
            .iter()
            .map(load)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// # Errors
    /// If there is none of this name.
    pub fn named(&self, name: &str) -> io::Result<Arc<Overlay>> {
        let unknown =
            || io::Error::new(io::ErrorKind::NotFound, format!("no overlay is \"{name}\""));
        self.0.get(name).cloned().ok_or_else(unknown)
    }
}

/// What is drawn on answers. Two are equal if they draw the same.
pub struct Overlay {
    name: String,
    config: OverlayConfig,
    drawn: Drawn,
    digest: String,
}

enum Drawn {
    /// With alpha.
    Image(Raster),
    Text(Text),
}

impl Overlay {
    fn load(name: &str, config: &OverlayConfig) -> io::Result<Self> {
        let (drawn, bytes) = match (&config.image, &config.text) {
            (Some(file), None) => {
                let bytes = fs::read(file)?;
                (Drawn::Image(image(bytes.clone())?), bytes)
            }
            (None, Some(text)) => {
                let font = text::font_bytes(config.font.as_deref())?;
                (Drawn::Text(Text::new(text, font.clone())?), font)
            }
            _ => {
                let one = "it needs either an image or a text";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, one));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            digest: digest(config, &bytes),
            config: config.clone(),
            drawn,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stands for all that it draws.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Draws it on an answer, unless that is too small for it. Gray stays gray.
    ///
    /// # Errors
    /// If it cannot be drawn: then nothing may be shown.
    pub fn draw(&self, on: Raster) -> Result<Raster, TransformError> {
        let frame = on.dimensions();
        if frame.width() < self.config.min_width || frame.height() < self.config.min_height {
            return Ok(on);
        }
        let size = place::size(&self.config, self.natural(), frame);
        let stamp = self.stamp(size)?;
        let places = place::places(&self.config, size, frame);
        let opacity = self.config.opacity;
        Ok(compose(on, &stamp, &places, opacity))
    }

    fn natural(&self) -> Dimensions {
        match &self.drawn {
            Drawn::Image(raster) => raster.dimensions(),
            Drawn::Text(text) => text.dimensions(self.config.font_size),
        }
    }

    fn stamp(&self, size: Dimensions) -> Result<Raster, TransformError> {
        match &self.drawn {
            Drawn::Image(raster) => {
                let whole = Crop::whole(raster.dimensions());
                scale(raster.clone(), whole, size)
            }
            Drawn::Text(text) => Ok(text.draw(size, self.config.color.rgb())),
        }
    }
}

/// The whole of an image file, upright and in sRGB.
fn image(bytes: Vec<u8>) -> io::Result<Raster> {
    let decoder = decode::open(Arc::new(bytes), &Limits::DEFAULT).map_err(io::Error::other)?;
    let header = decoder.header();
    let rect = Rect::whole(header.stored_dimensions());
    let raster = decoder.decode(&Window { level: 0, rect });
    let raster = raster.map_err(io::Error::other)?;
    let raster = color::to_srgb(raster, header.profile.as_deref()).map_err(io::Error::other)?;
    Ok(with_alpha(orient::orient(raster, header.orientation)))
}

fn digest(config: &OverlayConfig, bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{config:?}"));
    hasher.update(bytes);
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl PartialEq for Overlay {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Overlay").field(&self.config).finish()
    }
}

#[cfg(test)]
mod tests;
