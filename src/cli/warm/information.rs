//! What an `info.json` says, of version 2 or 3 (section 5 of both).

use serde::Deserialize;
use serde_json::Value;

use crate::geometry::Dimensions;
use crate::iiif::{SizeLimits, Version};

/// As much as is needed to ask for parts of the image.
#[derive(Debug, PartialEq, Eq)]
pub struct Information {
    pub version: Version,
    pub full: Dimensions,
    /// Ascending.
    pub sizes: Vec<Dimensions>,
    pub tiles: Option<Tiles>,
    pub limits: SizeLimits,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Tiles {
    pub tile: Dimensions,
    /// Descending, so that the lowest level is the first.
    pub scale_factors: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "@context")]
    context: Value,
    width: u32,
    height: u32,
    #[serde(default)]
    sizes: Vec<Sides>,
    #[serde(default)]
    tiles: Vec<Tiling>,
}

#[derive(Deserialize)]
struct Sides {
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tiling {
    width: u32,
    /// As the width when absent.
    height: Option<u32>,
    scale_factors: Vec<u32>,
}

/// In 3.0 in the document itself, in 2.1 in the profile.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Limits {
    max_width: Option<u32>,
    max_height: Option<u32>,
    max_area: Option<u64>,
    supports: Vec<String>,
    extra_features: Vec<String>,
}

impl Information {
    /// # Errors
    /// If it is no `info.json`.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let value: Value = serde_json::from_slice(bytes)?;
        let document = Document::deserialize(&value)?;
        let full = Dimensions::new(document.width, document.height);
        let full = full.ok_or_else(|| serde::de::Error::custom("an image without pixels"))?;
        let is_3 = document.context.to_string().contains(Version::V3.context());
        let version = if is_3 { Version::V3 } else { Version::V2 };
        let profile = match version {
            Version::V2 => value.pointer("/profile/1").unwrap_or(&Value::Null),
            Version::V3 => &value,
        };
        let sizes = document.sizes.iter();
        let mut sizes: Vec<_> = sizes
            .filter_map(|sides| Dimensions::new(sides.width, sides.height))
            .collect();
        sizes.sort_by_key(|size| size.width());
        Ok(Self {
            version,
            full,
            sizes,
            tiles: document.tiles.into_iter().next().and_then(Tiles::new),
            limits: Limits::deserialize(profile).unwrap_or_default().into(),
        })
    }
}

impl Tiles {
    fn new(tiling: Tiling) -> Option<Self> {
        let mut scale_factors = tiling.scale_factors;
        scale_factors.retain(|factor| *factor > 0);
        scale_factors.sort_unstable_by(|a, b| b.cmp(a));
        Some(Self {
            tile: Dimensions::new(tiling.width, tiling.height.unwrap_or(tiling.width))?,
            scale_factors,
        })
    }
}

impl From<Limits> for SizeLimits {
    fn from(limits: Limits) -> Self {
        let has = |features: &[String], name| features.iter().any(|feature| feature == name);
        Self {
            max_width: limits.max_width,
            max_height: limits.max_height,
            max_area: limits.max_area,
            upscaling: has(&limits.supports, "sizeAboveFull")
                || has(&limits.extra_features, "sizeUpscaling"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iiif::tiling::Tiling;

    /// What this server writes is read as it was meant.
    #[test]
    fn the_documents_of_this_server() {
        let full = Dimensions::new(6000, 4000).unwrap();
        let limits = SizeLimits {
            max_width: Some(5000),
            max_height: Some(4500),
            max_area: Some(9_000_000),
            upscaling: true,
        };
        let tiling = Tiling::new(full, Dimensions::new(256, 300), &limits);
        let written = crate::iiif::Information {
            page_count: None,
            full,
            tiling: tiling.clone(),
            limits,
            image_is_gray: false,
            rights: None,
            attribution: None,
        };
        for version in Version::ALL {
            let text = written.document(version, "https://a.org/x").to_string();
            let read = Information::read(text.as_bytes()).unwrap();
            let factors = tiling.scale_factors.iter().rev();
            let expected = Information {
                version,
                full,
                sizes: tiling.sizes.clone(),
                tiles: Some(Tiles {
                    tile: tiling.tile,
                    scale_factors: factors.map(|factor| factor.get()).collect(),
                }),
                limits,
            };
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "{}",
            "<html>",
            "[]",
            r#"{"@context": "x", "width": 0, "height": 1}"#,
            r#"{"@context": "x", "width": 1, "height": -1}"#,
        ] {
            assert!(Information::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
