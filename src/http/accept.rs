//! Which media type of `info.json` or of a manifest a client wants (RFC 9110, section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use crate::iiif::Version;

const JSON_LD: &str = "application/ld+json";
const JSON: &str = "application/json";

/// The two names for documents of IIIF (N01 to N09; Presentation 3.0, section 6.3, and 2.1, section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    JsonLd,
    Json,
}

impl JsonType {
    /// The better of the two for this client; the version's own where it does not say (N08).
    pub fn negotiate(headers: &HeaderMap, version: Version) -> Self {
        let json_ld = weight(headers, JSON_LD);
        let json = weight(headers, JSON);
        match version {
            Version::V3 if json.value > json_ld.value => Self::Json,
            Version::V3 => Self::JsonLd,
            // N02: only where it is named, not where a wildcard allows it.
            Version::V2 if json_ld.is_named && json_ld.value > 0 && json_ld.value >= json.value => {
                Self::JsonLd
            }
            Version::V2 => Self::Json,
        }
    }

    /// The `Content-Type` of `info.json`; in 3.0 the JSON-LD type names its context as a profile (N01, N04).
    pub const fn of_information(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Json, _) => JSON,
            (Self::JsonLd, Version::V2) => JSON_LD,
            (Self::JsonLd, Version::V3) => {
                "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\""
            }
        }
    }

    /// The `Content-Type` of a manifest.
    pub const fn of_manifest(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Json, _) => JSON,
            (Self::JsonLd, Version::V2) => JSON_LD,
            (Self::JsonLd, Version::V3) => {
                "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\""
            }
        }
    }
}

/// What the client says of this, without what else it says.
pub fn only(headers: &HeaderMap) -> HeaderMap {
    let lines = headers.get_all(ACCEPT).iter();
    lines.map(|line| (ACCEPT, line.clone())).collect()
}

/// Whether JSON is preferred to text or HTML.
pub fn prefers_json(headers: &HeaderMap) -> bool {
    let json = weight(headers, JSON);
    json.is_named && json.value > 0 && json.value >= weight(headers, "text/html").value
}

/// How much a client wants a media type.
#[derive(Clone, Copy, Default)]
struct Weight {
    /// In thousandths.
    value: u32,
    is_named: bool,
}

/// The weight that the most specific matching range gives. Parameters of ranges other than `q` are ignored (N07).
fn weight(headers: &HeaderMap, media_type: &str) -> Weight {
    let family = media_type.split('/').next().unwrap_or_default();
    let mut best = (0, Weight::default());
    for (range, value) in ranges(headers) {
        let precision = if range.eq_ignore_ascii_case(media_type) {
            3
        } else if range.eq_ignore_ascii_case(&format!("{family}/*")) {
            2
        } else if range == "*/*" {
            1
        } else {
            continue;
        };
        if precision > best.0 || (precision == best.0 && value > best.1.value) {
            let is_named = precision == 3;
            best = (precision, Weight { value, is_named });
        }
    }
    best.1
}

fn ranges(headers: &HeaderMap) -> impl Iterator<Item = (&str, u32)> {
    let lines = headers.get_all(ACCEPT).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(split_list)
        .map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality =
                parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            (name, quality.map_or(1_000, thousandths))
        })
}

/// Splits at commas that are not inside quotes: a profile is a quoted list.
fn split_list(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |character| {
        if character == '"' {
            quoted = !quoted;
        }
        character == ',' && !quoted
    })
}

/// What is no number counts as zero: such a range asks for nothing.
fn thousandths(quality: &str) -> u32 {
    match quality.parse::<f32>() {
        Ok(quality) if (0.0..=1.0).contains(&quality) => (quality * 1_000.0).round() as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: Option<&str>, version: Version) -> &'static str {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, accept.parse().unwrap());
        }
        JsonType::negotiate(&headers, version).of_information(version)
    }

    const V3_DEFAULT: &str =
        "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

    #[test]
    fn n01_to_n08_in_3_0() {
        let rows = [
            (None, V3_DEFAULT),
            (Some("*/*"), V3_DEFAULT),
            (Some("application/ld+json"), V3_DEFAULT),
            (Some("application/json"), "application/json"),
            (Some("application/json;charset=utf-8"), "application/json"),
            (Some("text/html"), V3_DEFAULT),
            (
                Some("application/json;q=0.5, application/ld+json;q=0.4"),
                "application/json",
            ),
            (Some("application/ld+json;q=0, */*"), "application/json"),
            (
                Some("application/*, application/ld+json;q=0.1"),
                "application/json",
            ),
            (
                Some("application/ld+json;profile=\"a, b\", application/json;q=0.9"),
                V3_DEFAULT,
            ),
        ];
        for (accept, expected) in rows {
            assert_eq!(chosen(accept, Version::V3), expected, "{accept:?}");
        }
    }

    #[test]
    fn n02_n03_in_2_1() {
        let rows = [
            (None, "application/json"),
            (Some("*/*"), "application/json"),
            (Some("application/*"), "application/json"),
            (Some("application/ld+json"), "application/ld+json"),
            (
                Some("application/ld+json;q=0.2, application/json"),
                "application/json",
            ),
            (Some("application/ld+json;q=0"), "application/json"),
            (Some("text/html"), "application/json"),
        ];
        for (accept, expected) in rows {
            assert_eq!(chosen(accept, Version::V2), expected, "{accept:?}");
        }
    }
}
