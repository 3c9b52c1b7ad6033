//! `info.json` in the words of Image API 3.0, section 5.

use serde_json::{Map, Value, json};

use super::information::{Information, PROTOCOL, extra_formats};
use super::quality::Quality;
use super::version::Version;
use crate::geometry::Dimensions;

pub(super) fn document(information: &Information, base: &str) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| document.insert(key.to_owned(), value);
    put("@context", json!(Version::V3.context()));
    put("id", json!(base));
    put("type", json!("ImageService3"));
    put("protocol", json!(PROTOCOL));
    put("profile", json!("level2"));
    put("width", json!(information.full.width()));
    put("height", json!(information.full.height()));
    let limits = &information.limits;
    let maxima = [
        ("maxWidth", limits.max_width.map(u64::from)),
        ("maxHeight", limits.max_height.map(u64::from)),
        ("maxArea", limits.max_area),
    ];
    for (key, maximum) in maxima {
        if let Some(maximum) = maximum {
            put(key, json!(maximum));
        }
    }
    if !information.tiling.sizes.is_empty() {
        put("sizes", sizes(&information.tiling.sizes));
    }
    put("tiles", tiles(information));
    if let Some(rights) = &information.rights {
        put("rights", json!(rights));
    }
    put(
        "extraQualities",
        json!(Quality::extra(information.image_is_gray)),
    );
    put("extraFormats", json!(extra_formats()));
    put("extraFeatures", json!(extra_features(limits.upscaling)));
    Value::Object(document)
}

pub(super) fn sizes(sizes: &[Dimensions]) -> Value {
    sizes
        .iter()
        .map(|size| json!({ "width": size.width(), "height": size.height() }))
        .collect()
}

/// I3.13: the height is written even where it equals the width.
pub(super) fn tiles(information: &Information) -> Value {
    let tiling = &information.tiling;
    let factors: Vec<u32> = tiling.scale_factors.iter().map(|f| f.get()).collect();
    json!([{
        "width": tiling.tile.width(),
        "height": tiling.tile.height(),
        "scaleFactors": factors,
    }])
}

/// I3.17: everything beyond level 2.
fn extra_features(upscaling: bool) -> Vec<&'static str> {
    let mut features = vec![
        "canonicalLinkHeader",
        "mirroring",
        "profileLinkHeader",
        "rotationArbitrary",
    ];
    if upscaling {
        features.push("sizeUpscaling");
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iiif::limits::SizeLimits;
    use crate::iiif::tiling::Tiling;

    fn example() -> Information {
        let full = Dimensions::new(6000, 4000).unwrap();
        let limits = SizeLimits {
            max_width: Some(8000),
            max_height: Some(8000),
            max_area: Some(40_000_000),
            upscaling: true,
        };
        Information {
            page_count: None,
            full,
            tiling: Tiling::new(full, None, &limits),
            limits,
            image_is_gray: false,
            rights: None,
            attribution: None,
        }
    }

    /// The full-feature documents of `image-api.md`, section 1.22.
    #[test]
    fn i3_01_to_i3_25_the_document_of_3_0() {
        let expected = json!({
            "@context": "http://iiif.io/api/image/3/context.json",
            "id": "https://example.org/iiif/3/abc", "type": "ImageService3", "protocol": "http://iiif.io/api/image",
            "profile": "level2", "width": 6000, "height": 4000, "maxWidth": 8000, "maxHeight": 8000, "maxArea": 40000000,
            "sizes": [{"width": 375, "height": 250}, {"width": 750, "height": 500}, {"width": 1500, "height": 1000},
                      {"width": 3000, "height": 2000}, {"width": 6000, "height": 4000}],
            "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4, 8, 16]}],
            "extraQualities": ["color", "gray", "bitonal"],
            "extraFormats": ["webp", "tif", "gif", "jp2", "pdf"],
            "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary", "sizeUpscaling"],
        });
        let document = example().document(Version::V3, "https://example.org/iiif/3/abc");
        assert_eq!(document, expected);
        // I3.02: the context stands first.
        assert_eq!(
            document.as_object().unwrap().keys().next().unwrap(),
            "@context"
        );
    }

    #[test]
    fn i2_01_to_i2_16_the_document_of_2_1() {
        let document = example().document(Version::V2, "https://example.org/iiif/2/abc");
        let expected = json!({
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": "https://example.org/iiif/2/abc", "protocol": "http://iiif.io/api/image", "width": 6000, "height": 4000,
            "sizes": [{"width": 375, "height": 250}, {"width": 750, "height": 500}, {"width": 1500, "height": 1000},
                      {"width": 3000, "height": 2000}, {"width": 6000, "height": 4000}],
            "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4, 8, 16]}],
            "profile": ["http://iiif.io/api/image/2/level2.json", {
                "formats": ["webp", "tif", "gif", "jp2", "pdf"], "qualities": ["color", "gray"],
                "maxWidth": 8000, "maxHeight": 8000, "maxArea": 40000000,
                "supports": ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare", "rotationArbitrary", "sizeAboveFull"],
            }],
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn a_number_of_pages_has_a_context() {
        let pages = Information {
            page_count: Some(12),
            ..example()
        };
        let document = pages.document(Version::V3, "https://example.org/iiif/3/abc");
        assert_eq!(document["page_count"], 12);
        assert_eq!(
            document["@context"],
            json!([{"page_count": "http://schema.org/numberOfPages"}, "http://iiif.io/api/image/3/context.json"])
        );
        let document = pages.document(Version::V2, "https://example.org/iiif/2/abc");
        assert_eq!(document["page_count"], 12);
        assert_eq!(
            document["@context"],
            "http://iiif.io/api/image/2/context.json"
        );
    }

    #[test]
    fn q06_color_is_not_listed_for_a_gray_image() {
        let gray = Information {
            image_is_gray: true,
            ..example()
        };
        let v3 = gray.document(Version::V3, "x");
        assert_eq!(v3["extraQualities"], json!(["gray", "bitonal"]));
        let v2 = gray.document(Version::V2, "x");
        assert_eq!(v2["profile"][1]["qualities"], json!(["gray"]));
    }
}
