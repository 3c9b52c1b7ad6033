//! What can be wrong with a document, in words that travel between processes.

use serde::{Deserialize, Serialize};

use crate::decode::DecodeError;

/// Why a document is not opened or a page not rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// It is encrypted with a password, or in a way that is not known.
    Encrypted,
    Broken(String),
    TooManyPages {
        pages: u64,
        limit: u64,
    },
}

impl Fault {
    pub fn broken(problem: &str) -> Self {
        Self::Broken(problem.to_owned())
    }
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Encrypted => Self::unsupported("a PDF that asks for a password"),
            Fault::Broken(problem) => Self::malformed("PDF", problem),
            Fault::TooManyPages { pages, limit } => Self::TooLarge {
                what: "a number of pages",
                value: pages,
                limit,
            },
        }
    }
}
