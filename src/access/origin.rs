//! Origins of viewers, as browsers write them.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::config::formats::Invalid;

/// Scheme, host, and the port if it is not the usual one (RFC 6454, section 6.2): `https://viewer.example.org`. Nothing in it can end a
/// text, a header or a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Of an address.
    pub fn of(url: &str) -> Option<Self> {
        let origin = Url::parse(url).ok()?.origin();
        origin.ascii_serialization().parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text).map_err(|_| Invalid("it is no URL"))?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
        if !matches!(url.scheme(), "http" | "https") || !text.bytes().all(is_plain) {
            return Err(Invalid("it is no http or https URL of a host"));
        }
        if url.origin().ascii_serialization() != text {
            return Err(Invalid("browsers do not write it so"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_write_is_an_origin() {
        for right in [
            "https://viewer.example.org",
            "http://localhost:8080",
            "http://[::1]:81",
            "https://xn--mnchen-3ya.example",
        ] {
            assert_eq!(right.parse::<Origin>().unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "*",
            "null",
            "https://a.example/",
            "https://a.example:443",
            "https://A.example",
            "https://a.example;script-src *",
            "https://a.example,b",
            "https://a'b.example",
            "https://user@a.example",
            "https://a.example/path",
            "https://a.example https://b.example",
            "javascript:alert(1)",
            "file:///x",
            "//a.example",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_has_an_origin() {
        let of = |url| Origin::of(url).map(|origin| origin.0);
        assert_eq!(
            of("https://A.example:443/x?y"),
            Some("https://a.example".to_owned())
        );
        assert_eq!(of("data:text/plain,x"), None);
    }
}
