//! The thread that keeps the directory within its bounds.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::files::Files;

/// Between two looks at everything: entries expire, and other processes write.
const INTERVAL: Duration = Duration::from_secs(3600);
/// After a failure, which another look would likely meet too.
const PAUSE: Duration = Duration::from_secs(60);

/// Ends, after what it is doing, when this is dropped.
pub struct Sweeper(SyncSender<()>);

impl Sweeper {
    /// # Errors
    /// If there can be no more threads.
    pub fn start(files: Arc<Files>) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(1);
        thread::Builder::new()
            .name("disk cache".to_owned())
            .spawn(move || run(&files, &receiver))?;
        Ok(Self(sender))
    }

    /// Says that there is something to remove. Does not wait.
    pub fn wake(&self) {
        // Full: it will look anyhow.
        let _ = self.0.try_send(());
    }
}

fn run(files: &Files, receiver: &Receiver<()>) {
    let mut done = files.sweep();
    loop {
        if let Err(error) = done {
            tracing::warn!(%error, "the disk cache cannot be swept");
            thread::sleep(PAUSE);
        }
        done = match receiver.recv_timeout(INTERVAL) {
            Ok(()) => files.empty_trash().and_then(|()| files.make_room()),
            Err(RecvTimeoutError::Timeout) => files.sweep(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}
