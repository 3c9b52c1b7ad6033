//! What rules lead to: sources, by their names in the configuration.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::config::FILES;
use crate::config::Config;
use crate::source::{Filesystem, Listing, Object, Source, SourceError};

/// The sources that a name stands for, which are asked one after the other: indices into [`Targets::sources`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Sources(Vec<usize>),
}

/// All sources in use. Each is opened once, however many rules lead to it.
#[derive(Default)]
pub struct Targets {
    sources: Vec<Arc<dyn Source>>,
    by_name: BTreeMap<String, Target>,
    /// The directories of `[source]`, if they are used.
    files: Vec<Arc<Filesystem>>,
}

impl Targets {
    /// The target of this name, which [`super::problems`] has found to exist.
    pub fn named(&mut self, name: &str, config: &Config) -> io::Result<Target> {
        if let Some(target) = self.by_name.get(name) {
            return Ok(target.clone());
        }
        let target = Target::Sources(self.open(name, config)?);
        self.by_name.insert(name.to_owned(), target.clone());
        Ok(target)
    }

    fn open(&mut self, name: &str, config: &Config) -> io::Result<Vec<usize>> {
        if name == FILES {
            let roots = Filesystem::all(&config.source, "")?;
            self.files = roots.into_iter().map(Arc::new).collect();
            let files = self.files.clone();
            return Ok(files.into_iter().map(|root| self.add(root)).collect());
        }
        if let Some(files) = config.sources.files.get(name) {
            let roots = Filesystem::all(files, name)?;
            return Ok(roots
                .into_iter()
                .map(|root| self.add(Arc::new(root)))
                .collect());
        }
        Err(io::Error::other(format!("there is no source \"{name}\"")))
    }

    fn add(&mut self, source: Arc<dyn Source>) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    pub fn source(&self, object: &Object) -> &dyn Source {
        &*self.sources[object.source]
    }

    pub fn find(&self, target: &Target, key: &str) -> Result<Object, SourceError> {
        let Target::Sources(indices) = target;
        let mut absent = None;
        for &source in indices {
            match self.sources[source].find(key) {
                Ok(object) => return Ok(Object { source, ..object }),
                Err(SourceError::NotFound(location)) => {
                    absent.get_or_insert(location);
                }
                Err(error) => return Err(error),
            }
        }
        Err(SourceError::NotFound(
            absent.unwrap_or_else(|| key.to_owned()),
        ))
    }

    /// Only the first source can tell at once that it has the image.
    pub fn find_at_once(&self, target: &Target, key: &str) -> Option<Object> {
        let Target::Sources(indices) = target;
        let source = *indices.first()?;
        let object = self.sources[source].find_at_once(key)?;
        Some(Object { source, ..object })
    }

    pub fn is_remote(&self, target: &Target) -> bool {
        let Target::Sources(indices) = target;
        indices
            .iter()
            .any(|&source| self.sources[source].is_remote())
    }

    /// Of all directories that have the folder.
    pub fn list(&self, folder: &str) -> Result<Listing, SourceError> {
        let mut listing: Option<Listing> = None;
        for root in &self.files {
            match root.list(folder) {
                Ok(found) => listing.get_or_insert_default().merge(found),
                Err(SourceError::NoFolder(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let is_top = folder.is_empty();
        match listing {
            Some(listing) => Ok(listing),
            None if is_top => Ok(Listing::default()),
            None => Err(SourceError::NoFolder(folder.to_owned())),
        }
    }

    pub fn check(&self) -> Result<(), SourceError> {
        for root in &self.files {
            root.check()?;
        }
        Ok(())
    }
}
