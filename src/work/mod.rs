//! The CPU pool: how many pieces of work run at once, how many wait, and what happens when one breaks.
//!
//! Decoding never runs on the threads that serve connections.

pub mod config;
mod memory;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use crate::error::Error;

/// Runs blocking work with bounds, which clones share.
#[derive(Clone)]
pub struct Work {
    /// Work that runs.
    running: Arc<Semaphore>,
    /// Work that runs or waits to.
    admitted: Arc<Semaphore>,
    /// Memory, in mebibytes.
    memory: Arc<Semaphore>,
    budget: u64,
}

const MEBIBYTE: u64 = 1 << 20;

/// A result and the memory that it still occupies; given back when it is dropped.
pub struct Held<T> {
    pub value: T,
    memory: OwnedSemaphorePermit,
}

impl<T> Held<T> {
    /// The value, and what keeps its place in the budget: of what the work needed, only the bytes of its result.
    pub fn into_parts(mut self, bytes: u64) -> (T, Reserved) {
        let kept = mebibytes(bytes) as usize;
        let surplus = self.memory.num_permits().saturating_sub(kept);
        drop(self.memory.split(surplus));
        (self.value, Reserved(self.memory))
    }
}

/// A part of the memory budget, until it is dropped.
pub struct Reserved(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// At least one for anything; more than there can ever be becomes the largest number.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX)
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
        let memory = (mebibytes(budget) as usize).min(Semaphore::MAX_PERMITS);
        Self {
            running: Arc::new(Semaphore::new(threads)),
            admitted: Arc::new(Semaphore::new(threads + queue)),
            memory: Arc::new(Semaphore::new(memory)),
            budget,
        }
    }

    /// Runs a piece of work that needs this many bytes on a blocking thread. When the future is dropped, work that has
    /// begun ends at its next look at [`Cancelled`].
    ///
    /// # Errors
    /// [`Error::BadRequest`] if it needs more than there is for all, [`Error::Busy`] if too many are waiting,
    /// [`Error::Internal`] if it panics (K08), else its own.
    pub async fn run<T, F>(&self, bytes: u64, work: F) -> Result<Held<T>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        self.check(bytes)?;
        let [admission, memory, running] = self.admit(bytes).await?;
        let cancelled = Cancelled::default();
        let _guard = CancelOnDrop(cancelled.clone());
        let task = spawn_blocking(move || {
            // Held until the work has really ended, even if nobody waits for it any more.
            let _permits = (admission, running);
            cancelled.check()?;
            let value = work(&cancelled)?;
            Ok(Held { value, memory })
        });
        task.await.unwrap_or_else(|error| Err(panicked(error)))
    }

    /// Memory for work that runs elsewhere, if so much is free now: what waits in the queue goes first.
    pub fn try_reserve(&self, bytes: u64) -> Option<Reserved> {
        let memory = Arc::clone(&self.memory);
        let reserved = memory.try_acquire_many_owned(mebibytes(bytes)).ok()?;
        Some(Reserved(reserved))
    }

    /// Bytes for everything together.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    fn check(&self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.budget {
            return Ok(());
        }
        let (needed, budget) = (mebibytes(bytes), self.budget / MEBIBYTE);
        Err(Error::BadRequest(format!(
            "this would need {needed} MiB of memory, and the server has {budget} MiB for all requests: ask for less"
        )))
    }

    /// In this order for everyone, so that nobody holds what another one waits for in a circle.
    async fn admit(&self, bytes: u64) -> Result<[OwnedSemaphorePermit; 3], Error> {
        let admission = Arc::clone(&self.admitted);
        let admission = admission.try_acquire_owned().map_err(|_| Error::Busy)?;
        let memory = Arc::clone(&self.memory);
        let memory = memory.acquire_many_owned(mebibytes(bytes)).await;
        let running = Arc::clone(&self.running);
        let running = running.acquire_owned().await.map_err(Error::internal)?;
        Ok([admission, memory.map_err(Error::internal)?, running])
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
            .run(0, |_| -> Result<(), Error> { panic!("a defect") })
            .await;
        assert!(
            matches!(broken, Err(Error::Internal(cause)) if cause.to_string().contains("a defect"))
        );
        assert!(matches!(
            work.run(0, |_| Ok(1)).await,
            Ok(Held { value: 1, .. })
        ));
    }

    #[tokio::test]
    async fn p12_what_finds_no_place_in_the_queue_is_refused() {
        let work = Work::new(1, 0, MEBIBYTE);
        let (release, wait) = channel::<()>();
        let blocked = work.run(0, move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let refused = async {
            let refused = work.run(0, |_| Ok(())).await;
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
        let abandoned = work.run(0, move |cancel| {
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
        assert!(matches!(work.run(0, |_| Ok(())).await, Err(Error::Busy)));
        drop(release);
        assert_eq!(was_cancelled.recv(), Ok(true));
    }

    #[tokio::test]
    async fn k04_memory_is_refused_waited_for_and_given_back() {
        let work = Work::new(2, 2, 4 * MEBIBYTE);
        let refused = work.run(5 * MEBIBYTE, |_| Ok(())).await;
        assert!(matches!(refused, Err(Error::BadRequest(text)) if text.contains("5 MiB")));
        let held = work.run(3 * MEBIBYTE, |_| Ok(())).await.ok().unwrap();
        // What the result occupies stays taken until it has been sent.
        let ((), kept) = held.into_parts(MEBIBYTE + 1);
        assert_eq!(work.memory.available_permits(), 2);
        let waiting = work.run(3 * MEBIBYTE, |_| Ok(()));
        let release = async { drop(kept) };
        let (waited, ()) = tokio::join!(waiting, release);
        assert!(waited.is_ok());
        drop(waited);
        assert_eq!(work.memory.available_permits(), 4);
        let elsewhere = work.try_reserve(3 * MEBIBYTE);
        assert!(elsewhere.is_some() && work.try_reserve(2 * MEBIBYTE).is_none());
        drop(elsewhere);
        assert!(work.try_reserve(4 * MEBIBYTE).is_some());
    }
}
