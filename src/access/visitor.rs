//! Who asks.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Who asks, as far as it was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// Of the client itself, and not of a proxy. `None` if it is not known.
    pub address: Option<IpAddr>,
    pub roles: BTreeSet<String>,
}

impl Visitor {
    pub fn has_one_of(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }

    /// Also where the address of IPv4 is written as one of IPv6.
    pub fn is_in_one_of(&self, networks: &[ipnet::IpNet]) -> bool {
        let Some(address) = self.address else {
            return false;
        };
        let address = address.to_canonical();
        networks.iter().any(|network| network.contains(&address))
    }
}
