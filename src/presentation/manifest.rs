//! A manifest that is written: what it says, in no version's words.

mod v2;
mod v3;

use serde_json::Value;

use super::Label;
use crate::geometry::Dimensions;
use crate::iiif::Version;

/// A document, or a folder of images, for viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What all addresses within it begin with, `/manifest` its own.
    pub base: String,
    pub label: Label,
    pub summary: Option<String>,
    /// The URI of a licence or rights statement.
    pub rights: Option<String>,
    /// A text that viewers must show.
    pub attribution: Option<String>,
    pub rendering: Option<Rendering>,
    /// In their order; never empty.
    pub canvases: Vec<Canvas>,
}

/// The PDF document of which the canvases are the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    pub address: String,
}

/// A page with the image that is painted on all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// One path segment, unlike that of every other canvas.
    pub name: String,
    pub label: Label,
    pub dimensions: Dimensions,
    /// The base URI of its image, in the version of the Image API that goes with the manifest's.
    pub image: String,
    /// What `max` gives of the image.
    pub largest: Dimensions,
    pub thumbnail: Dimensions,
}

impl Manifest {
    /// The document in one version's words: of Presentation 2.1 with images of Image API 2.1, or both 3.0.
    pub fn document(&self, version: Version) -> Value {
        match version {
            Version::V2 => v2::document(self),
            Version::V3 => v3::document(self),
        }
    }

    /// The address of the manifest.
    fn address(&self) -> String {
        format!("{}/manifest", self.base)
    }
}

impl Canvas {
    fn address(&self, manifest: &Manifest) -> String {
        format!("{}/canvas/{}", manifest.base, self.name)
    }

    /// The whole image, as large as it is given.
    fn painted(&self) -> String {
        format!("{}/full/max/0/default.jpg", self.image)
    }

    /// The thumbnail, in a size that needs no redirect and no look at the `info.json`.
    fn pictured(&self) -> String {
        let (width, height) = (self.thumbnail.width(), self.thumbnail.height());
        format!("{}/full/{width},{height}/0/default.jpg", self.image)
    }
}
