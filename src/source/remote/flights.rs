//! Equal work under way is done once. Unlike `cache::flights` for threads, which wait, and it goes on when nobody waits any more.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{Failure, RemoteError};

type Result<T> = std::result::Result<T, RemoteError>;
type Under<K, T> = Arc<Mutex<HashMap<K, Arc<Flight<T>>>>>;

/// Work under way, by what it makes.
pub struct Flights<K, T>(Under<K, T>);

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One result, for all who wait for it.
pub struct Flight<T> {
    result: Mutex<Option<Result<T>>>,
    landed: Condvar,
}

/// The duty to end a flight. Dropping it ends it with an error.
pub struct Landing<K: Eq + Hash, T> {
    under_way: Under<K, T>,
    key: K,
    flight: Arc<Flight<T>>,
    is_landed: bool,
}

impl<K: Clone + Eq + Hash, T: Clone> Flights<K, T> {
    /// The flight that is under way, or a new one, and the duty to end it.
    pub fn board(&self, key: &K) -> (Arc<Flight<T>>, Option<Landing<K, T>>) {
        let mut under_way = lock(&self.0);
        if let Some(flight) = under_way.get(key) {
            return (Arc::clone(flight), None);
        }
        let flight = Arc::new(Flight {
            result: Mutex::new(None),
            landed: Condvar::new(),
        });
        under_way.insert(key.clone(), Arc::clone(&flight));
        let landing = Landing {
            under_way: Arc::clone(&self.0),
            key: key.clone(),
            flight: Arc::clone(&flight),
            is_landed: false,
        };
        (flight, Some(landing))
    }
}

impl<K: Eq + Hash, T> Flights<K, T> {
    /// Whoever asks for these from now on is not content with the flights that are under way.
    pub fn forget(&self, are_meant: impl Fn(&K) -> bool) {
        lock(&self.0).retain(|key, _| !are_meant(key));
    }
}

impl<K: Eq + Hash, T> Landing<K, T> {
    /// Whether nobody has forgotten it.
    pub fn is_current(&self) -> bool {
        self.is_among(&lock(&self.under_way))
    }

    fn is_among(&self, under_way: &HashMap<K, Arc<Flight<T>>>) -> bool {
        let current = under_way.get(&self.key);
        current.is_some_and(|flight| Arc::ptr_eq(flight, &self.flight))
    }

    pub fn key(&self) -> &K {
        &self.key
    }

    pub fn land(mut self, result: Result<T>) {
        self.end(result);
    }

    fn end(&mut self, result: Result<T>) {
        self.is_landed = true;
        let mut under_way = lock(&self.under_way);
        if self.is_among(&under_way) {
            under_way.remove(&self.key);
        }
        drop(under_way);
        *lock(&self.flight.result) = Some(result);
        self.flight.landed.notify_all();
    }
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        if !self.is_landed {
            self.end(Err(Failure::Abandoned.into()));
        }
    }
}

impl<T: Clone> Flight<T> {
    /// The result, once it is there.
    ///
    /// # Errors
    /// The same for all who wait; [`Failure::Late`] for who does not want to wait longer.
    pub fn wait(&self, limit: Duration) -> Result<T> {
        let result = lock(&self.result);
        let is_missing = |result: &mut Option<Result<T>>| result.is_none();
        let waited = self.landed.wait_timeout_while(result, limit, is_missing);
        let (result, _) = waited.unwrap_or_else(PoisonError::into_inner);
        result.clone().unwrap_or(Err(Failure::Late.into()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn one_lands_and_all_who_wait_have_it() {
        let flights = Flights::<u8, u32>::default();
        let (_, landing) = flights.board(&1);
        let waiting: Vec<_> = (0..8).map(|_| flights.board(&1)).collect();
        assert!(waiting.iter().all(|(_, landing)| landing.is_none()));
        thread::scope(|scope| {
            let all = waiting
                .iter()
                .map(|(flight, _)| scope.spawn(|| flight.wait(LONG)));
            let all: Vec<_> = all.collect();
            landing.unwrap().land(Ok(5));
            for one in all {
                assert_eq!(one.join().unwrap(), Ok(5));
            }
        });
        assert!(flights.board(&1).1.is_some(), "later: anew");
    }

    #[test]
    fn what_is_forgotten_is_begun_anew() {
        let flights = Flights::<u8, u32>::default();
        let [(old, first), (_, other)] = [1, 2].map(|key| flights.board(&key));
        flights.forget(|key| *key == 1);
        let (new, second) = flights.board(&1);
        let (first, second) = (first.unwrap(), second.expect("a new flight"));
        assert!(!first.is_current() && second.is_current() && other.unwrap().is_current());
        first.land(Ok(5));
        assert!(flights.board(&1).1.is_none(), "the new one goes on");
        second.land(Ok(6));
        assert_eq!([old, new].map(|it| it.wait(LONG)), [Ok(5), Ok(6)]);
    }

    #[test]
    fn work_that_is_dropped_does_not_leave_anybody_waiting() {
        let flights = Flights::<u8, u32>::default();
        let (flight, landing) = flights.board(&1);
        drop(landing);
        assert_eq!(flight.wait(LONG), Err(Failure::Abandoned.into()));
        let (flight, _landing) = flights.board(&1);
        let late = flight.wait(Duration::from_millis(1));
        assert_eq!(late, Err(Failure::Late.into()));
    }
}
