//! For tests: what is logged on this thread.

use std::fs::{self, File};
use std::sync::{Arc, LazyLock};

use tempfile::NamedTempFile;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

/// While there is one subscriber alone, a line of the program that another thread reaches first is asked of that thread, which has none,
/// and is never logged again.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

pub struct Log {
    file: NamedTempFile,
    _guard: DefaultGuard,
}

impl Log {
    pub fn start() -> Self {
        LazyLock::force(&ANOTHER);
        let file = NamedTempFile::new().unwrap();
        let writer = File::create(file.path()).unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Arc::new(writer));
        let guard = tracing::subscriber::set_default(subscriber.finish());
        Self {
            file,
            _guard: guard,
        }
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.file.path()).unwrap()
    }
}
