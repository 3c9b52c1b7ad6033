//! What a request is authorised by (RFC 9110, section 11.6.2). The name of a scheme is written in any case.

use axum::http::{HeaderMap, header};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// RFC 6750, section 2.1.
pub fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    of_scheme(headers, b"Bearer ")
}

/// User and password (RFC 7617).
pub struct Basic {
    pub user: String,
    pub password: Vec<u8>,
}

pub fn basic(headers: &HeaderMap) -> Option<Basic> {
    let text = BASE64_STANDARD
        .decode(of_scheme(headers, b"Basic ")?)
        .ok()?;
    let colon = text.iter().position(|byte| *byte == b':')?;
    Some(Basic {
        user: String::from_utf8_lossy(&text[..colon]).into_owned(),
        password: text[colon + 1..].to_vec(),
    })
}

fn of_scheme<'a>(headers: &'a HeaderMap, scheme: &[u8]) -> Option<&'a [u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (name, rest) = value.split_at_checked(scheme.len())?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_bearer_has_a_token() {
        for right in ["Bearer 0123", "bearer  0123 "] {
            assert_eq!(bearer(&with(right)), Some(&b"0123"[..]), "{right}");
        }
        for wrong in ["", "Bearer", "Basic 0123", "0123"] {
            assert_eq!(bearer(&with(wrong)), None, "{wrong}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    /// The example of RFC 7617, section 2; a password may have colons.
    #[test]
    fn a_user_has_a_password() {
        let of = |value| basic(&with(value)).map(|basic| (basic.user, basic.password));
        let example = of("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(
            example,
            Some(("Aladdin".to_owned(), b"open sesame".to_vec()))
        );
        assert_eq!(
            of("Basic YTpiOmM="),
            Some(("a".to_owned(), b"b:c".to_vec()))
        );
        for wrong in ["", "Basic ", "Basic YWJj", "Basic !", "Bearer YTpi"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
