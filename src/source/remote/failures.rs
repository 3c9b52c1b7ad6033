//! What failed lately: which servers are left alone, and which keys.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::time::Instant;

use super::error::Failure;
use crate::breaker::Breaker;

/// Servers of one source whose failures are remembered, and keys.
const MOST: u64 = 1024;
/// For how long a key that failed is not asked for again.
const MEMORY: Duration = Duration::from_secs(1);

/// Of one source.
pub struct Failures {
    servers: Cache<String, Arc<Server>>,
    keys: Cache<String, (Instant, Failure)>,
}

/// One file that always fails must not keep others from being asked for: of failures that may be those of a file, only those of different
/// keys count together.
pub struct Server {
    breaker: Breaker,
    /// The keys whose failures were counted since something succeeded: no more than open the breaker.
    counted: Mutex<HashSet<String>>,
}

impl Default for Failures {
    fn default() -> Self {
        let keys = Cache::builder()
            .max_capacity(MOST)
            .eviction_policy(EvictionPolicy::lru());
        Self {
            servers: Cache::new(MOST),
            keys: keys.build(),
        }
    }
}

impl Failures {
    pub fn server(&self, name: &str) -> Arc<Server> {
        let make = || Arc::new(Server::new(name.to_owned()));
        self.servers.get_with_by_ref(name, make)
    }

    /// How a key failed just now. It is not asked for again at once, above all not as the trial of a server that is left alone.
    pub fn lately(&self, key: &str) -> Option<Failure> {
        let (at, failure) = self.keys.get(key)?;
        (at.elapsed() < MEMORY).then_some(failure)
    }

    pub fn note(&self, server: &Server, key: &str, failure: &Failure) {
        match failure.is_of_server() {
            Some(true) if failure.may_be_of_file() => {
                let told = (Instant::now(), failure.clone());
                self.keys.insert(key.to_owned(), told);
                server.failed_for(key, failure);
            }
            Some(true) => server.breaker.failed(failure),
            Some(false) => server.succeeded(),
            None => {}
        }
    }
}

impl Server {
    fn new(name: String) -> Self {
        Self {
            breaker: Breaker::new(name, "read"),
            counted: Mutex::default(),
        }
    }

    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    pub fn succeeded(&self) {
        let mut counted = self.counted();
        counted.clear();
        self.breaker.succeeded();
    }

    fn failed_for(&self, key: &str, failure: &Failure) {
        let mut counted = self.counted();
        // While it is open every failed trial makes the pause longer.
        if !self.breaker.is_closed() || counted.insert(key.to_owned()) {
            self.breaker.failed(failure);
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashSet<String>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Failure = Failure::Status {
        status: 503,
        after: None,
    };

    #[test]
    fn only_different_keys_tell_of_the_server() {
        let failures = Failures::default();
        let server = failures.server("s");
        for failure in [BUSY, Failure::Late] {
            for _ in 0..10 {
                failures.note(&server, "a", &failure);
                failures.note(&server, "b", &failure);
            }
        }
        assert!(server.breaker().is_closed());
        server.succeeded();
        failures.note(&server, "c", &BUSY);
        assert!(server.breaker().is_closed(), "a and b count no more");
        failures.note(&server, "a", &BUSY);
        failures.note(&server, "b", &Failure::Late);
        assert!(!failures.server("s").breaker().is_closed());
        assert!(failures.server("other").breaker().is_closed());
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_so_for_every_key() {
        let failures = Failures::default();
        let server = failures.server("s");
        for _ in 0..3 {
            failures.note(&server, "a", &Failure::Unreachable);
        }
        assert!(!server.breaker().is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_failed_is_remembered_for_a_while() {
        let failures = Failures::default();
        let server = failures.server("s");
        failures.note(&server, "a", &BUSY);
        failures.note(&server, "b", &Failure::Stalled);
        assert_eq!(failures.lately("a"), Some(BUSY));
        assert_eq!(failures.lately("b"), None);
        tokio::time::advance(MEMORY).await;
        assert_eq!(failures.lately("a"), None);
    }
}
