//! The `{identifier}` parameter (Image API 3.0, sections 2.1 and 9).

use std::fmt;

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
pub struct Identifier(String);

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
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One path segment: all but unreserved characters are encoded.
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.0, RESERVED).to_string()
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

    proptest! {
        #[test]
        fn encoding_then_decoding_gives_the_same(text in "\\PC{1,60}") {
            let identifier = Identifier::new(text).unwrap();
            prop_assert_eq!(Identifier::decode(&identifier.encoded()), Ok(identifier));
        }
    }
}
