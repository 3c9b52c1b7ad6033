//! For tests: what is logged on this thread.

use std::fs::{self, File};
use std::sync::Arc;

use tempfile::NamedTempFile;
use tracing::subscriber::DefaultGuard;

pub struct Log {
    file: NamedTempFile,
    _guard: DefaultGuard,
}

impl Log {
    pub fn start() -> Self {
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
