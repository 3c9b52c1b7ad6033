//! Processor cores: so that work that runs alone may use those that are idle.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The cores that nothing runs on, as far as one pool knows.
#[derive(Clone)]
pub struct Cores(Arc<Semaphore>);

/// A core in use, until it is dropped.
pub struct Core {
    _permit: OwnedSemaphorePermit,
}

/// Cores beside the one that the work runs on, until they are dropped.
pub struct Helpers(Option<OwnedSemaphorePermit>);

impl Helpers {
    /// How many threads the work may run on: with its own at least one.
    pub fn threads(&self) -> usize {
        1 + self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

impl Cores {
    /// No more than pieces of work that run at once.
    pub fn new(most: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(cores.min(most))))
    }

    /// For a piece of work, which runs in any case: when all are taken it shares one.
    pub fn occupy(&self) -> Option<Core> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok();
        permit.map(|_permit| Core { _permit })
    }

    /// All that are idle now. Nobody waits for them: work that comes later shares them.
    pub fn idle(&self) -> Helpers {
        let idle = u32::try_from(self.0.available_permits()).unwrap_or(u32::MAX);
        Helpers(Arc::clone(&self.0).try_acquire_many_owned(idle).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_cores_help_and_are_given_back() {
        let cores = Cores(Arc::new(Semaphore::new(3)));
        let first = cores.occupy();
        let helpers = cores.idle();
        assert_eq!(helpers.threads(), 3);
        assert!(cores.occupy().is_none(), "it shares");
        assert_eq!(cores.idle().threads(), 1);
        drop(helpers);
        assert_eq!(cores.idle().threads(), 3);
        let second = cores.occupy();
        assert_eq!(cores.idle().threads(), 2);
        drop((first, second));
        assert_eq!(cores.0.available_permits(), 3);
    }

    #[test]
    fn one_thread_has_no_helpers() {
        let cores = Cores::new(1);
        let _own = cores.occupy();
        assert_eq!(cores.idle().threads(), 1);
    }
}
