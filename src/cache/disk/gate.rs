//! A bound on the threads that a hanging disk can hold.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task;

use crate::cache::layer::LayerError;

/// Lets so many pieces of blocking work in at a time; the others wait for as long as their caller does.
pub struct Gate(Arc<Semaphore>);

impl Gate {
    pub fn new(threads: usize) -> Self {
        Self(Arc::new(Semaphore::new(threads)))
    }

    /// Does the work on a thread for blocking work. It goes on if nobody waits for it any more, and keeps its place.
    ///
    /// # Errors
    /// That of the work; or if it panics, or the process ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, LayerError> {
        let place = Arc::clone(&self.0).acquire_owned().await;
        let done = task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(LayerError::Store(error.to_string())),
        }
    }
}
