//! Files that are known to exist.

use std::io;

use crate::input::Input;
use crate::source::{Filesystem, Object, Source, SourceError};

/// A directory whose files somebody else keeps account of: one that is absent is out of reach, and not unknown.
pub struct Lasting(pub Filesystem);

impl Source for Lasting {
    fn find(&self, key: &str) -> Result<Object, SourceError> {
        self.0.find(key).map_err(out_of_reach)
    }

    fn find_at_once(&self, key: &str) -> Option<Object> {
        self.0.find_at_once(key)
    }

    fn open(&self, object: &Object) -> Result<Input, SourceError> {
        self.0.open(object).map_err(out_of_reach)
    }

    fn is_remote(&self) -> bool {
        self.0.is_remote()
    }

    fn key_of(&self, location: &str) -> Option<String> {
        self.0.key_of(location)
    }
}

fn out_of_reach(error: SourceError) -> SourceError {
    match error {
        SourceError::NotFound(_) => {
            io::Error::other("a document is not in composites.folder: is it mounted?").into()
        }
        other => other,
    }
}
