//! Equal work under way is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work under way, by what it makes. Everybody who waits drives it; when nobody waits any more it is dropped.
pub struct Flights<K, T: Clone>(Arc<Mutex<Under<K, T>>>);

struct Under<K, T: Clone> {
    way: HashMap<K, (u64, WeakShared<Work<T>>)>,
    count: u64,
}

impl<K, T: Clone> Clone for Flights<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Under {
            way: HashMap::new(),
            count: 0,
        })))
    }
}

impl<K, T> Flights<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The result of the work that is under way for this key, or else of `work`.
    pub fn join(&self, key: K, work: impl Future<Output = T> + Send + 'static) -> Shared<Work<T>> {
        let mut under = lock(&self.0);
        let found = under.way.get(&key).and_then(|(_, flight)| flight.upgrade());
        if let Some(flight) = found {
            return flight;
        }
        under.count += 1;
        let landing = Landing {
            flights: Arc::clone(&self.0),
            key,
            number: under.count,
        };
        let work: Work<T> = Box::pin(async move {
            let result = work.await;
            drop(landing);
            result
        });
        let flight = work.shared();
        if let Some(weak) = flight.downgrade() {
            let number = under.count;
            under.way.insert(key, (number, weak));
        }
        flight
    }
}

/// Takes a flight from the list when it has ended in any way.
struct Landing<K: Eq + Hash, T: Clone> {
    flights: Arc<Mutex<Under<K, T>>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T: Clone> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut under = lock(&self.flights);
        let is_this = |(number, _): &(u64, _)| *number == self.number;
        // Between its last passenger's leaving and this there may have been another.
        if under.way.get(&self.key).is_some_and(is_this) {
            under.way.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counted(counter: &Arc<AtomicUsize>) -> impl Future<Output = usize> + Send + 'static {
        let counter = Arc::clone(counter);
        async move {
            tokio::task::yield_now().await;
            counter.fetch_add(1, Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn all_who_ask_meanwhile_get_one_result() {
        let flights = Flights::default();
        let counter = Arc::default();
        let waiting: Vec<_> = (0..200)
            .map(|_| flights.join(1, counted(&counter)))
            .collect();
        let results = futures_util::future::join_all(waiting).await;
        assert!(results.iter().all(|result| *result == 0));
        assert_eq!(flights.join(1, counted(&counter)).await, 1, "later: anew");
        assert!(lock(&flights.0).way.is_empty());
    }

    #[tokio::test]
    async fn those_who_stay_get_it_when_the_first_leaves() {
        let flights = Flights::default();
        let counter = Arc::default();
        let first = flights.join(1, counted(&counter));
        let second = flights.join(1, counted(&counter));
        drop(first);
        assert_eq!(second.await, 0);
    }

    #[tokio::test]
    async fn when_all_leave_the_work_is_dropped() {
        let flights = Flights::default();
        let kept = Arc::new(());
        let held = Arc::clone(&kept);
        drop(flights.join(1, async move { Arc::strong_count(&held) }));
        assert_eq!(Arc::strong_count(&kept), 1);
        assert!(lock(&flights.0).way.is_empty());
    }
}
