//! The server's address as the client sees it: configured, told by a trusted proxy, or taken from the request.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

use super::config::ServerConfig;

/// Scheme, host, port and path prefix, without a trailing slash.
///
/// # Trust
/// `Forwarded` (RFC 7239) and `X-Forwarded-*` count only from trusted proxies. Every value must be a valid authority
/// or path, so that nothing in it can break out of JSON or a header (K05). Behind several proxies the nearest counts:
/// what the outermost was asked is then better configured, as `public_url`.
pub fn public_base(
    config: &ServerConfig,
    uri: &Uri,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> String {
    if let Some(url) = &config.public_url {
        return url.as_str().to_owned();
    }
    let is_trusted = peer.is_some_and(|peer| is_trusted(config, peer));
    let told = if is_trusted {
        Forwarded::read(headers)
    } else {
        Forwarded::default()
    };
    let scheme = told.scheme.unwrap_or("http");
    let host = told.host.or_else(|| authority(asked_host(uri, headers)?));
    let host = host.unwrap_or_else(|| config.listen.to_string());
    format!("{scheme}://{host}{}", told.prefix)
}

/// The authority of the request's target, which HTTP/2 has instead of a `Host` header (RFC 9113, section 8.3.1), goes
/// before that header (RFC 9112, section 3.2.2).
fn asked_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST)?.to_str().ok(),
    }
}

pub(super) fn is_trusted(config: &ServerConfig, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    config.trusted_proxies.iter().any(|net| net.contains(&peer))
}

#[derive(Default)]
struct Forwarded {
    scheme: Option<&'static str>,
    host: Option<String>,
    prefix: String,
}

impl Forwarded {
    fn read(headers: &HeaderMap) -> Self {
        let standard = last(headers, "forwarded");
        let parameter = |name| standard.and_then(|element| forwarded_parameter(element, name));
        let proto = parameter("proto").or_else(|| last(headers, "x-forwarded-proto"));
        let host = parameter("host").or_else(|| last(headers, "x-forwarded-host"));
        let host = host.and_then(authority).map(|host| {
            match last(headers, "x-forwarded-port").and_then(|port| port.parse::<u16>().ok()) {
                Some(port) if has_no_port(&host) && !is_usual_port(proto, port) => {
                    format!("{host}:{port}")
                }
                _ => host,
            }
        });
        Self {
            scheme: proto.and_then(scheme),
            host,
            prefix: last(headers, "x-forwarded-prefix")
                .and_then(prefix)
                .unwrap_or_default(),
        }
    }
}

/// Proxies append to these lists, as elements or as lines: only the last is the word of the proxy that is trusted. What
/// stands before it may be the client's own, and would then be in answers that caches keep for others (K05).
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let element = value.rsplit(',').next().unwrap_or(value).trim();
    (!element.is_empty()).then_some(element)
}

pub(super) fn forwarded_parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let is_wanted = key.trim().eq_ignore_ascii_case(name);
        is_wanted.then(|| value.trim().trim_matches('"'))
    })
}

fn scheme(name: &str) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// A host with or without a port, and nothing else.
fn authority(text: &str) -> Option<String> {
    let authority: Authority = text.parse().ok()?;
    let is_plain = authority
        .as_str()
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    is_plain.then(|| authority.to_string())
}

fn has_no_port(host: &str) -> bool {
    host.parse::<Authority>()
        .is_ok_and(|authority| authority.port().is_none())
}

fn is_usual_port(proto: Option<&str>, port: u16) -> bool {
    match proto.and_then(scheme) {
        Some("https") => port == 443,
        _ => port == 80,
    }
}

/// A path without a trailing slash; empty for the root.
fn prefix(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte));
    (is_plain && (path.is_empty() || path.starts_with('/'))).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn base(headers: &[(&'static str, &str)], peer: IpAddr) -> String {
        let config = ServerConfig {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ServerConfig::default()
        };
        let mut map = HeaderMap::new();
        map.insert(header::HOST, "inner:8182".parse().unwrap());
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        public_base(&config, &Uri::from_static("/iiif/3/x"), &map, Some(peer))
    }

    #[test]
    fn p08_http_2_names_the_host_in_the_target() {
        let config = ServerConfig::default();
        let target = Uri::from_static("http://images.example.org/iiif/3/x");
        let base = public_base(&config, &target, &HeaderMap::new(), None);
        assert_eq!(base, "http://images.example.org");
    }

    #[test]
    fn k05_a_trusted_proxy_is_believed() {
        let rows: [(&[(&'static str, &str)], &str); 7] = [
            (&[], "http://inner:8182"),
            (
                &[
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-host", "images.example.org"),
                ],
                "https://images.example.org",
            ),
            (
                &[
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "a.example, b.example"),
                ],
                "http://b.example",
            ),
            (
                &[("forwarded", "host=evil.example, host=a.example;proto=https")],
                "https://a.example",
            ),
            (
                &[
                    ("x-forwarded-host", "a.example"),
                    ("x-forwarded-port", "8443"),
                    ("x-forwarded-prefix", "/img/"),
                ],
                "http://a.example:8443/img",
            ),
            (
                &[
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-host", "a.example"),
                    ("x-forwarded-port", "443"),
                ],
                "https://a.example",
            ),
            (
                &[(
                    "forwarded",
                    "for=192.0.2.60;proto=https;host=\"b.example:444\"",
                )],
                "https://b.example:444",
            ),
        ];
        for (headers, expected) in rows {
            assert_eq!(base(headers, PROXY), expected);
        }
    }

    #[test]
    fn k05_a_trusted_proxy_has_the_last_word() {
        let config = ServerConfig {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ServerConfig::default()
        };
        let mut headers = HeaderMap::new();
        for host in ["evil.example", "a.example"] {
            headers.append("x-forwarded-host", host.parse().unwrap());
        }
        let base = public_base(&config, &Uri::from_static("/"), &headers, Some(PROXY));
        assert_eq!(base, "http://a.example");
    }

    #[test]
    fn k05_a_stranger_is_not_believed() {
        let headers = [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(base(&headers, STRANGER), "http://inner:8182");
    }

    #[test]
    fn k05_values_that_could_break_out_are_dropped() {
        for (name, value) in [
            ("x-forwarded-host", "a\"b"),
            ("x-forwarded-host", "user@a.example"),
            ("x-forwarded-host", "a.example/path"),
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-prefix", "/a\"><b"),
            ("x-forwarded-prefix", "no-slash"),
        ] {
            assert_eq!(
                base(&[(name, value)], PROXY),
                "http://inner:8182",
                "{value}"
            );
        }
    }
}
