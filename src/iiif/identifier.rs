//! The `{identifier}` parameter (Image API 3.0, sections 2.1 and 9).

use std::fmt;

use super::scale::Scale;
use crate::geometry::Dimensions;
use crate::page::Page;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Longer identifiers name nothing that could exist (E12).
const LONGEST: usize = 2_048;

/// Everything but unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An identifier, percent-decoded exactly once (E01).
///
/// Promises: not empty, at most 2,048 bytes, no control characters. It may contain slashes, dots and anything else:
/// what may be opened is decided where it is mapped to a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    name: String,
    page: Page,
    scale: Option<Scale>,
}

/// Between the name, the page and the scale of an image.
const DELIMITER: char = ';';

/// Why a path segment is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    #[error("the identifier is empty")]
    Empty,
    #[error("the identifier is longer than {LONGEST} bytes")]
    TooLong,
    #[error("the identifier is not valid UTF-8 when percent-decoded")]
    NotUtf8,
    #[error("the identifier contains a control character")]
    Control,
    #[error("the identifier contains square brackets that are not percent-encoded")]
    Bracket,
    #[error("the identifier asks for page 0: the first is 1")]
    Page,
    #[error("the identifier asks for a scale of {0}:{1}, which is not a fraction of the image")]
    Scale(u32, u32),
}

impl Identifier {
    /// Decodes a raw path segment; unreserved characters may be encoded needlessly (E05), brackets must be (E10).
    ///
    /// # Errors
    /// If the result would break a promise of the type.
    pub fn decode(segment: &str) -> Result<Self, IdentifierError> {
        if segment.contains(['[', ']']) {
            return Err(IdentifierError::Bracket);
        }
        let decoded = percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| IdentifierError::NotUtf8)?;
        Self::new(decoded.into_owned())
    }

    /// Checks the promises.
    ///
    /// # Errors
    /// If one is broken.
    pub fn new(text: String) -> Result<Self, IdentifierError> {
        if text.is_empty() {
            return Err(IdentifierError::Empty);
        }
        if text.len() > LONGEST {
            return Err(IdentifierError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(IdentifierError::Control);
        }
        Ok(Self {
            name: text,
            page: Page::FIRST,
            scale: None,
        })
    }

    /// With the page and the scale at its end told from the name, as Cantaloupe does: `name`, `name;page`, `name;n:d` or
    /// `name;page;n:d`. Whatever else stands after a semicolon belongs to the name.
    ///
    /// # Errors
    /// If no image has such a page or scale.
    pub fn with_suffixes(self) -> Result<Self, IdentifierError> {
        let (name, scale) = match before_last(&self.name, fraction) {
            Some((name, (n, d))) => {
                let scale = Scale::new(n, d).ok_or(IdentifierError::Scale(n, d))?;
                (name, Some(scale))
            }
            None => (&self.name[..], None),
        };
        let (name, page) = match before_last(name, number) {
            Some((name, page)) => (name, Page::new(page).ok_or(IdentifierError::Page)?),
            None => (name, Page::FIRST),
        };
        Ok(Self {
            name: name.to_owned(),
            page,
            scale,
        })
    }

    /// What names the image, or the file that it is a page of.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub fn page(&self) -> Page {
        self.page
    }

    /// Of another page of the same file, seeming as large a part of it.
    pub fn with_page(&self, page: Page) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    /// As it was written.
    pub fn scale(&self) -> Option<Scale> {
        self.scale
    }

    /// How large an image of these dimensions seems to be under this identifier.
    pub fn apparent(&self, dimensions: Dimensions) -> Dimensions {
        self.scale.map_or(dimensions, |scale| scale.of(dimensions))
    }

    /// One path segment: all but unreserved characters are encoded.
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.to_string(), RESERVED).to_string()
    }
}

/// What stands before the last delimiter, and the value after it, if it is one.
fn before_last<T>(text: &str, value: impl Fn(&str) -> Option<T>) -> Option<(&str, T)> {
    let (before, after) = text.rsplit_once(DELIMITER)?;
    let value = value(after)?;
    (!before.is_empty()).then_some((before, value))
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (numerator, denominator) = text.split_once(':')?;
    Some((number(numerator)?, number(denominator)?))
}

fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.page != Page::FIRST {
            write!(f, "{DELIMITER}{}", self.page)?;
        }
        match self.scale {
            Some(scale) => write!(f, "{DELIMITER}{scale}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(segment: &str) -> String {
        Identifier::decode(segment).unwrap().as_str().to_owned()
    }

    /// The table of Image API 3.0, section 9.
    #[test]
    fn e08_the_encoding_table_of_the_specification() {
        let rows = [
            ("ark:%2F12025%2F654xz321", "ark:/12025/654xz321"),
            ("urn:foo:a123,456", "urn:foo:a123,456"),
            (
                "urn:sici:1046-8188(199501)13:1%253C69:FTTHBI%253E2.0.TX;2-4",
                "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4",
            ),
            (
                "http:%2F%2Fexample.com%2F%3F54%23a",
                "http://example.com/?54#a",
            ),
        ];
        for (segment, identifier) in rows {
            assert_eq!(decoded(segment), identifier);
        }
    }

    #[test]
    fn e01_it_is_decoded_exactly_once() {
        assert_eq!(decoded("a%252Fb"), "a%2Fb");
        assert_eq!(decoded("%2Dx%7E"), "-x~");
        assert_eq!(decoded("a+b"), "a+b");
    }

    #[test]
    fn e07_e10_e12_what_can_be_no_identifier() {
        assert_eq!(Identifier::decode(""), Err(IdentifierError::Empty));
        assert_eq!(Identifier::decode("%ff"), Err(IdentifierError::NotUtf8));
        assert_eq!(Identifier::decode("a%00"), Err(IdentifierError::Control));
        assert_eq!(
            Identifier::decode("%0d%0aX: y"),
            Err(IdentifierError::Control)
        );
        assert_eq!(Identifier::decode("[frob]"), Err(IdentifierError::Bracket));
        assert_eq!(decoded("%5Bfrob%5D"), "[frob]");
        assert_eq!(
            Identifier::decode(&"a".repeat(5_000)),
            Err(IdentifierError::TooLong)
        );
    }

    /// F000-9, and the meta-identifiers of Cantaloupe.
    #[test]
    fn f000_9_page_and_scale_are_told_from_the_right() {
        let parts = |text: &str| {
            let identifier = Identifier::new(text.to_owned()).unwrap();
            let found = identifier.with_suffixes().unwrap();
            let scale = found.scale().map(|scale| scale.to_string());
            (found.as_str().to_owned(), found.page().number(), scale)
        };
        let rows = [
            ("a", "a", 1, None),
            ("a;2", "a", 2, None),
            ("a;1:2", "a", 1, Some("1:2")),
            ("a;2;1:2", "a", 2, Some("1:2")),
            ("a;3;2", "a;3", 2, None),
            ("a;1:2;3", "a;1:2", 3, None),
            ("a;b;7", "a;b", 7, None),
            ("a;b", "a;b", 1, None),
            ("a;", "a;", 1, None),
            ("a;x;", "a;x;", 1, None),
            (";2", ";2", 1, None),
            ("a;+2", "a;+2", 1, None),
            ("a;1:2:3", "a;1:2:3", 1, None),
            ("a;:2", "a;:2", 1, None),
            ("a;99999999999", "a;99999999999", 1, None),
            ("a;2;2:4", "a", 2, Some("2:4")),
        ];
        for (text, name, page, scale) in rows {
            let expected = (name.to_owned(), page, scale.map(str::to_owned));
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn pages_and_scales_that_no_image_has() {
        let of = |text: &str| Identifier::new(text.to_owned()).unwrap().with_suffixes();
        assert_eq!(of("a;0"), Err(IdentifierError::Page));
        assert_eq!(of("a;0;1:2"), Err(IdentifierError::Page));
        assert_eq!(of("a;3:2"), Err(IdentifierError::Scale(3, 2)));
        assert_eq!(of("a;0:2"), Err(IdentifierError::Scale(0, 2)));
    }

    #[test]
    fn what_was_told_apart_is_written_together() {
        for text in ["a", "a;2", "a;1:2", "a;2;1:2", "a;b"] {
            let identifier = Identifier::new(text.to_owned()).unwrap();
            let identifier = identifier.with_suffixes().unwrap();
            assert_eq!(identifier.to_string(), text);
            let again = Identifier::decode(&identifier.encoded()).unwrap();
            assert_eq!(again.with_suffixes(), Ok(identifier));
        }
    }

    #[test]
    fn another_page_has_the_same_name_and_scale() {
        let identifier = Identifier::new("a;2;1:2".to_owned()).unwrap();
        let identifier = identifier.with_suffixes().unwrap();
        let of = |number| identifier.with_page(Page::new(number).unwrap()).to_string();
        assert_eq!([of(1), of(3)], ["a;1:2", "a;3;1:2"]);
    }

    proptest! {
        #[test]
        fn encoding_then_decoding_gives_the_same(text in "\\PC{1,60}") {
            let identifier = Identifier::new(text).unwrap();
            prop_assert_eq!(Identifier::decode(&identifier.encoded()), Ok(identifier));
        }
    }
}
