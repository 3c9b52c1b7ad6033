//! Who knows where the image of an identifier is: the registry, or a resolver.

use crate::page::Page;
use crate::source::SourceError;

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// A URL as [`Source::key_of`](crate::source::Source::key_of) understands it.
    pub location: String,
    /// The one image of the file that is meant, if it is one.
    pub page: Option<Page>,
}

/// Asked with an identifier, or with what a rule makes of it.
pub trait Authority: Send + Sync {
    /// May wait for a disk or a network.
    ///
    /// # Errors
    /// [`SourceError::NotFound`] and [`SourceError::Gone`] only if it has said so, [`SourceError::Unavailable`] if it could
    /// not be asked.
    fn ask(&self, key: &str) -> Result<Located, SourceError>;

    /// What it said of a key, or of all, is asked for again.
    fn forget(&self, key: Option<&str>);

    /// What it said just now.
    fn ask_at_once(&self, key: &str) -> Option<Located>;
}
