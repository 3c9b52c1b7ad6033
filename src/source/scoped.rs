//! Sources that only some locations lead to.

use std::sync::Arc;

use super::{Object, Source, SourceError};
use crate::input::Input;

/// A source for locations of which nobody else knows: others who name locations do not reach it.
pub struct Scoped {
    source: Arc<dyn Source>,
    /// What its locations begin with.
    scope: &'static str,
    /// What stands there in the locations that the source itself knows.
    stands_for: &'static str,
}

impl Scoped {
    pub fn new(source: Arc<dyn Source>, scope: &'static str, stands_for: &'static str) -> Self {
        Self {
            source,
            scope,
            stands_for,
        }
    }
}

impl Source for Scoped {
    fn find(&self, key: &str) -> Result<Object, SourceError> {
        self.source.find(key)
    }

    fn find_at_once(&self, key: &str) -> Option<Object> {
        self.source.find_at_once(key)
    }

    fn open(&self, object: &Object) -> Result<Input, SourceError> {
        self.source.open(object)
    }

    fn forget(&self, key: Option<&str>) {
        self.source.forget(key);
    }

    fn is_remote(&self) -> bool {
        self.source.is_remote()
    }

    fn key_of(&self, location: &str) -> Option<String> {
        let rest = location.strip_prefix(self.scope)?;
        self.source.key_of(&format!("{}{rest}", self.stands_for))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::source::Filesystem;
    use crate::source::config::SourceConfig;

    #[test]
    fn only_locations_of_its_scope_lead_to_it() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let config = SourceConfig {
            root: folder.path().to_owned(),
            ..SourceConfig::default()
        };
        let files = Arc::new(Filesystem::new(&config).unwrap());
        let scoped = Scoped::new(files, "composites:", "file:");
        let key = scoped.key_of("composites:a").unwrap();
        assert!(scoped.find(&key).is_ok());
        assert_eq!(scoped.key_of("file:a"), None);
    }
}
