//! For tests: what sources have together, in a directory that goes with it.

use std::sync::Arc;

use super::Shared;
use super::config::{CopiesConfig, RemoteConfig};
use crate::config::byte_size::ByteSize;

pub struct Scratch {
    pub shared: Arc<Shared>,
    pub folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        Self::with_blocks(64 << 20)
    }

    /// With so many bytes for blocks.
    pub fn with_blocks(bytes: u64) -> Self {
        Self::with(bytes, 100 << 20)
    }

    /// With so many bytes for copies.
    pub fn with_copies(bytes: u64) -> Self {
        Self::with(64 << 20, bytes)
    }

    fn with(blocks: u64, copies: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared::new(&RemoteConfig {
            blocks: Some(ByteSize(blocks)),
            copies: CopiesConfig {
                directory: Some(folder.path().join("copies")),
                size: copies,
            },
        });
        Self { shared, folder }
    }

    /// Bytes of all copies, and of those that are being made.
    pub fn bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join("copies")).unwrap();
        let bytes = |file: std::fs::DirEntry| file.metadata().map_or(0, |it| it.len());
        files.flatten().map(bytes).sum()
    }

    /// Files with this extension.
    pub fn files(&self, extension: &str) -> usize {
        let files = std::fs::read_dir(self.folder.path().join("copies")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|it| it == extension))
            .count()
    }
}
