//! Where underlying images are stored.

pub mod config;
mod file;
mod filesystem;

pub use file::FileInput;
pub use filesystem::{Filesystem, Listing, Stamp};

use std::time::SystemTime;

/// An image file that was found, and what tells this state of it from any other.
#[derive(Clone, Debug)]
pub struct Object {
    /// The path below the root, with slashes.
    pub location: String,
    /// Changes whenever the bytes do: from size and time of modification. The same on every server.
    pub version: String,
    /// Within the years that HTTP dates can tell, 1970 to 9999.
    pub modified: SystemTime,
    /// Changes whenever the file does, or another one takes its place. Known to this server only.
    pub stamp: Stamp,
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
    #[error("there is no folder \"{0}\"")]
    NoFolder(String),
    #[error("the file \"{0}\" was replaced while it was opened")]
    Replaced(String),
    #[error("the file cannot be opened")]
    Unavailable(#[from] std::io::Error),
}
