//! A local file as the bytes of an image.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::input::ReadAt;

/// An open file; its size is taken when it is opened.
pub struct FileInput {
    file: File,
    size: u64,
}

impl FileInput {
    /// # Errors
    /// If it cannot be opened or is not a regular file: reading a pipe or a device by position would fail later.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        Ok(Self {
            file,
            size: metadata.len(),
        })
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
