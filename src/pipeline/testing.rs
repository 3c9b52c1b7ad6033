//! What tests of the pipeline share.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use futures_util::future::join;

use super::{Pipeline, READERS_PER_THREAD};
use crate::work::Cancelled;

/// Occupies the readers of a pipeline with one thread for work, until the sender is dropped.
pub async fn block_readers(pipeline: &Pipeline, wait: Receiver<()>) {
    assert_eq!(READERS_PER_THREAD, 2);
    let wait = Arc::new(Mutex::new(wait));
    let blocked = || {
        let wait = Arc::clone(&wait);
        pipeline.read_here(move |_: &Cancelled| {
            let _ = wait.lock().unwrap().recv();
            Ok(())
        })
    };
    let (first, second) = join(blocked(), blocked()).await;
    assert!(first.is_ok() && second.is_ok());
}
