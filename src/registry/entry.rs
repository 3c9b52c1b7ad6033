//! What the registry holds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::Row;
use sqlx::any::AnyRow;
use url::Url;

use crate::config::formats::Invalid;

/// Longer ones would not fit into an index of PostgreSQL.
const LONGEST_IDENTIFIER: usize = 1000;
const LONGEST_LOCATION: usize = 2000;
const LONGEST_TEXT: usize = 2000;
const SCHEMES: [&str; 6] = ["http", "https", "s3", "gs", "az", "file"];

/// What is known of an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Found(Entry),
    /// It was removed: a tombstone stands in its place.
    Gone,
    /// There never was such an identifier.
    Unknown,
}

/// An identifier and where its image is. Times are in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub identifier: String,
    /// A URL without credentials: `https://…`, `s3://bucket/key`, `file:path`.
    pub location: String,
    /// The page of a document, from 1.
    pub page: Option<u32>,
    pub title: Option<String>,
    /// As given by who put it; the registry does not look at it.
    pub checksum: Option<String>,
    /// When somebody last saw that the image is there.
    pub checked: Option<SystemTime>,
    pub created: SystemTime,
    pub changed: SystemTime,
    /// Who or what put it as it is: `api`, `import csv list.csv`.
    pub provenance: String,
}

/// What is to be put into the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    pub(super) identifier: String,
    pub(super) location: String,
    pub(super) page: Option<u32>,
    pub(super) title: Option<String>,
    pub(super) checksum: Option<String>,
    pub checked: Option<SystemTime>,
    pub(super) provenance: String,
}

/// What an entry may have besides identifier and location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// From 1.
    pub page: Option<u32>,
    pub title: Option<String>,
    pub checksum: Option<String>,
}

impl NewEntry {
    /// # Errors
    /// If the identifier or the location cannot be one, or there is no page 0.
    pub fn new(
        identifier: &str,
        location: &str,
        details: Details,
        provenance: &str,
    ) -> Result<Self, Invalid> {
        check_identifier(identifier)?;
        check_location(location)?;
        check_details(&details)?;
        Ok(Self {
            identifier: identifier.to_owned(),
            location: location.to_owned(),
            page: details.page,
            title: details.title,
            checksum: details.checksum,
            checked: None,
            provenance: provenance.replace(char::is_control, " "),
        })
    }

    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    pub fn location(&self) -> &str {
        &self.location
    }

    /// Whether there is nothing to be changed. What is not given is no wish to remove it.
    pub(super) fn says_the_same_as(&self, entry: &Entry) -> bool {
        let is_same = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        self.location == entry.location
            && (self.page.is_none() || self.page == entry.page)
            && is_same(&self.title, &entry.title)
            && is_same(&self.checksum, &entry.checksum)
    }

    /// Whether the image was seen later than the entry knows.
    pub(super) fn was_checked_after(&self, entry: &Entry) -> bool {
        self.checked.map(seconds) > entry.checked.map(seconds)
    }
}

pub(super) fn check_identifier(identifier: &str) -> Result<(), Invalid> {
    if identifier.is_empty() {
        return Err(Invalid("the identifier is empty"));
    }
    if identifier.len() > LONGEST_IDENTIFIER {
        return Err(Invalid("the identifier is longer than 1000 bytes"));
    }
    if identifier.contains(char::is_control) {
        return Err(Invalid("the identifier has control characters"));
    }
    Ok(())
}

fn check_details(details: &Details) -> Result<(), Invalid> {
    if details.page == Some(0) {
        return Err(Invalid("there is no page 0: the first is 1"));
    }
    for text in [&details.title, &details.checksum].into_iter().flatten() {
        if text.len() > LONGEST_TEXT || text.contains('\0') {
            return Err(Invalid(
                "the title or checksum is longer than 2000 bytes, or not text",
            ));
        }
    }
    Ok(())
}

/// Whether images may be registered at such a location.
///
/// # Errors
/// If it is no absolute URL of a known scheme, or has credentials, which everyone could read.
pub fn check_location(location: &str) -> Result<(), Invalid> {
    if location.len() > LONGEST_LOCATION {
        return Err(Invalid("the location is longer than 2000 bytes"));
    }
    if location.contains(|character: char| character.is_control() || character == ' ') {
        return Err(Invalid("the location has spaces or control characters"));
    }
    let url = Url::parse(location).map_err(|_| Invalid("the location is not an absolute URL"))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(Invalid(
            "the location's scheme is none of http, https, s3, gs, az and file",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid("the location has a user name or a password"));
    }
    Ok(())
}

/// A row of the table: an entry or a tombstone.
pub(super) struct Stored {
    pub entry: Entry,
    pub revision: i64,
    pub is_gone: bool,
}

impl Stored {
    pub fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let page: Option<i64> = row.try_get("page")?;
        let checked: Option<i64> = row.try_get("checked")?;
        let entry = Entry {
            identifier: row.try_get("identifier")?,
            location: row.try_get("location")?,
            page: page.and_then(|page| page.try_into().ok()),
            title: row.try_get("title")?,
            checksum: row.try_get("checksum")?,
            checked: checked.map(time),
            created: time(row.try_get("created")?),
            changed: time(row.try_get("changed")?),
            provenance: row.try_get("provenance")?,
        };
        Ok(Self {
            entry,
            revision: row.try_get("revision")?,
            is_gone: row.try_get::<i64, _>("gone")? != 0,
        })
    }

    pub fn into_answer(self) -> Answer {
        if self.is_gone {
            Answer::Gone
        } else {
            Answer::Found(self.entry)
        }
    }
}

/// Seconds since 1970, as they are stored.
pub(super) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_absolute_urls_of_known_schemes() {
        for right in [
            "http://localhost:900/fcrepo/rest/image02",
            "https://example.org/a%20b.jp2?x=y#z",
            "s3://bucket/a/key.tif",
            "gs://bucket/key",
            "az://container/key",
            "file:folder/image.jpg",
            "file:///images/image.jpg",
        ] {
            assert_eq!(check_location(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "image.jpg",
            "/image.jpg",
            "//example.org/a",
            "http://",
            "ftp://example.org/a",
            "javascript:alert(1)",
            "data:text/plain,x",
            "https://user@example.org/a",
            "https://user:secret@example.org/a",
            "https://example.org/a\nb",
            "https://example.org/a b",
        ] {
            assert!(check_location(wrong).is_err(), "{wrong}");
        }
        assert!(check_location(&format!("http://a/{}", "a".repeat(1991))).is_ok());
        assert!(check_location(&format!("http://a/{}", "a".repeat(1992))).is_err());
    }

    #[test]
    fn identifiers_are_a_line_of_text() {
        let new = |identifier: &str| NewEntry::new(identifier, "file:a", Details::default(), "");
        for right in ["a", "a/b:c;1", "größe", " "] {
            assert!(new(right).is_ok(), "{right}");
        }
        for wrong in ["", "a\0b", "a\nb", &"a".repeat(1001)] {
            assert!(new(wrong).is_err(), "{wrong}");
        }
    }
}
