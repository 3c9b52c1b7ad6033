//! How often somebody may try to get in.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use ipnet::Ipv6Net;
use sha2::{Digest, Sha256};

use crate::budget::Budget;

/// A network of IPv6 is somebody's as a whole.
const PREFIX: u8 = 64;

const OF_NETWORK: Pace = (30, 2);
/// For one user from one network: who guesses there keeps nobody out elsewhere.
const OF_USER_THERE: Pace = (10, 10);
/// For one user from everywhere.
const OF_USER: Pace = (100, 1);

/// So many at once, and another one each so many seconds.
type Pace = (u32, u64);

/// Counted by network and by user, also users that there are not. The memory for it is bounded.
pub struct Attempts {
    networks: Budget<Key>,
    users_there: Budget<Key>,
    users: Budget<Key>,
}

type Key = [u8; 16];

/// What is counted as one address: an address of IPv4, a network of IPv6. All that are not known are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Key);

/// Somebody has to wait for so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: wait {0} seconds")]
pub struct TooMany(pub u64);

impl Default for Attempts {
    fn default() -> Self {
        Self {
            networks: budget(OF_NETWORK),
            users_there: budget(OF_USER_THERE),
            users: budget(OF_USER),
        }
    }
}

impl Attempts {
    /// # Errors
    /// If there were too many from there.
    pub fn from(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        take(&self.networks, Network::of(address).0)
    }

    /// # Errors
    /// If there were too many for that user, from there or from everywhere.
    pub fn of(&self, user: &str, address: Option<IpAddr>) -> Result<(), TooMany> {
        let network = Network::of(address).0;
        take(&self.users_there, digest(&[&network, user.as_bytes()]))?;
        take(&self.users, digest(&[user.as_bytes()]))
    }
}

fn budget((at_once, seconds): Pace) -> Budget<Key> {
    let quota = Quota::with_period(Duration::from_secs(seconds)).expect("is not zero");
    let at_once = NonZeroU32::new(at_once).expect("is not zero");
    Budget::new(quota.allow_burst(at_once))
}

fn take(budget: &Budget<Key>, key: Key) -> Result<(), TooMany> {
    budget.take(key).map_err(TooMany)
}

impl Network {
    pub fn of(address: Option<IpAddr>) -> Self {
        Self(match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().octets(),
            Some(IpAddr::V6(address)) => {
                let network = Ipv6Net::new_assert(address, PREFIX).network();
                network.octets()
            }
            None => Key::default(),
        })
    }
}

fn digest(parts: &[&[u8]]) -> Key {
    let digest = Sha256::digest(parts.concat());
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_one_user_are_counted_whether_there_is_one_or_not() {
        let attempts = Attempts::default();
        let here = Some([192, 0, 2, 1].into());
        for _ in 0..10 {
            assert_eq!(attempts.of("ann", here), Ok(()));
        }
        let TooMany(wait) = attempts.of("ann", here).unwrap_err();
        assert!((1..=10).contains(&wait), "{wait}");
        assert_eq!(attempts.of("ben", here), Ok(()));
        let elsewhere = Some([192, 0, 2, 2].into());
        assert_eq!(attempts.of("ann", elsewhere), Ok(()), "who is not kept out");
    }

    #[test]
    fn those_of_one_user_are_counted_from_everywhere() {
        let attempts = Attempts::default();
        let tries = (0..=250_u8).map(|host| attempts.of("ann", Some([192, 0, 2, host].into())));
        assert!(tries.filter(Result::is_err).count() > 50);
    }

    /// There is another attempt every two seconds: a slow machine may take some.
    fn is_soon_refused(attempts: &Attempts, address: Option<IpAddr>) -> bool {
        (0..20).any(|_| attempts.from(address).is_err())
    }

    #[test]
    fn those_of_one_network_are_counted_together() {
        let attempts = Attempts::default();
        let address = |text: &str| Some(text.parse().unwrap());
        for host in 0..30 {
            let from = address(&format!("2001:db8::{host:x}"));
            assert_eq!(attempts.from(from), Ok(()));
        }
        assert!(is_soon_refused(&attempts, address("2001:db8::ffff:1")));
        assert_eq!(attempts.from(address("2001:db8:0:1::1")), Ok(()));
        for _ in 0..15 {
            assert_eq!(attempts.from(address("192.0.2.1")), Ok(()));
            assert_eq!(attempts.from(address("::ffff:192.0.2.1")), Ok(()));
        }
        assert!(is_soon_refused(&attempts, address("192.0.2.1")));
        assert_eq!(attempts.from(address("192.0.2.2")), Ok(()));
        assert_eq!(attempts.from(None), Ok(()));
    }
}
