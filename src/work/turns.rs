//! Work that may take very long, about one of many things: it leaves places for work about others, and for all other work.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Clones share the bounds.
pub struct Turns<K> {
    /// About one thing at once.
    each: usize,
    /// About all of them.
    all: Arc<Semaphore>,
    waited_for: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

impl<K> Clone for Turns<K> {
    fn clone(&self) -> Self {
        Self {
            each: self.each,
            all: Arc::clone(&self.all),
            waited_for: Arc::clone(&self.waited_for),
        }
    }
}

/// Leave to work, until it is dropped: by the work itself, which goes on when nobody waits for it any more.
pub struct Turn {
    _each: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl<K: Eq + Hash> Turns<K> {
    pub fn new(each: usize, all: usize) -> Self {
        Self {
            each: each.max(1),
            all: Arc::new(Semaphore::new(all.max(1))),
            waited_for: Arc::default(),
        }
    }

    /// Waits, on no thread, for those who asked before. Who waits for the same thing takes no place of others.
    ///
    /// # Errors
    /// None in fact: there always will be a turn.
    pub async fn wait(&self, thing: K) -> Result<Turn, Error> {
        let each = self.of(thing).acquire_owned().await;
        let all = Arc::clone(&self.all).acquire_owned().await;
        Ok(Turn {
            _each: each.map_err(Error::internal)?,
            _all: all.map_err(Error::internal)?,
        })
    }

    fn of(&self, thing: K) -> Arc<Semaphore> {
        let mut waited_for = self
            .waited_for
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = waited_for.get(&thing).and_then(Weak::upgrade) {
            return found;
        }
        waited_for.retain(|_, it| it.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.each));
        waited_for.insert(thing, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn now<K: Eq + Hash>(turns: &Turns<K>, thing: K) -> Option<Turn> {
        turns.wait(thing).now_or_never()?.ok()
    }

    #[tokio::test]
    async fn one_thing_leaves_places_for_others() {
        let turns = Turns::new(2, 3);
        let first = now(&turns, "a").unwrap();
        let _second = now(&turns, "a").unwrap();
        assert!(now(&turns, "a").is_none(), "all of its own");
        let other = now(&turns, "b").unwrap();
        assert!(now(&turns, "c").is_none(), "all of all");
        drop(other);
        assert!(now(&turns, "c").is_some());
        drop(first);
        assert!(now(&turns, "a").is_some());
    }

    #[tokio::test]
    async fn things_are_forgotten() {
        let turns = Turns::new(1, 1);
        for thing in 0..50 {
            drop(now(&turns, thing).unwrap());
        }
        assert_eq!(turns.waited_for.lock().unwrap().len(), 1);
    }
}
