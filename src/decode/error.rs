//! What can be wrong with an underlying image.

use std::io;

use crate::page::Page;

/// Why an image could not be decoded. The texts name no path: the caller adds the identifier.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The first bytes belong to no format that Azulejo reads.
    #[error("not an image of a known format")]
    UnknownFormat,
    /// The file is well formed, but uses what Azulejo does not decode.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The file breaks the rules of its format, or ends too early.
    #[error("broken {format}: {problem}")]
    Malformed {
        format: &'static str,
        problem: String,
    },
    /// Decoding would need more than the limits allow; found from the header, before anything is allocated.
    #[error("{what} of {value} exceeds the limit of {limit}")]
    TooLarge {
        what: &'static str,
        value: u64,
        limit: u64,
    },
    /// Decoding took more time or memory than the limits allow, which shows only when it is tried. It is not to be tried again soon.
    #[error("a {format} that is too costly: {problem}")]
    TooCostly {
        format: &'static str,
        problem: String,
    },
    /// The machine has no time or memory to decode it just now: that says nothing of the file.
    #[error("this machine is too busy to decode it: {0}")]
    Busy(&'static str),
    /// The file is sound, but has no such page.
    #[error("page {page} is asked for, and the number of pages is {pages}")]
    NoPage { page: Page, pages: u32 },
    /// The bytes could not be read.
    #[error("the source could not be read")]
    Io(#[from] io::Error),
}

impl DecodeError {
    /// A broken file of this format.
    pub fn malformed(format: &'static str, problem: impl Into<String>) -> Self {
        Self::Malformed {
            format,
            problem: problem.into(),
        }
    }

    /// A feature that is not decoded.
    pub fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported(feature.into())
    }
}
