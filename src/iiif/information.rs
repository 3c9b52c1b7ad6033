//! Image information: the `info.json` document (Image API 3.0 and 2.1, section 5).

use serde_json::{Value, json};

use super::{Format, SizeLimits, Version, tiling::Tiling, v2, v3};
use crate::geometry::Dimensions;

/// Everything that `info.json` says, in no version's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Information {
    pub full: Dimensions,
    pub tiling: Tiling,
    pub limits: SizeLimits,
    pub image_is_gray: bool,
    /// The URI of a licence or rights statement: `rights` in 3.0, `license` in 2.1.
    pub rights: Option<String>,
    /// A text that clients must show: only 2.1 has a place for it.
    pub attribution: Option<String>,
    /// Pages of the file, where that is to be told: no version has a word for it.
    pub page_count: Option<u32>,
}

/// In every version.
pub(super) const PROTOCOL: &str = "http://iiif.io/api/image";

impl Information {
    /// The document in one version's words. `base` is the base URI as the client sees it (I3.03).
    pub fn document(&self, version: Version, base: &str) -> Value {
        let mut document = match version {
            Version::V2 => v2::document(self, base),
            Version::V3 => v3::document(self, base),
        };
        if let Some(count) = self.page_count {
            document["page_count"] = count.into();
            if version == Version::V3 {
                document["@context"] = with_page_count(&document["@context"]);
            }
        }
        document
    }
}

/// Adds what helps to see the image, described in words of another context, which stands before that of the specification (A04).
pub fn add_services(document: &mut Value, services: Vec<Value>, context: Option<&str>) {
    if services.is_empty() {
        return;
    }
    document["service"] = Value::Array(services);
    if let Some(context) = context {
        let own = match document["@context"].take() {
            Value::Array(own) => own,
            own => vec![own],
        };
        document["@context"] = [json!(context)].into_iter().chain(own).collect();
    }
}

/// A context that says what the word means; that of the specification stays the last (3.0, section 5.1). Version 2.1 has no place for another.
fn with_page_count(context: &Value) -> Value {
    json!([{ "page_count": "http://schema.org/numberOfPages" }, context])
}

/// Formats beyond the `jpg` and `png` of level 2 (F10, F11).
pub(super) fn extra_formats() -> Vec<&'static str> {
    Format::ALL
        .into_iter()
        .filter(|format| !matches!(format, Format::Jpg | Format::Png))
        .map(Format::name)
        .collect()
}
