//! The CPU pool: how many pieces of work run at once, how many wait, and what happens when one breaks.
//!
//! Decoding never runs on the threads that serve connections.

pub mod config;
mod cores;
mod lane;
mod transfers;
mod turns;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinError, spawn_blocking};

use crate::error::Error;
use cores::Cores;
pub use cores::Helpers;
pub use lane::{Cost, LaneReport};
use lane::{Lane, MEBIBYTE, Place};
pub use transfers::{Transfer, Transfers};
pub use turns::{Turn, Turns};

/// Runs blocking work with bounds. Large work has a lane of its own within them, so that small work always finds a thread,
/// memory, and a place to wait. Clones share the bounds.
#[derive(Clone)]
pub struct Work {
    all: Lane,
    large: Lane,
    cores: Cores,
}

/// A part of the memory budget, until it is dropped.
pub struct Reserved {
    _large: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// Set when nobody waits for the result any more; looked at between the stages.
#[derive(Clone, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// # Errors
    /// [`Error::Timeout`] if nobody waits any more.
    pub fn check(&self) -> Result<(), Error> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::Timeout);
        }
        Ok(())
    }
}

/// Cancels when it is dropped: when the client went away, or the time is up.
struct CancelOnDrop(Cancelled);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Work {
    /// `threads` pieces of work at once, and `queue` more that wait; `budget` bytes for all of them.
    pub fn new(threads: usize, queue: usize, budget: u64) -> Self {
        const MOST_FOR_SMALL: u64 = 256 * MEBIBYTE;
        let for_large = threads - (threads / 4).max(1).min(threads - 1);
        let memory_for_large = budget - (budget / 4).min(MOST_FOR_SMALL);
        Self {
            all: Lane::new("all", threads, queue, budget),
            large: Lane::new("large", for_large, queue / 2, memory_for_large),
            cores: Cores::new(threads),
        }
    }

    /// Runs a piece of work on a blocking thread. When the future is dropped, work that waits is forgotten, and work that
    /// has begun ends at its next look at [`Cancelled`].
    ///
    /// # Errors
    /// [`Error::BadRequest`] if it needs more than there is for all, [`Error::Busy`] if too many are waiting,
    /// [`Error::Internal`] if it panics (K08), else its own.
    pub async fn run<T, F>(&self, cost: Cost, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        self.all.check(cost.bytes)?;
        let large = self.enter_large(cost).await?;
        // Who has waited in the lane for large work is not sent away any more.
        let admission = match &large {
            Some(_) => self.all.wait_for_admission().await?,
            None => self.all.admit()?,
        };
        self.run_admitted(admission, large, cost, work).await
    }

    /// Runs work that costs next to nothing and is not to be refused: it waits, however many do. Those who call this bound them.
    ///
    /// # Errors
    /// [`Error::Internal`] if it panics, else its own.
    pub async fn run_patiently<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        let admission = self.all.wait_for_admission().await?;
        self.run_admitted(admission, None, Cost::SMALL, work).await
    }

    async fn run_admitted<T, F>(
        &self,
        admission: OwnedSemaphorePermit,
        large: Option<Place>,
        cost: Cost,
        work: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        let place = self.all.enter(admission, cost.bytes).await?;
        let cancelled = Cancelled::default();
        let _guard = CancelOnDrop(cancelled.clone());
        let cores = self.cores.clone();
        let task = spawn_blocking(move || {
            let _core = cores.occupy();
            // The places are held until the work has really ended, even if nobody waits for it any more.
            let _places = (place, large);
            cancelled.check().and_then(|()| work(&cancelled))
        });
        task.await.unwrap_or_else(|error| Err(panicked(error)))
    }

    /// Memory for large work that runs elsewhere, if so much is free now: what waits in the queue goes first.
    pub fn try_reserve(&self, bytes: u64) -> Option<Reserved> {
        Some(Reserved {
            _large: self.large.try_reserve(bytes)?,
            _all: self.all.try_reserve(bytes)?,
        })
    }

    /// Memory that is used elsewhere for long: small work finds the part that large work leaves to it all the same.
    ///
    /// # Errors
    /// [`Error::BadRequest`] if there is never so much.
    pub async fn reserve(&self, bytes: u64) -> Result<Reserved, Error> {
        self.large.check(bytes)?;
        Ok(Reserved {
            _large: self.large.reserve(bytes).await?,
            _all: self.all.reserve(bytes).await?,
        })
    }

    /// All lanes; the work of the second is in the first, too.
    pub fn report(&self) -> [LaneReport; 2] {
        [self.all.report(), self.large.report()]
    }

    /// The cores on which none of this work runs now, to help a piece that runs.
    pub fn helpers(&self) -> Helpers {
        self.cores.idle()
    }

    /// Bytes for all large work together.
    pub fn budget(&self) -> u64 {
        self.large.budget
    }

    async fn enter_large(&self, cost: Cost) -> Result<Option<Place>, Error> {
        if !cost.is_large() {
            return Ok(None);
        }
        self.large.check(cost.bytes)?;
        let admission = self.large.admit()?;
        Ok(Some(self.large.enter(admission, cost.bytes).await?))
    }
}

fn panicked(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(payload) => Error::internal(format!("panic: {}", message(&*payload))),
        Err(error) => Error::internal(error),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "without a message"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[tokio::test]
    async fn k08_a_panic_is_an_error_and_the_pool_goes_on() {
        let work = Work::new(1, 0, MEBIBYTE);
        let broken = work
            .run(Cost::SMALL, |_| -> Result<(), Error> { panic!("a defect") })
            .await;
        assert!(
            matches!(broken, Err(Error::Internal(cause)) if cause.to_string().contains("a defect"))
        );
        assert!(matches!(work.run(Cost::SMALL, |_| Ok(1)).await, Ok(1)));
    }

    #[tokio::test]
    async fn p12_what_finds_no_place_in_the_queue_is_refused() {
        let work = Work::new(1, 0, MEBIBYTE);
        let (release, wait) = channel::<()>();
        let blocked = work.run(Cost::SMALL, move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let refused = async {
            let refused = work.run(Cost::SMALL, |_| Ok(())).await;
            drop(release);
            refused
        };
        let (blocked, refused) = tokio::join!(blocked, refused);
        assert!(blocked.is_ok());
        assert!(matches!(refused, Err(Error::Busy)));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_cancelled_and_still_holds_its_place() {
        let work = Work::new(1, 0, MEBIBYTE);
        let (started, has_started) = channel();
        let (release, wait) = channel::<()>();
        let (cancelled, was_cancelled) = channel();
        let abandoned = work.run(Cost::SMALL, move |cancel| {
            let _ = started.send(());
            let _ = wait.recv();
            let _ = cancelled.send(cancel.check().is_err());
            Ok(())
        });
        let started = tokio::task::spawn_blocking(move || has_started.recv());
        tokio::select! {
            _ = abandoned => unreachable!("it waits"),
            _ = started => {}
        }
        assert!(matches!(
            work.run(Cost::SMALL, |_| Ok(())).await,
            Err(Error::Busy)
        ));
        drop(release);
        assert_eq!(was_cancelled.recv(), Ok(true));
    }

    #[tokio::test]
    async fn k04_memory_is_refused_waited_for_and_given_back() {
        let work = Work::new(2, 2, 4 * MEBIBYTE);
        let of = |mebibytes| Cost {
            bytes: mebibytes * MEBIBYTE,
            pixels: 1,
        };
        let refused = work.run(of(5), |_| Ok(())).await;
        assert!(matches!(refused, Err(Error::BadRequest(text)) if text.contains("5 MiB")));
        let (release, wait) = channel::<()>();
        let first = work.run(of(3), move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let reserved = async { assert_eq!(work.report()[0].reserved, 3 * MEBIBYTE) };
        let second = work.run(of(2), |_| Ok(()));
        let release = async {
            assert_eq!(work.report()[0].waiting, 1);
            drop(release);
        };
        let (first, (), second, ()) = tokio::join!(first, reserved, second, release);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(work.all.free_memory(), 4 * MEBIBYTE);
        let elsewhere = work.try_reserve(2 * MEBIBYTE);
        assert!(elsewhere.is_some() && work.try_reserve(2 * MEBIBYTE).is_none());
        drop(elsewhere);
        assert_eq!(work.all.free_memory(), 4 * MEBIBYTE);
    }

    /// However many large ones there are, they take neither every thread nor every place in the queue.
    #[tokio::test]
    async fn large_work_leaves_room_for_small() {
        let work = Work::new(2, 4, MEBIBYTE);
        let large = Cost {
            bytes: 0,
            pixels: u64::MAX,
        };
        let (release, wait) = channel::<()>();
        let blocked = work.run(large, move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let waiting =
            async { tokio::join!(work.run(large, |_| Ok(())), work.run(large, |_| Ok(()))) };
        let meanwhile = async {
            let refused = work.run(large, |_| Ok(())).await;
            let [all, lane] = work.report();
            assert_eq!((all.running, all.waiting, all.places), (1, 0, 2));
            assert_eq!((lane.running, lane.waiting, lane.places), (1, 2, 1));
            let small = work.run(Cost::SMALL, |_| Ok(())).await;
            drop(release);
            (refused, small)
        };
        let (blocked, waited, (refused, small)) = tokio::join!(blocked, waiting, meanwhile);
        assert!(blocked.is_ok() && waited.0.is_ok() && waited.1.is_ok());
        assert!(matches!(refused, Err(Error::Busy)));
        assert!(small.is_ok());
    }
}
