//! What could not be made is not tried again at once.

use std::hash::Hash;
use std::time::Duration;

use moka::sync::Cache;

/// Each is a key and a text.
const MOST: u64 = 10_000;

/// Failures of the last seconds, in the memory of this process only.
pub struct Failures<K, T>(Option<Cache<K, T>>);

impl<K, T> Failures<K, T>
where
    K: Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Each is remembered for so long; zero is not at all.
    pub fn new(ttl: Duration) -> Self {
        let cache = Cache::builder().max_capacity(MOST).time_to_live(ttl);
        Self((!ttl.is_zero()).then(|| cache.build()))
    }

    pub fn get(&self, key: &K) -> Option<T> {
        self.0.as_ref()?.get(key)
    }

    pub fn keep(&self, key: K, failure: T) {
        if let Some(cache) = &self.0 {
            cache.insert(key, failure);
        }
    }

    pub fn clear(&self) {
        if let Some(cache) = &self.0 {
            cache.invalidate_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_forgotten_in_time_or_at_once() {
        let failures = Failures::new(Duration::from_secs(60));
        failures.keep("a", "broken");
        assert_eq!(failures.get(&"a"), Some("broken"));
        failures.clear();
        assert_eq!(failures.get(&"a"), None);
        let failures = Failures::new(Duration::from_millis(1));
        failures.keep("a", "broken");
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(failures.get(&"a"), None);
    }

    #[test]
    fn without_time_nothing_is_kept() {
        let failures = Failures::new(Duration::ZERO);
        failures.keep("a", "broken");
        assert_eq!(failures.get(&"a"), None);
    }
}
