//! An entry as JSON: one line of a bulk upload or an import, one element of a listing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::entry::{Details, Entry, NewEntry, seconds};
use super::name::name_uuid;
use crate::config::formats::Invalid;

/// Times are seconds since 1970. What a listing tells can be given back: who put it and when is then known anew.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
}

/// Why a line is no entry.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("no JSON object of an entry: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl NewEntry {
    /// Without an identifier it gets the UUID of its location.
    ///
    /// # Errors
    /// If it is no JSON object with a `location`, or has what cannot be.
    pub fn from_json(line: &[u8], provenance: &str) -> Result<Self, LineError> {
        let line: Line = serde_json::from_slice(line)?;
        let identifier = line.identifier;
        let identifier = identifier.unwrap_or_else(|| name_uuid(&line.location).to_string());
        let details = Details {
            page: line.page,
            title: line.title,
            checksum: line.checksum,
        };
        let mut entry = Self::new(&identifier, &line.location, details, provenance)?;
        entry.checked = line.checked.and_then(time);
        Ok(entry)
    }
}

impl Entry {
    /// As an object of the shape that [`NewEntry::from_json`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        let line = Line {
            identifier: Some(self.identifier.clone()),
            location: self.location.clone(),
            page: self.page,
            title: self.title.clone(),
            checksum: self.checksum.clone(),
            checked: self.checked.map(seconds),
            created: Some(seconds(self.created)),
            changed: Some(seconds(self.changed)),
            provenance: Some(self.provenance.clone()),
        };
        serde_json::to_value(line).expect("it has only texts and numbers")
    }
}

fn time(seconds: i64) -> Option<SystemTime> {
    let since = Duration::from_secs(seconds.try_into().ok()?);
    UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_needs_only_a_location() {
        let line = br#"{"location": "http://localhost:900/fcrepo/rest/image02"}"#;
        let entry = NewEntry::from_json(line, "test").unwrap();
        assert_eq!(entry.identifier(), "9d04505e-6fc2-3275-bae8-d3e9be15afaf");
        for wrong in [
            "",
            "[]",
            r#"{"identifier": "a"}"#,
            r#"{"location": "image.jpg"}"#,
            r#"{"location": "file:a", "url": "file:b"}"#,
            r#"{"location": "file:a", "page": 0}"#,
            r#"{"location": "file:a", "page": -1}"#,
            r#"{"location": "file:a", "identifier": ""}"#,
        ] {
            assert!(
                NewEntry::from_json(wrong.as_bytes(), "test").is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_listed_can_be_given_back() {
        let entry = Entry {
            identifier: "a/b".to_owned(),
            location: "s3://b/k".to_owned(),
            page: Some(2),
            title: Some("ü".to_owned()),
            checksum: None,
            checked: time(1_000_000_000),
            created: time(5).unwrap(),
            changed: time(6).unwrap(),
            provenance: "x".to_owned(),
        };
        let json = entry.to_json();
        assert_eq!(json["created"], 5);
        let back = NewEntry::from_json(json.to_string().as_bytes(), "back").unwrap();
        assert_eq!(back.identifier(), "a/b");
        assert_eq!(back.checked, entry.checked);
        assert!(back.says_the_same_as(&entry));
    }
}
