//! The address of the client itself, also behind proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

use super::config::ClientHeader;
use crate::http::base::{forwarded_parameter, is_trusted};
use crate::http::config::ServerConfig;

/// The address from which the request comes, in its shortest form. `None` if there is no peer: a request of a test.
///
/// # Trust
/// A header counts only from a trusted proxy, and there only what trusted proxies have written: each appends whom it was asked by, so
/// that the list is read from its end, up to the first address that is no proxy's. What stands before that is the client's own. Where
/// an entry is no address, the proxy that wrote it stands for its clients: so nobody gets an address that he made up.
pub fn address(config: &ServerConfig, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
    let mut nearest = peer?.to_canonical();
    for entry in entries(config.client_header, headers) {
        if !is_trusted(config, nearest) {
            break;
        }
        match entry {
            Some(address) => nearest = address.to_canonical(),
            None => break,
        }
    }
    Some(nearest)
}

/// What proxies have written, the nearest first; `None` for what is no address.
fn entries(header: ClientHeader, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let most = match header {
        // One value, which the next proxy replaces.
        ClientHeader::XRealIp => 1,
        ClientHeader::XForwardedFor | ClientHeader::Forwarded => usize::MAX,
    };
    let lines = headers.get_all(header.name()).iter().rev();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    entries.take(most).map(move |entry| match header {
        ClientHeader::Forwarded => node(forwarded_parameter(entry, "for")?),
        ClientHeader::XForwardedFor | ClientHeader::XRealIp => node(entry),
    })
}

/// An address with or without a port, of IPv6 with or without brackets (RFC 7239, section 6).
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    plain.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn config(header: ClientHeader) -> ServerConfig {
        let networks = ["10.0.0.0/8", "fd00::/8"];
        ServerConfig {
            trusted_proxies: networks.map(|net| net.parse().unwrap()).to_vec(),
            client_header: header,
            ..ServerConfig::default()
        }
    }

    /// Of a request from a peer with header lines in their order.
    fn told(header: ClientHeader, peer: &str, lines: &[(&str, &[u8])]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let peer = Some(peer.parse().unwrap());
        let address = address(&config(header), peer, &headers);
        address.unwrap().to_string()
    }

    fn for_lines(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("x-forwarded-for", line.as_bytes()))
            .collect();
        told(ClientHeader::XForwardedFor, peer, &lines)
    }

    #[test]
    fn a_stranger_is_who_he_is_whatever_he_says() {
        assert_eq!(for_lines("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(for_lines("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(for_lines("::ffff:192.0.2.1", &["10.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_asks_for() {
        assert_eq!(for_lines("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            for_lines("::ffff:10.0.0.1", &["2001:db8::7"]),
            "2001:db8::7"
        );
        assert_eq!(for_lines("fd00::1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(for_lines("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_wrote_before_is_not_believed() {
        for lines in [
            &["203.0.113.9, 198.51.100.7"][..],
            &["203.0.113.9", "198.51.100.7"],
            &["10.9.9.9, 203.0.113.9,198.51.100.7"],
            &["203.0.113.9 , 198.51.100.7 , 10.0.0.2"],
            &["203.0.113.9", "198.51.100.7", "10.0.0.3, 10.0.0.2"],
            &["\"203.0.113.9, 198.51.100.7"],
            &["unknown,,198.51.100.7"],
        ] {
            assert_eq!(for_lines("10.0.0.1", lines), "198.51.100.7", "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_the_proxy_that_wrote_it() {
        for entry in [
            "unknown",
            "",
            "_hidden",
            "010.0.0.256",
            "198.51.100.7;",
            "198.51.100.7 203.0.113.9",
            "198.51.100.7:99999",
            "fe80::1%eth0",
            "1",
        ] {
            assert_eq!(for_lines("10.0.0.1", &[entry]), "10.0.0.1", "{entry}");
            let behind = format!("203.0.113.9, {entry}, 10.0.0.2");
            assert_eq!(for_lines("10.0.0.1", &[&behind]), "10.0.0.2", "{entry}");
        }
        let garbage = told(
            ClientHeader::XForwardedFor,
            "10.0.0.1",
            &[
                ("x-forwarded-for", b"203.0.113.9"),
                ("x-forwarded-for", b"\xff"),
            ],
        );
        assert_eq!(garbage, "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_belong_to_no_address() {
        for entry in [
            "2001:db8::7",
            "[2001:db8::7]",
            "[2001:db8::7]:443",
            "2001:DB8:0:0::7",
        ] {
            assert_eq!(for_lines("10.0.0.1", &[entry]), "2001:db8::7", "{entry}");
        }
        assert_eq!(for_lines("10.0.0.1", &["192.0.2.1:80"]), "192.0.2.1");
        assert_eq!(for_lines("10.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn only_proxies_were_asked() {
        assert_eq!(for_lines("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn the_standard_header_has_parameters() {
        let forwarded = |line: &str| {
            let lines = [
                ("forwarded", line.as_bytes()),
                ("x-forwarded-for", b"203.0.113.9"),
            ];
            told(ClientHeader::Forwarded, "10.0.0.1", &lines)
        };
        assert_eq!(
            forwarded("for=192.0.2.60;proto=http;by=10.0.0.1"),
            "192.0.2.60"
        );
        assert_eq!(
            forwarded("for=203.0.113.9, For=\"[2001:db8::7]:4711\""),
            "2001:db8::7"
        );
        assert_eq!(forwarded("for=203.0.113.9, proto=https"), "10.0.0.1");
        assert_eq!(forwarded("for=203.0.113.9, for=unknown"), "10.0.0.1");
        assert_eq!(forwarded("for=192.0.2.60, for=10.0.0.2"), "192.0.2.60");
        assert_eq!(forwarded("203.0.113.9"), "10.0.0.1");
    }

    /// Another header than the configured one is a client's.
    #[test]
    fn only_the_configured_header_is_read() {
        let lines: [(&str, &[u8]); 3] = [
            ("x-real-ip", b"203.0.113.9"),
            ("forwarded", b"for=203.0.113.9"),
            ("true-client-ip", b"203.0.113.9"),
        ];
        assert_eq!(
            told(ClientHeader::XForwardedFor, "10.0.0.1", &lines),
            "10.0.0.1"
        );
        assert_eq!(
            told(ClientHeader::XRealIp, "10.0.0.1", &lines),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_single_value_is_the_last_line() {
        let real = |lines: &[&str]| {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("x-real-ip", line.as_bytes()))
                .collect();
            told(ClientHeader::XRealIp, "10.0.0.1", &lines)
        };
        assert_eq!(real(&["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(real(&["203.0.113.9", "10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn without_a_peer_there_is_no_address() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        assert_eq!(
            address(&config(ClientHeader::default()), None, &headers),
            None
        );
    }
}
