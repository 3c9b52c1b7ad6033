//! Whether browsers will keep the cookies of those who log in.

use crate::http::config::{PublicUrl, ServerConfig};

/// A01: to be called once, at the start of a server at which people can log in.
pub fn warn_of_address(server: &ServerConfig) {
    let Some(public_url) = &server.public_url else {
        tracing::warn!(
            "people can log in, and server.public_url is not set: behind a proxy, forms are refused and cookies lost unless it says \
             in X-Forwarded-Proto and -Host how it is reached"
        );
        return;
    };
    if is_open_to_listeners(public_url) {
        tracing::warn!(
            "people can log in, and {public_url} is not encrypted: browsers send no cookies to it from the pages of other sites, and \
             whoever listens can log in, too"
        );
    }
}

fn is_open_to_listeners(public_url: &PublicUrl) -> bool {
    let host = public_url.as_str().strip_prefix("http://");
    host.is_some_and(|host| {
        let is_here = ["localhost", "127.", "[::1]"];
        !is_here.iter().any(|here| host.starts_with(here))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a01_an_address_without_encryption_is_warned_of() {
        let is_warned = |url: &str| is_open_to_listeners(&url.parse().unwrap());
        assert!(is_warned("http://images.example.org/iiif"));
        for right in [
            "https://images.example.org",
            "http://localhost:8182",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(!is_warned(right), "{right}");
        }
    }
}
