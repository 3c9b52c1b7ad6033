//! Threads for work that has time: one at a time, and of the lowest priority, so that no tile waits for a page that nobody looks at yet.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use tokio::sync::{Semaphore, oneshot};

/// The lowest priority (nice(2)).
const NICEST: i32 = 19;

pub struct Quiet(Arc<Semaphore>);

/// Says that nobody waits for the work any more.
#[derive(Clone, Default)]
pub struct Unwanted(Arc<AtomicBool>);

struct SetOnDrop(Unwanted);

impl Default for Quiet {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Quiet {
    /// What the work returns. If this is dropped before, the work is told; another one does not begin until it has ended.
    ///
    /// # Errors
    /// If there can be no more threads.
    ///
    /// # Panics
    /// As the work does.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Unwanted) -> T + Send + 'static,
    ) -> io::Result<T> {
        let place = Arc::clone(&self.0).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let unwanted = Unwanted::default();
        let _guard = SetOnDrop(unwanted.clone());
        let (sender, receiver) = oneshot::channel();
        thread::Builder::new()
            .name("ingest".to_owned())
            .spawn(move || {
                // On Linux this is about the calling thread only.
                let _ = rustix::process::nice(NICEST);
                let result = catch_unwind(AssertUnwindSafe(|| work(&unwanted)));
                drop(place);
                let _ = sender.send(result);
            })?;
        let result = receiver.await.map_err(io::Error::other)?;
        Ok(result.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl Unwanted {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_is_told_so_and_still_keeps_its_place() {
        let quiet = Quiet::default();
        let (told, is_told) = channel();
        let work = quiet.run(move |unwanted| {
            while !unwanted.is_set() {
                thread::sleep(Duration::from_millis(1));
            }
            told.send(()).unwrap();
        });
        let soon = tokio::time::timeout(Duration::from_millis(50), work);
        assert!(soon.await.is_err());
        assert_eq!(quiet.run(|_| 7).await.unwrap(), 7);
        assert_eq!(is_told.try_recv(), Ok(()));
    }
}
