//! Parts of a window that are decoded side by side.

use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

use crate::decode::DecodeError;

/// Does the work for each item, on up to so many threads; each takes the next item when it is done with one.
///
/// # Errors
/// One of those that the work fails with.
pub fn each<T, F>(items: Vec<T>, threads: usize, work: F) -> Result<(), DecodeError>
where
    T: Send,
    F: Fn(T) -> Result<(), DecodeError> + Sync,
{
    let helpers = threads.min(items.len()).saturating_sub(1);
    let queue = Mutex::new(items.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(item) = next() {
            work(item)?;
        }
        Ok(())
    };
    scope(|scope| {
        // Where the system has no thread to give, the others do its share.
        let spawn = |_| Builder::new().spawn_scoped(scope, run).ok();
        let helpers: Vec<_> = (0..helpers).filter_map(spawn).collect();
        let done = run();
        let others = helpers.into_iter().map(|helper| {
            let joined = helper.join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        others.fold(done, Result::and)
    })
}
