//! What ends a search through keys, sources or rules.

use crate::source::{Object, SourceError};

/// Goes on only where there is no such image: after a source that cannot be asked, what is found could be another one.
#[derive(Default)]
pub struct Search {
    /// The first place where it was looked for.
    absent: Option<String>,
}

impl Search {
    /// The end of the search. `None` if it goes on.
    pub fn end_with(
        &mut self,
        found: Result<Object, SourceError>,
    ) -> Option<Result<Object, SourceError>> {
        match found {
            Err(SourceError::NotFound(location)) => {
                self.absent.get_or_insert(location);
                None
            }
            end => Some(end),
        }
    }

    /// Nothing ended it. If nothing was looked for either, `wanted` is what is absent.
    pub fn in_vain(self, wanted: &str) -> SourceError {
        SourceError::NotFound(self.absent.unwrap_or_else(|| wanted.to_owned()))
    }
}
