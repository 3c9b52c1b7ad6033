//! `info.json` in the words of Image API 2.1, section 5.

use serde_json::{Map, Value, json};

use super::information::{Information, PROTOCOL, extra_formats};
use super::v3::{sizes, tiles};
use super::version::Version;

pub(super) fn document(information: &Information, base: &str) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| document.insert(key.to_owned(), value);
    put("@context", json!(Version::V2.context()));
    put("@id", json!(base));
    put("protocol", json!(PROTOCOL));
    put("width", json!(information.full.width()));
    put("height", json!(information.full.height()));
    if !information.tiling.sizes.is_empty() {
        put("sizes", sizes(&information.tiling.sizes));
    }
    put("tiles", tiles(information));
    put(
        "profile",
        json!([Version::V2.profile(), profile_object(information)]),
    );
    if let Some(attribution) = &information.attribution {
        put("attribution", json!(attribution));
    }
    if let Some(rights) = &information.rights {
        put("license", json!(rights));
    }
    Value::Object(document)
}

/// I2.06: what is beyond level 2, and the limits, live in the profile.
fn profile_object(information: &Information) -> Value {
    let mut profile = Map::new();
    let mut put = |key: &str, value: Value| profile.insert(key.to_owned(), value);
    put("formats", json!(extra_formats()));
    put("qualities", json!(qualities(information.image_is_gray)));
    let limits = &information.limits;
    // I2.08: 2.1 has no default for a missing maxHeight but maxWidth, so what is absent means the same as in 3.0.
    if let Some(width) = limits.max_width {
        put("maxWidth", json!(width));
    }
    if let Some(height) = limits.max_height {
        put("maxHeight", json!(height));
    }
    if let Some(area) = limits.max_area {
        put("maxArea", json!(area));
    }
    put("supports", json!(supports(limits.upscaling)));
    Value::Object(profile)
}

/// I2.10: `default` and `bitonal` belong to level 2.
fn qualities(image_is_gray: bool) -> &'static [&'static str] {
    if image_is_gray {
        &["gray"]
    } else {
        &["color", "gray"]
    }
}

/// I2.09: everything beyond level 2.
fn supports(upscaling: bool) -> Vec<&'static str> {
    let mut features = vec![
        "canonicalLinkHeader",
        "mirroring",
        "profileLinkHeader",
        "regionSquare",
        "rotationArbitrary",
    ];
    if upscaling {
        features.push("sizeAboveFull");
    }
    features
}
