//! A signature as it stands in the query of a URL.

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::{Scope, SignatureError};

/// `expires=SECONDS&signature=BASE64`, and `scope=image&` before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    pub scope: Scope,
    /// Seconds since 1970.
    pub expires: u64,
    pub signature: [u8; 32],
}

impl Given {
    /// Each parameter has one spelling and stands there once; other parameters are none of ours.
    pub fn parse(query: &str) -> Result<Self, SignatureError> {
        let signature = only(query, "signature")?;
        let expires = only(query, "expires")?;
        let scope = match only(query, "scope")? {
            None => Scope::Request,
            Some("image") => Scope::Image,
            Some(_) => return Err(SignatureError::Malformed),
        };
        match (expires, signature) {
            (Some(expires), Some(signature)) => Ok(Self {
                scope,
                expires: seconds(expires).ok_or(SignatureError::Malformed)?,
                signature: decoded(signature).ok_or(SignatureError::Malformed)?,
            }),
            (_, None) => Err(SignatureError::Absent),
            (None, Some(_)) => Err(SignatureError::Malformed),
        }
    }
}

/// The value of a parameter.
fn only<'a>(query: &'a str, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = query.split('&').filter_map(|parameter| {
        let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (found == name).then_some(value)
    });
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(SignatureError::Malformed),
    }
}

fn seconds(text: &str) -> Option<u64> {
    let seconds: u64 = text.parse().ok()?;
    (seconds.to_string() == text).then_some(seconds)
}

fn decoded(text: &str) -> Option<[u8; 32]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope == Scope::Image {
            f.write_str("scope=image&")?;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.signature);
        write!(f, "expires={}&signature={signature}", self.expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_query_is_read_as_it_is_written() {
        for scope in [Scope::Request, Scope::Image] {
            let given = Given {
                scope,
                expires: 1_900_000_000,
                signature: std::array::from_fn(|at| at as u8),
            };
            assert_eq!(Given::parse(&given.to_string()), Ok(given));
        }
        let others = format!("a=b&signature={SIGNATURE}&expires=7&c");
        let given = Given::parse(&others).unwrap();
        assert_eq!(
            given.to_string(),
            format!("expires=7&signature={SIGNATURE}")
        );
    }

    #[test]
    fn without_a_signature_nothing_is_signed() {
        for query in ["", "expires=7", "scope=image", "Signature=x&expires=7"] {
            assert_eq!(Given::parse(query), Err(SignatureError::Absent), "{query}");
        }
    }

    #[test]
    fn a_parameter_has_one_spelling_and_stands_there_once() {
        let signed = format!("expires=7&signature={SIGNATURE}");
        for query in [
            format!("signature={SIGNATURE}"),
            format!("expires=07&signature={SIGNATURE}"),
            format!("expires=+7&signature={SIGNATURE}"),
            format!("expires=%37&signature={SIGNATURE}"),
            format!("expires=18446744073709551616&signature={SIGNATURE}"),
            format!("expires=7&{signed}"),
            format!("{signed}&signature={SIGNATURE}"),
            format!("scope=image&{signed}&scope=image"),
            format!("scope=Image&{signed}"),
            format!("scope=&{signed}"),
            format!("{signed}="),
            // Bits that nothing is made of.
            signed.replace("Hh8", "Hh9"),
            signed.replace("Hh8", "Hh"),
            "expires=7&signature=".to_owned(),
        ] {
            let parsed = Given::parse(&query);
            assert_eq!(parsed, Err(SignatureError::Malformed), "{query}");
        }
    }
}
