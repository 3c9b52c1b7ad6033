//! Where underlying images are stored.

pub mod config;
#[cfg(test)]
mod contract;
mod file;
mod filesystem;
#[cfg(test)]
mod memory;
pub mod remote;
mod scoped;

pub use file::{FileInput, ImageFile};
pub use filesystem::{FileStamp, Filesystem, Listing};
pub use remote::is_replaced;
pub use scoped::Scoped;

use std::time::{Duration, SystemTime};

use crate::input::Input;
use crate::page::Page;

/// The last second that has an HTTP date, 9999-12-31T23:59:59Z (RFC 9110, section 5.6.7: years have four digits).
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// A place where underlying images are stored, each under a key.
///
/// What it is asked for may wait, for a disk or a network: not on the threads that serve connections.
pub trait Source: Send + Sync {
    /// The image under a key. It is not opened.
    ///
    /// # Errors
    /// [`SourceError::NotFound`] only if the place has said that there is none.
    fn find(&self, key: &str) -> Result<Object, SourceError>;

    /// The same, if it can be told without waiting.
    fn find_at_once(&self, key: &str) -> Option<Object>;

    /// The bytes of an image that was found.
    ///
    /// # Errors
    /// [`SourceError::Replaced`] if it is another one by now.
    fn open(&self, object: &Object) -> Result<Input, SourceError>;

    /// What it found under a key, or under all, is asked for again.
    fn forget(&self, key: Option<&str>) {
        let _ = key;
    }

    /// Whether it is asked over a network.
    fn is_remote(&self) -> bool;

    /// The key under which this source has what a location names: a URL as the registry keeps it, such as
    /// `https://host/path`, `s3://bucket/key` or `file:path`. `None` if it is not one of this source.
    fn key_of(&self, location: &str) -> Option<String>;
}

/// An image file that was found, and what tells this state of it from any other.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which of the routes' sources has it; they set it.
    pub source: usize,
    /// Which of the routes led to it; they set it.
    pub route: usize,
    /// What its source opens it by.
    pub key: String,
    /// What tells it from every image of every source: a path below the root, or a URL without credentials.
    pub location: String,
    /// Changes whenever the bytes do: from size and time of modification, or as its source says. The same on every server.
    pub version: String,
    /// Within the years that HTTP dates can tell, 1970 to 9999.
    pub modified: SystemTime,
    /// Changes whenever the file does, or another one takes its place. Known to this server only.
    pub stamp: Stamp,
    /// Which of the images in the file is meant; it is opened like any other.
    pub page: Page,
    /// Whether the identifier stands for this page, and not for the file with all of them; the routes set it.
    pub is_one_page: bool,
}

impl Object {
    /// Whether its bytes come over a network.
    pub fn is_remote(&self) -> bool {
        matches!(self.stamp, Stamp::Version(_))
    }
}

/// What tells a state of an image from any other state and any other image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stamp {
    File(FileStamp),
    /// The digest of a version that a remote source gave.
    Version(u128),
}

/// Why an identifier leads to no readable file, or a path to no readable folder.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is no image \"{0}\"")]
    NotFound(String),
    #[error("\"{identifier}\" may mean any of: {}", .candidates.join(", "))]
    Ambiguous {
        identifier: String,
        candidates: Vec<String>,
    },
    #[error("the image \"{0}\" was withdrawn")]
    Gone(String),
    /// It is known, but there are no pixels of it.
    #[error("the image \"{0}\" is not ready: it has not been ingested, or could not be")]
    NotReady(String),
    #[error("there is no folder \"{0}\"")]
    NoFolder(String),
    #[error("the file \"{0}\" was replaced while it was opened")]
    Replaced(String),
    #[error("the file cannot be opened")]
    Unavailable(#[from] std::io::Error),
}
