//! The threads that speak with remote servers.

use std::io;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// They only pass bytes on.
const THREADS: usize = 2;

static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("remote")
        .enable_all()
        .build()
});

/// One runtime for all connections to remote sources, so that they are shared by whoever asks: requests, and commands that have no
/// runtime.
///
/// # Errors
/// If its threads cannot be started.
pub fn handle() -> io::Result<Handle> {
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}
