//! A local file as the bytes of an image.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use crate::input::ReadAt;
use crate::resident;

/// An open file of known size.
pub struct FileInput {
    file: File,
    size: u64,
}

impl FileInput {
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }

    /// `size` is what the file's metadata say.
    pub fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }
}

impl ReadAt for FileInput {
    fn size(&self) -> u64 {
        self.size
    }

    /// What may be behind the size does not belong to it.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_exact_at(buffer, offset)
    }
}

/// A file of a directory of images, to which others may write while it is open.
pub struct ImageFile {
    bytes: FileInput,
    modified: SystemTime,
    device: u64,
}

impl ImageFile {
    /// The others are what the metadata of the file say.
    pub fn new(file: File, size: u64, modified: SystemTime, device: u64) -> Self {
        let bytes = FileInput::new(file, size);
        Self {
            bytes,
            modified,
            device,
        }
    }
}

impl ReadAt for ImageFile {
    fn size(&self) -> u64 {
        self.bytes.size
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.bytes.read_exact_at(buffer, offset)
    }

    fn read_at_once(&self, buffer: &mut [u8], offset: u64) -> bool {
        resident::read_at(&self.bytes.file, self.device, buffer, offset)
    }

    /// A file that another takes the place of is as it was: only its name has changed.
    fn is_unchanged(&self) -> bool {
        let found = self.bytes.file.metadata();
        found.is_ok_and(|found| {
            let modified = found.modified();
            found.len() == self.bytes.size && modified.is_ok_and(|it| it == self.modified)
        })
    }
}
