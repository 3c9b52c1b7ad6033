//! How much somebody may ask for in a time: a bucket of tokens that is filled steadily.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;

/// Clients that are remembered: some 20 MB. Those that were not seen for longest are forgotten, which gives them a full bucket.
pub const MOST: u64 = 50_000;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A bucket for each client.
pub struct Budget<K, C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    buckets: Cache<K, Arc<Bucket<C>>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Budget<K> {
    pub fn new(quota: Quota) -> Self {
        Self::with_clock(quota, DefaultClock::default())
    }
}

impl<K, C> Budget<K, C>
where
    K: Hash + Eq + Send + Sync + 'static,
    C: Clock + Clone + Send + Sync + 'static,
    C::Instant: Send + Sync,
{
    fn with_clock(quota: Quota, clock: C) -> Self {
        // A bucket that is full again is as good as none.
        let full = quota.burst_size_replenished_in();
        let buckets = Cache::builder()
            .max_capacity(MOST)
            .time_to_idle(full.max(Duration::from_secs(1)))
            .build();
        Self {
            quota,
            clock,
            buckets,
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// If there is none: seconds, rounded up, until there is.
    pub fn take(&self, client: K) -> Result<(), u64> {
        let bucket = self.buckets.get_with(client, || {
            Arc::new(RateLimiter::direct_with_clock(
                self.quota,
                self.clock.clone(),
            ))
        });
        bucket.check().map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            wait.as_nanos().div_ceil(1_000_000_000).max(1) as u64
        })
    }
}

/// So many in a second, and so many at once.
pub fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Quota {
    Quota::per_second(rate).allow_burst(burst)
}

/// So many in a minute, all of them at once if need be.
pub fn per_minute(rate: NonZeroU32) -> Quota {
    Quota::per_minute(rate)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn number(value: u32) -> NonZeroU32 {
        NonZeroU32::new(value).unwrap()
    }

    #[test]
    fn a_burst_is_allowed_and_then_a_steady_rate() {
        let clock = FakeRelativeClock::default();
        let quota = per_second(number(2), number(5));
        let budget = Budget::with_clock(quota, clock.clone());
        for _ in 0..5 {
            assert_eq!(budget.take(1), Ok(()));
        }
        assert_eq!(budget.take(1), Err(1));
        assert_eq!(budget.take(2), Ok(()), "another has a bucket of his own");
        clock.advance(Duration::from_millis(499));
        assert!(budget.take(1).is_err());
        clock.advance(Duration::from_millis(2));
        assert_eq!(budget.take(1), Ok(()));
        assert!(budget.take(1).is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!((0..9).filter(|_| budget.take(1).is_ok()).count(), 5);
    }

    #[test]
    fn the_time_to_wait_is_rounded_up() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::with_clock(per_minute(number(6)), clock.clone());
        for _ in 0..6 {
            assert_eq!(budget.take(()), Ok(()));
        }
        assert_eq!(budget.take(()), Err(10));
        clock.advance(Duration::from_millis(8_500));
        assert_eq!(budget.take(()), Err(2));
    }

    #[test]
    fn memory_is_bounded() {
        let budget = Budget::new(per_second(number(1), number(1_000)));
        for client in 0..100_000_u32 {
            assert_eq!(budget.take(client), Ok(()));
        }
        budget.buckets.run_pending_tasks();
        assert!(budget.buckets.entry_count() <= MOST);
    }
}
