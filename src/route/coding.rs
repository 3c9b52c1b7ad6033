//! Identifiers that are coded, so that they need no escaping in URLs.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::config::Coding;

/// RFC 4648, section 4, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Coding {
    /// What an identifier says. `None` if it is not coded so.
    pub fn decode(self, identifier: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Plain => Some(Cow::Borrowed(identifier)),
            Self::Base64 => base64(identifier).map(Cow::Owned),
        }
    }
}

/// Of either alphabet: sections 4 and 5.
fn base64(identifier: &str) -> Option<String> {
    let standard = identifier.replace('-', "+").replace('_', "/");
    let decoded = String::from_utf8(BASE64.decode(standard).ok()?).ok()?;
    (!decoded.contains(char::is_control)).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_either_alphabet_with_or_without_padding() {
        let decoded = |text| Coding::Base64.decode(text).map(Cow::into_owned);
        let text = Some("fedora:a/b?c>d~e".to_owned());
        assert_eq!(decoded("ZmVkb3JhOmEvYj9jPmR+ZQ=="), text);
        assert_eq!(decoded("ZmVkb3JhOmEvYj9jPmR-ZQ"), text);
        assert_eq!(decoded("no base64!"), None);
        assert_eq!(decoded("AAEC"), None, "control characters");
        assert_eq!(decoded("_____w"), None, "no UTF-8");
    }
}
