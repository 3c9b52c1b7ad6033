//! How often somebody may try to get in.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use ipnet::Ipv6Net;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

/// Counts at a time. With more, those are forgotten that are asked for least; nobody is refused for want of room.
const MOST: u64 = 50_000;
/// A network of IPv6 is somebody's as a whole.
const PREFIX: u8 = 64;

const OF_NETWORK: Budget = Budget {
    at_once: NonZeroU32::new(30).expect("is not zero"),
    one_in: Duration::from_secs(2),
};
/// For one user from one network: who guesses there keeps nobody out elsewhere.
const OF_USER_THERE: Budget = Budget {
    at_once: NonZeroU32::new(10).expect("is not zero"),
    one_in: Duration::from_secs(10),
};
/// For one user from everywhere.
const OF_USER: Budget = Budget {
    at_once: NonZeroU32::new(100).expect("is not zero"),
    one_in: Duration::from_secs(1),
};

#[derive(Clone, Copy)]
struct Budget {
    at_once: NonZeroU32,
    /// Each of these, another one.
    one_in: Duration,
}

/// Counted by network and by user, also users that there are not. The memory for it is bounded.
pub struct Attempts {
    networks: Counts,
    users_there: Counts,
    users: Counts,
}

struct Counts {
    budget: Budget,
    counts: Cache<Key, Arc<DefaultDirectRateLimiter>>,
}

type Key = [u8; 16];

/// What is counted as one address: an address of IPv4, a network of IPv6. All that are not known are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Key);

/// Somebody has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: wait {} seconds", .0.as_secs())]
pub struct TooMany(pub Duration);

impl Default for Attempts {
    fn default() -> Self {
        Self {
            networks: Counts::new(OF_NETWORK),
            users_there: Counts::new(OF_USER_THERE),
            users: Counts::new(OF_USER),
        }
    }
}

impl Attempts {
    /// # Errors
    /// If there were too many from there.
    pub fn from(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        self.networks.check(Network::of(address).0)
    }

    /// # Errors
    /// If there were too many for that user, from there or from everywhere.
    pub fn of(&self, user: &str, address: Option<IpAddr>) -> Result<(), TooMany> {
        let network = Network::of(address).0;
        self.users_there
            .check(digest(&[&network, user.as_bytes()]))?;
        self.users.check(digest(&[user.as_bytes()]))
    }
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

impl Counts {
    /// A count that is full again need not be kept.
    fn new(budget: Budget) -> Self {
        let counts = Cache::builder().max_capacity(MOST);
        let counts = counts.time_to_idle(budget.one_in * budget.at_once.get());
        Self {
            budget,
            counts: counts.build(),
        }
    }

    fn check(&self, key: Key) -> Result<(), TooMany> {
        let count = self.counts.get_with(key, || Arc::new(self.budget.count()));
        count.check().map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            TooMany(Duration::from_secs(wait.as_secs() + 1))
        })
    }
}

impl Budget {
    fn count(self) -> DefaultDirectRateLimiter {
        let quota = Quota::with_period(self.one_in).expect("it is not zero");
        RateLimiter::direct(quota.allow_burst(self.at_once))
    }
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
        assert!((1..=11).contains(&wait.as_secs()), "{wait:?}");
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

    #[test]
    fn memory_is_bounded_and_nobody_is_refused_for_it() {
        let attempts = Attempts::default();
        for number in 0..60_000_u32 {
            let address = Some(std::net::Ipv4Addr::from(number).into());
            assert_eq!(attempts.from(address), Ok(()));
        }
        attempts.networks.counts.run_pending_tasks();
        assert!(attempts.networks.counts.entry_count() <= MOST);
    }
}
