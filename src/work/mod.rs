//! The CPU pool: how many pieces of work run at once, how many wait, and what happens when one breaks.
//!
//! Decoding never runs on the threads that serve connections.

pub mod config;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use crate::error::Error;

/// Runs blocking work with bounds.
pub struct Work {
    /// Work that runs.
    running: Arc<Semaphore>,
    /// Work that runs or waits to.
    admitted: Arc<Semaphore>,
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
    /// `threads` pieces of work at once, and `queue` more that wait.
    pub fn new(threads: usize, queue: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(threads)),
            admitted: Arc::new(Semaphore::new(threads + queue)),
        }
    }

    /// Runs a piece of work on a blocking thread. Dropping the future cancels it.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many are waiting, [`Error::Internal`] if it panics (K08), else its own.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        let permits = self.admit().await?;
        let cancelled = Cancelled::default();
        let _guard = CancelOnDrop(cancelled.clone());
        let task = spawn_blocking(move || {
            // Held until the work has really ended, even if nobody waits for it any more.
            let _permits = permits;
            cancelled.check()?;
            work(&cancelled)
        });
        task.await.unwrap_or_else(|error| Err(panicked(error)))
    }

    async fn admit(&self) -> Result<[OwnedSemaphorePermit; 2], Error> {
        let admission = Arc::clone(&self.admitted);
        let admission = admission.try_acquire_owned().map_err(|_| Error::Busy)?;
        let running = Arc::clone(&self.running);
        let running = running.acquire_owned().await.map_err(Error::internal)?;
        Ok([admission, running])
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
        let work = Work::new(1, 0);
        let broken = work
            .run(|_| -> Result<(), Error> { panic!("a defect") })
            .await;
        assert!(
            matches!(broken, Err(Error::Internal(cause)) if cause.to_string().contains("a defect"))
        );
        assert!(matches!(work.run(|_| Ok(1)).await, Ok(1)));
    }

    #[tokio::test]
    async fn p12_what_finds_no_place_in_the_queue_is_refused() {
        let work = Work::new(1, 0);
        let (release, wait) = channel::<()>();
        let blocked = work.run(move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let refused = async {
            let refused = work.run(|_| Ok(())).await;
            drop(release);
            refused
        };
        let (blocked, refused) = tokio::join!(blocked, refused);
        assert!(blocked.is_ok());
        assert!(matches!(refused, Err(Error::Busy)));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_cancelled_and_still_holds_its_place() {
        let work = Work::new(1, 0);
        let (started, has_started) = channel();
        let (release, wait) = channel::<()>();
        let (cancelled, was_cancelled) = channel();
        let abandoned = work.run(move |cancel| {
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
        assert!(matches!(work.run(|_| Ok(())).await, Err(Error::Busy)));
        drop(release);
        assert_eq!(was_cancelled.recv(), Ok(true));
    }
}
