//! What other servers accept beyond the specification: off unless configured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identifier::{Identifier, IdentifierError};
use super::quality::{Quality, QualityError};
use super::size::{Size, SizeError};
use super::version::Version;

/// Spellings and parts of identifiers that the specification does not have, for links that were published by other
/// servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompatibilityConfig {
    /// Whether requests of version 2 may say `native` for `default` and `grey` for `gray`, as in version 1 of the Image
    /// API.
    pub version_1_qualities: bool,

    /// Whether requests of version 2 may have the `^` of version 3 before a size. It changes nothing: version 2 enlarges
    /// without it, where that is allowed.
    pub carets: bool,

    /// Whether an identifier may end with a page and a scale as in Cantaloupe: `map.tif;2` is the second page of `map.tif`,
    /// `map.tif;1:2` seems to have half its width and height, and `map.tif;2;1:2` is both. Images whose own names end like
    /// that cannot be asked for then.
    pub meta_identifiers: bool,

    /// Whether `info.json` says how many pages there are, as `page_count`, if it is more than one. In version 3 with
    /// a context that says what that is.
    pub page_count: bool,
}

impl CompatibilityConfig {
    /// F000-15, F001-4: the other name means the same.
    ///
    /// # Errors
    /// If the text is no quality of this version.
    pub fn quality(&self, text: &str, version: Version) -> Result<Quality, QualityError> {
        match text {
            "native" if self.has_qualities(version) => Ok(Quality::Default),
            "grey" if self.has_qualities(version) => Ok(Quality::Gray),
            _ => Quality::parse(text),
        }
    }

    fn has_qualities(&self, version: Version) -> bool {
        self.version_1_qualities && version == Version::V2
    }

    /// F001-4: the size without its caret.
    ///
    /// # Errors
    /// If the text is no size of this version.
    pub fn size(&self, text: &str, version: Version) -> Result<Size, SizeError> {
        if !(self.carets && version == Version::V2 && text.starts_with('^')) {
            return Size::parse(text, version);
        }
        let size = Size::parse(text, Version::V3)?;
        Ok(Size {
            upscale: false,
            ..size
        })
    }

    /// The identifier with its page and scale told from its name.
    ///
    /// # Errors
    /// If there is no such page or scale for any image.
    pub fn identifier(&self, identifier: Identifier) -> Result<Identifier, IdentifierError> {
        if self.meta_identifiers {
            identifier.with_suffixes()
        } else {
            Ok(identifier)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iiif::size::SizeForm;

    const ALL: CompatibilityConfig = CompatibilityConfig {
        version_1_qualities: true,
        carets: true,
        meta_identifiers: true,
        page_count: true,
    };

    #[test]
    fn f000_15_f001_4_native_and_grey_only_where_they_are_allowed() {
        let none = CompatibilityConfig::default();
        for (text, meaning) in [("native", Quality::Default), ("grey", Quality::Gray)] {
            assert_eq!(ALL.quality(text, Version::V2), Ok(meaning));
            assert!(ALL.quality(text, Version::V3).is_err(), "{text}");
            assert!(none.quality(text, Version::V2).is_err(), "{text}");
        }
        assert_eq!(ALL.quality("bitonal", Version::V2), Ok(Quality::Bitonal));
        assert!(ALL.quality("Native", Version::V2).is_err());
    }

    #[test]
    fn f001_4_a_caret_changes_nothing_in_version_2() {
        for text in ["^20,", "^,20", "^20,10", "^!20,10", "^max", "^pct:200"] {
            let plain = Size::parse(&text[1..], Version::V2);
            assert!(plain.is_ok(), "{text}");
            assert_eq!(ALL.size(text, Version::V2), plain, "{text}");
            let none = CompatibilityConfig::default();
            assert!(none.size(text, Version::V2).is_err(), "{text}");
        }
        for text in ["^", "^^20,", "^full", "^x"] {
            assert!(ALL.size(text, Version::V2).is_err(), "{text}");
        }
        let upscaled = ALL.size("^20,", Version::V3).unwrap();
        assert_eq!(
            (upscaled.upscale, upscaled.form),
            (true, SizeForm::Width(20))
        );
        assert!(ALL.size("full", Version::V2).is_ok());
    }
}
