//! What the service is asked.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

/// What would not be what it is in the value of a header: everything but visible ASCII characters, and the sign of the encoding itself.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(0x7f);

/// Somebody asks for an image, or for something that is made of it.
#[derive(Clone, Copy, Debug)]
pub struct ExternalQuestion<'a> {
    /// `GET` or `HEAD`.
    pub method: &'a str,
    /// Path of the URL, as it was sent.
    pub path: &'a str,
    /// As decoded.
    pub identifier: &'a str,
    /// What is asked of it: `full/max/0/default.jpg`, `info.json`, `manifest`.
    pub request: &'a str,
    pub address: Option<IpAddr>,
    /// All that the client sent.
    pub headers: &'a HeaderMap,
}

/// Of equal questions, the answer is the same.
pub type Key = [u8; 32];

impl ExternalQuestion<'_> {
    /// By what the decision may depend on: the image, who asks, and from where. Not by what is asked of the image, so that its
    /// description, its tiles and its manifest cannot have different answers.
    pub fn key(&self, forwarded: &[HeaderName]) -> Key {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        add(self.identifier.as_bytes());
        add(self.address().as_bytes());
        for name in forwarded {
            add(name.as_str().as_bytes());
            for value in self.headers.get_all(name) {
                add(b"=");
                add(value.as_bytes());
            }
        }
        digest.finalize().into()
    }

    /// The headers of the request to the service. What the client sends under these names does not get through.
    pub fn headers(&self, forwarded: &[HeaderName]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in forwarded {
            for value in self.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        join_cookies(&mut headers);
        let address = self.address();
        let ours = [
            ("x-original-method", self.method),
            ("x-original-uri", self.path),
            ("x-azulejo-identifier", self.identifier),
            ("x-azulejo-request", self.request),
            ("x-forwarded-for", &address),
        ];
        for (name, value) in ours {
            headers.insert(HeaderName::from_static(name), encoded(name, value));
        }
        headers
    }

    /// As IPv4 where it is one, and empty if it is not known.
    fn address(&self) -> String {
        let address = self.address.map(|address| address.to_canonical());
        address.map_or_else(String::new, |address| address.to_string())
    }
}

/// HTTP/2 may have them in several lines, HTTP/1.1 has one (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.len() > 1 {
        let line = HeaderValue::from_bytes(&lines.join(&b"; "[..]));
        headers.insert(COOKIE, line.expect("made of values"));
    }
}

/// The path is encoded already.
fn encoded(name: &str, value: &str) -> HeaderValue {
    let is_encoded = name == "x-original-uri";
    let set = if is_encoded { IN_PATHS } else { UNSAFE };
    let text = utf8_percent_encode(value, set).to_string();
    HeaderValue::try_from(text).expect("visible ASCII characters")
}

const IN_PATHS: &AsciiSet = &UNSAFE.remove(b'%');
