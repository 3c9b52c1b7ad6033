//! Which addresses may be connected to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What is no public server, by the registries of special addresses (RFC 6890 and its successors).
const SPECIAL_4: [([u8; 4], u8); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved and broadcast.
    ([224, 0, 0, 0], 3),
];

/// All that is given out as global unicast (RFC 4291), but for what is in it for special use: protocol assignments with Teredo,
/// documentation twice, 6to4, segment routing.
const GLOBAL_6: ([u16; 8], u8) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const SPECIAL_6: [([u16; 8], u8); 4] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];
/// NAT64 (RFC 6052): the last 32 bits are the address that is meant.
const NAT64: ([u16; 8], u8) = ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Told apart from other errors of a connection, because another attempt would not help.
#[derive(Debug, thiserror::Error)]
#[error("the address is private")]
pub struct Private;

/// What may be connected to.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Although they are private.
    allowed: Vec<IpNet>,
}

impl Addresses {
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether it is public, or private and allowed. An IPv4 address that is written as one of IPv6 is the IPv4 address.
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = meant(address);
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|network| network.contains(&address))
    }
}

/// Looks names up, and gives only addresses that are allowed: the very ones that are connected to then.
impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let all: Vec<SocketAddr> = found.collect();
            let is_allowed = |address: &SocketAddr| addresses.allow(address.ip());
            let allowed: Vec<_> = all.iter().copied().filter(is_allowed).collect();
            match (all.is_empty(), allowed.is_empty()) {
                (true, _) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
                (false, true) => Err(Private.into()),
                (false, false) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// The IPv4 address inside of one of IPv6, if it stands for one.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    if network_6(NAT64).contains(&six) {
        let [.., a, b, c, d] = six.octets();
        return Ipv4Addr::new(a, b, c, d).into();
    }
    six.to_ipv4_mapped().map_or(address, IpAddr::V4)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let network = |(start, length)| Ipv4Net::new_assert(Ipv4Addr::from(start), length);
            !SPECIAL_4.into_iter().any(|it| network(it).contains(&four))
        }
        IpAddr::V6(six) => {
            let is_special = SPECIAL_6.into_iter().any(|it| network_6(it).contains(&six));
            network_6(GLOBAL_6).contains(&six) && !is_special
        }
    }
}

fn network_6((start, length): ([u16; 8], u8)) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from(start), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(addresses: &Addresses, text: &str) -> bool {
        addresses.allow(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_allowed() {
        let addresses = Addresses::new(Vec::new());
        for public in [
            "8.8.8.8",
            "193.0.6.139",
            "172.32.0.1",
            "100.63.255.255",
            "2a00:1450:4001:81b::200e",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_allowed(&addresses, public), "{public}");
        }
    }

    #[test]
    fn all_that_is_private_is_not() {
        let addresses = Addresses::new(Vec::new());
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
        ] {
            assert!(!is_allowed(&addresses, private), "{private}");
        }
    }

    #[test]
    fn a_private_network_can_be_allowed_in_all_spellings() {
        let addresses = Addresses::new(vec!["127.0.0.0/8".parse().unwrap()]);
        for text in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(is_allowed(&addresses, text), "{text}");
        }
        assert!(!is_allowed(&addresses, "10.0.0.1"));
        assert!(!is_allowed(&addresses, "::1"));
    }
}
