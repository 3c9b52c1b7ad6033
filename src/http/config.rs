//! Settings of the HTTP side.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use ipnet::IpNet;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clients::config::ClientHeader;
use crate::config::formats::Invalid;

/// Where the server listens and how clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on. 0.0.0.0 listens on every IPv4 address of the machine, `[::]` on every address.
    #[schemars(with = "String", extend("format" = "socket-address"))]
    pub listen: SocketAddr,

    /// The server's address as clients see it, with a path if a proxy adds one. It begins every `id` in `info.json`.
    /// Without it the address is taken from the request.
    #[schemars(with = "Option<String>", extend("format" = "public-url"), example = "https://images.example.org")]
    pub public_url: Option<PublicUrl>,

    /// Networks of the proxies whose `Forwarded` and `X-Forwarded-*` headers are believed. From anyone else these
    /// headers are ignored.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "network"}),
        example = ["10.0.0.0/8", "::1/128"]
    )]
    pub trusted_proxies: Vec<IpNet>,

    /// The one header in which the trusted proxies say whom they ask for: each appends an address to `x-forwarded-for` or `forwarded`
    /// (RFC 7239), or writes `x-real-ip` anew. It has to be one that they do write: the others are their clients' own.
    pub client_header: ClientHeader,

    /// Text that stands for a slash within an identifier, for use behind a proxy that does not pass `%2F` on. It is
    /// used again where the server writes the identifier.
    #[schemars(extend("format" = "slash-substitute"), example = "~")]
    pub slash_substitute: Option<String>,

    /// Whether slashes of an identifier may also arrive unescaped. The standard wants them escaped as `%2F`; without
    /// this setting, `a/b` is answered with 404.
    pub unescaped_slashes: bool,

    /// The `Cache-Control` header of images and of `info.json`.
    #[schemars(extend("format" = "header-value"))]
    pub cache_control: String,

    /// Seconds after which a request that is not answered yet ends with status 504.
    #[schemars(range(min = 1, max = 86_400))]
    pub request_timeout: u32,

    /// A viewer elsewhere that the start page links to; `{info}` stands for the escaped address of the `info.json`.
    #[schemars(
        with = "Option<String>",
        extend("format" = "viewer-url"),
        example = "https://viewer.example.org/?iiif-content={info}"
    )]
    pub viewer: Option<ViewerUrl>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8182)),
            public_url: None,
            trusted_proxies: Vec::new(),
            client_header: ClientHeader::default(),
            slash_substitute: None,
            unescaped_slashes: false,
            cache_control: "public, max-age=86400".to_owned(),
            request_timeout: 60,
            viewer: None,
        }
    }
}

impl ServerConfig {
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout.into())
    }
}

/// The address of the server as clients see it: `http` or `https`, a host, and perhaps a path. Never with a query, a
/// fragment or a trailing slash, so that a path beginning with a slash can be appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(String);

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before every path: empty, or `/` and more without a trailing slash.
    pub fn path_prefix(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let rest = &self.0[after_scheme..];
        rest.find('/').map_or("", |at| &rest[at..])
    }
}

impl FromStr for PublicUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check_http_url(text)?;
        if text.contains('?') {
            return Err(Invalid("it has a query"));
        }
        if text.ends_with('/') {
            return Err(Invalid("it ends with a slash"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

/// The address of a viewer with `{info}` in place of the address of an `info.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ViewerUrl(String);

impl ViewerUrl {
    const PLACE: &str = "{info}";

    /// The address that opens the viewer on this image.
    pub fn showing(&self, info_url: &str) -> String {
        let escaped = utf8_percent_encode(info_url, NON_ALPHANUMERIC).to_string();
        self.0.replace(Self::PLACE, &escaped)
    }
}

impl FromStr for ViewerUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if !text.contains(Self::PLACE) {
            return Err(Invalid("{info} is missing"));
        }
        // Many viewers expect the address of the image in the fragment, which servers never see.
        let sent = text.split('#').next().unwrap_or(text);
        check_http_url(&sent.replace(Self::PLACE, "info"))?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ViewerUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ViewerUrl> for String {
    fn from(url: ViewerUrl) -> Self {
        url.0
    }
}

/// Whether this is an absolute `http` or `https` URL of a host, without user name and fragment.
///
/// # Errors
/// What is wrong with it.
pub fn check_http_url(text: &str) -> Result<(), Invalid> {
    let uri: Uri = text.parse().map_err(|_| Invalid("it is not a URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(Invalid("it does not begin with http:// or https://"));
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(Invalid("it contains a user name"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(Invalid("it names no host"));
    }
    if text.contains('#') {
        return Err(Invalid("it has a fragment"));
    }
    Ok(())
}

/// Whether this can be the value of an HTTP header (RFC 9110, section 5.5).
///
/// # Errors
/// What is wrong with it.
pub fn check_header_value(text: &str) -> Result<(), Invalid> {
    match HeaderValue::from_str(text) {
        Ok(value) if value.to_str().is_ok() && !text.is_empty() => Ok(()),
        _ => Err(Invalid(
            "it is empty or has other than visible ASCII characters",
        )),
    }
}

/// Whether this can stand for a slash in a path: it must be free of characters that end or escape a path segment.
///
/// # Errors
/// What is wrong with it.
pub fn check_slash_substitute(text: &str) -> Result<(), Invalid> {
    let unreserved = |c: char| c.is_ascii_graphic() && !"/?#%\"<>\\^`{|}".contains(c);
    if text.is_empty() || !text.chars().all(unreserved) {
        return Err(Invalid(
            "it is empty or has a character that cannot stand in a URL path as it is",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_absolute_and_end_without_a_slash() {
        let with_path: PublicUrl = "https://example.org:8443/a/iiif".parse().unwrap();
        assert_eq!(with_path.path_prefix(), "/a/iiif");
        let bare: PublicUrl = "http://example.org".parse().unwrap();
        assert_eq!(bare.path_prefix(), "");
        for wrong in [
            "example.org",
            "/iiif",
            "ftp://example.org",
            "https://example.org/",
            "https://example.org/iiif/",
            "https://example.org/iiif?a=b",
            "https://example.org/iiif#top",
            "https://user@example.org",
            "https://exa mple.org",
            "https://",
            "",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_viewer_gets_the_escaped_address() {
        let viewer: ViewerUrl = "https://v.example.org/#?m={info}".parse().unwrap();
        assert_eq!(
            viewer.showing("http://a/b%2Fc"),
            "https://v.example.org/#?m=http%3A%2F%2Fa%2Fb%252Fc"
        );
        assert!("https://v.example.org/".parse::<ViewerUrl>().is_err());
        assert!("javascript:alert({info})".parse::<ViewerUrl>().is_err());
    }

    #[test]
    fn a_slash_substitute_survives_in_a_path() {
        for right in ["~", "__", ":", "!sl!"] {
            assert!(check_slash_substitute(right).is_ok(), "{right}");
        }
        for wrong in ["", "/", "%2F", "a b", "?", "ß"] {
            assert!(check_slash_substitute(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_value_is_one_line() {
        assert!(check_header_value("no-cache").is_ok());
        assert!(check_header_value("a\r\nSet-Cookie: b").is_err());
        assert!(check_header_value("").is_err());
    }
}
