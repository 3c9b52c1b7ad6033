//! What rules lead to: sources, or those who know where an image is, by their names in the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::{io, iter};

use super::authority::{Authority, Located};
use super::config::{COMPOSITES, FILES, REGISTRY};
use super::customers::{ORIGIN, OfCustomers};
use super::lasting::Lasting;
use super::registered::Registered;
use super::resolver::Resolver;
use super::search::Search;
use crate::config::Config;
use crate::ingest::steps::SCHEME;
use crate::ingest::{Store, mount};
use crate::registry::Registry;
use crate::source::config::{SourceConfig, SourcesConfig};
use crate::source::remote::{self, Shared, runtime};
use crate::source::{Filesystem, Listing, Object, Scoped, Source, SourceError};

/// What a name stands for.
#[derive(Clone)]
pub enum Target {
    /// Sources that are asked one after the other: indices into [`Targets::sources`].
    Sources(Vec<usize>),
    /// Whatever source has the location that it says.
    Authority(Arc<dyn Authority>),
}

/// Who is asked over a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// The number of a source among those that are far away.
    Source(usize),
    /// Somebody who knows where an image is, and then a source.
    Unknown,
}

/// All sources in use. Each is opened once, however many rules lead to it.
#[derive(Default)]
pub struct Targets {
    sources: Vec<Arc<dyn Source>>,
    by_name: BTreeMap<String, Target>,
    /// The directories of `[source]`, if they are used.
    files: Vec<Arc<Filesystem>>,
    registry: Option<Registry>,
    composites: Option<Store>,
    /// Of composites, if it is used.
    folder: Option<PathBuf>,
    /// What remote sources have together.
    shared: Option<Arc<Shared>>,
}

impl Targets {
    pub fn new(registry: Option<Registry>, composites: Option<Store>) -> Self {
        Self {
            registry,
            composites,
            ..Self::default()
        }
    }

    /// The target of this name, which [`super::problems`] has found to exist.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn named(&mut self, name: &str, config: &Config) -> io::Result<Target> {
        if let Some(target) = self.by_name.get(name) {
            return Ok(target.clone());
        }
        let target = self.open(name, config)?;
        self.by_name.insert(name.to_owned(), target.clone());
        Ok(target)
    }

    fn open(&mut self, name: &str, config: &Config) -> io::Result<Target> {
        if name == REGISTRY {
            let registry = self.registry.clone().ok_or_else(|| unknown(name))?;
            self.open_all(config)?;
            return Ok(Target::Authority(Arc::new(Registered(registry))));
        }
        if name == COMPOSITES {
            return self.open_composites(config);
        }
        if name == FILES {
            let first = Filesystem::new(&config.source)?;
            let others = Filesystem::all(&config.source)?.into_iter().skip(1);
            self.files = iter::once(first).chain(others).map(Arc::new).collect();
            let files = self.files.clone();
            return Ok(self.add(files));
        }
        if let Some(files) = config.sources.files.get(name) {
            let roots = Filesystem::all(files)?;
            return Ok(self.add(roots.into_iter().map(Arc::new)));
        }
        if let Some(server) = config.sources.http.get(name) {
            let shared = self.shared(config);
            let opened =
                remote::http::open(server, &shared).map_err(|error| of_source(name, &error))?;
            return Ok(self.add([Arc::new(opened)]));
        }
        if let Some(store) = config.sources.objects.get(name) {
            let shared = self.shared(config);
            let opened = remote::objects::open(store, &shared);
            let opened = opened.map_err(|error| of_source(name, &error))?;
            return Ok(self.add([Arc::new(opened)]));
        }
        if let Some(resolver) = config.resolvers.get(name) {
            let resolver = Resolver::new(name, resolver)?;
            self.open_all(config)?;
            return Ok(Target::Authority(Arc::new(resolver)));
        }
        Err(unknown(name))
    }

    /// The assets of customers, with sources that nobody else reaches: their folder and their origins.
    fn open_composites(&mut self, config: &Config) -> io::Result<Target> {
        let composites = &config.composites;
        let folder = composites.folder.clone();
        let (Some(store), Some(root)) = (self.composites.clone(), folder) else {
            return Err(unknown(COMPOSITES));
        };
        self.folder = Some(root.clone());
        let folder = SourceConfig {
            root,
            ..SourceConfig::default()
        };
        let folders = Filesystem::all(&folder)?.into_iter();
        self.add(
            folders.map(|files| Arc::new(Scoped::new(Arc::new(Lasting(files)), SCHEME, "file:"))),
        );
        let shared = self.shared(config);
        let origins = remote::http::open(&composites.origins.source(), &shared);
        let origins = origins.map_err(|error| of_source(COMPOSITES, &error))?;
        self.add([Arc::new(Scoped::new(Arc::new(origins), ORIGIN, ""))]);
        Ok(Target::Authority(Arc::new(OfCustomers {
            store,
            config: composites.clone(),
        })))
    }

    /// Of those who know locations, nobody knows which sources they will name.
    fn open_all(&mut self, config: &Config) -> io::Result<()> {
        for name in source_names(config) {
            self.named(name, config)?;
        }
        Ok(())
    }

    fn shared(&mut self, config: &Config) -> Arc<Shared> {
        let shared = || Shared::new(&config.sources.remote);
        Arc::clone(self.shared.get_or_insert_with(shared))
    }

    fn add(&mut self, sources: impl IntoIterator<Item = Arc<impl Source + 'static>>) -> Target {
        let first = self.sources.len();
        let sources = sources.into_iter().map(|source| source as Arc<dyn Source>);
        self.sources.extend(sources);
        Target::Sources((first..self.sources.len()).collect())
    }

    pub fn source(&self, object: &Object) -> &dyn Source {
        &*self.sources[object.source]
    }

    pub fn find(&self, target: &Target, key: &str) -> Result<Object, SourceError> {
        match target {
            Target::Sources(indices) => {
                let keys = indices.iter().map(|&index| (index, key.to_owned()));
                self.first(keys, key)
            }
            Target::Authority(authority) => self.find_located(&authority.ask(key)?),
        }
    }

    fn find_located(&self, located: &Located) -> Result<Object, SourceError> {
        let mut keys = self.keys_of(&located.location).peekable();
        if keys.peek().is_none() {
            let unclaimed = "no source is configured for the place where it is";
            return Err(io::Error::other(unclaimed).into());
        }
        let object = self.first(keys, &located.location)?;
        Ok(Object {
            page: located.page.unwrap_or_default(),
            is_one_page: located.page.is_some(),
            ..object
        })
    }

    /// Every source that a location can be one of, with the key there.
    fn keys_of<'a>(&'a self, location: &'a str) -> impl Iterator<Item = (usize, String)> {
        let sources = self.sources.iter().enumerate();
        sources.filter_map(move |(index, source)| Some((index, source.key_of(location)?)))
    }

    /// Of the sources in their order.
    fn first(
        &self,
        keys: impl Iterator<Item = (usize, String)>,
        wanted: &str,
    ) -> Result<Object, SourceError> {
        let mut search = Search::default();
        for (source, key) in keys {
            let found = self.sources[source].find(&key);
            if let Some(end) = search.end_with(found) {
                return Ok(Object { source, ..end? });
            }
        }
        Err(search.in_vain(wanted))
    }

    /// Not if it is known to be elsewhere by now.
    pub fn may_be(&self, target: &Target, key: &str, object: &Object) -> bool {
        let Target::Authority(authority) = target else {
            return true;
        };
        let Some(located) = authority.ask_at_once(key) else {
            return true;
        };
        let mut keys = self.keys_of(&located.location);
        keys.any(|(source, key)| source == object.source && key == object.key)
    }

    pub fn forget(&self, target: &Target, key: &str) {
        match target {
            Target::Sources(indices) => {
                for &index in indices {
                    self.sources[index].forget(Some(key));
                }
            }
            Target::Authority(authority) => {
                if let Some(located) = authority.ask_at_once(key) {
                    for (index, key) in self.keys_of(&located.location) {
                        self.sources[index].forget(Some(&key));
                    }
                }
                authority.forget(Some(key));
            }
        }
    }

    pub fn forget_all(&self) {
        for source in &self.sources {
            source.forget(None);
        }
        for target in self.by_name.values() {
            if let Target::Authority(authority) = target {
                authority.forget(None);
            }
        }
    }

    /// Only the first source can tell at once that it has the image.
    pub fn find_at_once(&self, target: &Target, key: &str) -> Option<Object> {
        let (source, key, page) = match target {
            Target::Sources(indices) => (*indices.first()?, key.to_owned(), None),
            Target::Authority(authority) => {
                let located = authority.ask_at_once(key)?;
                let (source, key) = self.keys_of(&located.location).next()?;
                (source, key, located.page)
            }
        };
        let object = self.sources[source].find_at_once(&key)?;
        Some(Object {
            source,
            page: page.unwrap_or_default(),
            is_one_page: page.is_some(),
            ..object
        })
    }

    /// The name of a source, if it has one.
    pub fn source_name(&self, source: usize) -> Option<&str> {
        let has_it = |target: &Target| match target {
            Target::Sources(indices) => indices.contains(&source),
            Target::Authority(_) => false,
        };
        let found = self.by_name.iter().find(|(_, target)| has_it(target));
        found.map(|(name, _)| name.as_str())
    }

    /// Who has to be asked over a network, first of all, as far as it is known.
    pub fn far(&self, target: &Target, key: &str) -> Option<Far> {
        match target {
            Target::Sources(indices) => indices.iter().find_map(|&index| self.far_source(index)),
            Target::Authority(authority) => {
                let located = authority.ask_at_once(key);
                let source = located.and_then(|located| {
                    let mut keys = self.keys_of(&located.location);
                    keys.find_map(|(index, _)| self.far_source(index))
                });
                Some(source.unwrap_or(Far::Unknown))
            }
        }
    }

    pub fn far_source(&self, index: usize) -> Option<Far> {
        let is_remote = |source: &&Arc<dyn Source>| source.is_remote();
        let before = || self.sources[..index].iter().filter(is_remote).count();
        self.sources[index]
            .is_remote()
            .then(|| Far::Source(before()))
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
        if let Some(folder) = &self.folder {
            mount::check(folder)?;
        }
        if let Some(registry) = &self.registry {
            let checked = runtime::handle()?.block_on(registry.check());
            checked.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// The names of the sources in use, in the order in which they are asked for a location. `[source]` is in use if a rule names it, or anything
/// is set in it.
fn source_names(config: &Config) -> impl Iterator<Item = &str> {
    let routes = &config.routes;
    let is_named = routes.iter().any(|route| route.source == FILES);
    let is_used = routes.is_empty() || is_named || config.source != SourceConfig::default();
    let files = is_used.then_some(FILES);
    files.into_iter().chain(named_sources(&config.sources))
}

/// The names of all sources that have one.
pub fn named_sources(sources: &SourcesConfig) -> impl Iterator<Item = &str> {
    let remote = sources.http.keys().chain(sources.objects.keys());
    sources.files.keys().chain(remote).map(String::as_str)
}

fn unknown(name: &str) -> io::Error {
    io::Error::other(format!("there is no source \"{name}\""))
}

fn of_source(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("source \"{name}\": {error}"))
}
