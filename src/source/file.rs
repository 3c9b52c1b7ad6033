//! A local file as the bytes of an image.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::input::ReadAt;

/// An open file of known size.
pub struct FileInput {
    file: File,
    size: u64,
}

impl FileInput {
    /// `size` is what the file's metadata say.
    pub fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }
}

impl ReadAt for FileInput {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
