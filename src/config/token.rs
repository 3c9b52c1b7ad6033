//! A secret that requests are authorised by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::formats::Invalid;

/// Fewer characters could be guessed.
const SHORTEST: usize = 16;
/// In place of the secret, wherever it would be printed.
const HIDDEN: &str = "(not shown)";

/// A bearer token (RFC 6750, section 2.1). It is neither printed nor serialized.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

impl Token {
    /// The secret itself, for the one who sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is this text. The time that this takes says nothing of the token, not even its length.
    pub fn is(&self, given: &[u8]) -> bool {
        digest(given).ct_eq(&digest(self.0.as_bytes())).into()
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

impl FromStr for Token {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !text.bytes().all(is_allowed) {
            return Err(Invalid("it has characters that a token cannot have"));
        }
        if text.len() < SHORTEST {
            return Err(Invalid("it is too short to be a secret"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Token {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn only_the_whole_token_is_it() {
        let token: Token = SECRET.parse().unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789ABCDEF",
        ] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_long_and_of_one_word() {
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdeä",
        ] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_is_not_printed() {
        let token: Token = SECRET.parse().unwrap();
        assert_eq!(format!("{token:?}"), HIDDEN);
        assert_eq!(serde_json::to_value(&token).unwrap(), HIDDEN);
    }
}
