//! How often somebody may try to get in.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::Ipv6Net;
use sha2::{Digest, Sha256};

/// Addresses and users that are counted at a time. Those who have not tried for long are forgotten; with more, nobody else may try.
const MOST: usize = 50_000;
/// A network of IPv6 is somebody's as a whole.
const PREFIX: u8 = 64;

const OF_ADDRESS: Budget = Budget {
    at_once: NonZeroU32::new(30).expect("is not zero"),
    one_in: Duration::from_secs(2),
};
const OF_USER: Budget = Budget {
    at_once: NonZeroU32::new(10).expect("is not zero"),
    one_in: Duration::from_secs(10),
};

#[derive(Clone, Copy)]
struct Budget {
    at_once: NonZeroU32,
    /// Each of these, another one.
    one_in: Duration,
}

/// Counted by address and by user, also users that there are not. The memory for it is bounded.
pub struct Attempts {
    addresses: Limiter,
    users: Limiter,
}

type Limiter = RateLimiter<Key, HashMapStateStore<Key>, DefaultClock, NoOpMiddleware>;
type Key = [u8; 16];

/// Somebody has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: wait {} seconds", .0.as_secs())]
pub struct TooMany(pub Duration);

impl Default for Attempts {
    fn default() -> Self {
        Self {
            addresses: limiter(OF_ADDRESS),
            users: limiter(OF_USER),
        }
    }
}

impl Attempts {
    /// # Errors
    /// If there were too many from there.
    pub fn from(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        check(&self.addresses, &of_address(address))
    }

    /// # Errors
    /// If there were too many for that user.
    pub fn of(&self, user: &str) -> Result<(), TooMany> {
        let digest = Sha256::digest(user);
        let mut key = Key::default();
        key.copy_from_slice(&digest[..16]);
        check(&self.users, &key)
    }
}

/// All whose address is not known are one.
fn of_address(address: Option<IpAddr>) -> Key {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_ipv6_mapped().octets(),
        Some(IpAddr::V6(address)) => {
            let network = Ipv6Net::new_assert(address, PREFIX).network();
            network.octets()
        }
        None => Key::default(),
    }
}

fn limiter(budget: Budget) -> Limiter {
    let quota = Quota::with_period(budget.one_in).expect("it is not zero");
    let store = HashMapStateStore::default();
    RateLimiter::new(
        quota.allow_burst(budget.at_once),
        store,
        DefaultClock::default(),
    )
}

fn check(limiter: &Limiter, key: &Key) -> Result<(), TooMany> {
    if limiter.len() >= MOST {
        limiter.retain_recent();
    }
    if limiter.len() >= MOST {
        return Err(TooMany(OF_USER.one_in));
    }
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        TooMany(Duration::from_secs(wait.as_secs() + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_one_user_are_counted_whether_there_is_one_or_not() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            assert_eq!(attempts.of("ann"), Ok(()));
        }
        let TooMany(wait) = attempts.of("ann").unwrap_err();
        assert!((1..=11).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(attempts.of("ben"), Ok(()));
    }

    #[test]
    fn those_of_one_network_are_counted_together() {
        let attempts = Attempts::default();
        let address = |text: &str| Some(text.parse().unwrap());
        for host in 0..30 {
            let from = address(&format!("2001:db8::{host:x}"));
            assert_eq!(attempts.from(from), Ok(()));
        }
        assert!(attempts.from(address("2001:db8::ffff:1")).is_err());
        assert_eq!(attempts.from(address("2001:db8:0:1::1")), Ok(()));
        for _ in 0..15 {
            assert_eq!(attempts.from(address("192.0.2.1")), Ok(()));
            assert_eq!(attempts.from(address("::ffff:192.0.2.1")), Ok(()));
        }
        assert!(attempts.from(address("192.0.2.1")).is_err());
        assert_eq!(attempts.from(address("192.0.2.2")), Ok(()));
        assert_eq!(attempts.from(None), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..60_000_u32 {
            let _ = attempts.of(&number.to_string());
        }
        assert!(attempts.users.len() <= MOST);
    }
}
