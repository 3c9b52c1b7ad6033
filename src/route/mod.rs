//! From an identifier to the image that it means: rules, looked through in their order.
//!
//! A rule says what identifiers look like ([`Pattern`]), where their images are, and under which keys ([`Template`]). A rule
//! that leads to no image is no obstacle to the next one; a source that cannot be asked is: what comes after it could be
//! another image.

mod authority;
mod check;
mod coding;
pub mod config;
mod customers;
mod lasting;
mod names;
pub mod pages;
mod pattern;
mod registered;
pub mod resolver;
mod rule;
mod search;
mod targets;
mod template;

use std::io;
use std::iter;
use std::sync::Arc;

use serde_json::{Value, json};

pub use check::problems;
pub use config::FILES;
use config::{REGISTRY, RouteConfig};
pub use pages::PagePattern;
pub use pattern::{Pattern, lower_case};
pub use rule::Terms;
use rule::{Rule, Step};
use search::Search;
pub use targets::Far;
use targets::{Target, Targets};
pub use template::Template;

use crate::config::Config;
use crate::iiif::Identifier;
use crate::ingest::Store;
use crate::input::Input;
use crate::page::Page;
use crate::registry::Registry;
use crate::source::{Listing, Object, SourceError};

/// All rules, and the sources that they lead to.
pub struct Routes {
    rules: Vec<Rule>,
    targets: Targets,
    pages: Vec<PagePattern>,
    /// Names and numbers.
    customers: Vec<(String, String)>,
}

impl Routes {
    /// # Errors
    /// If a directory of images cannot be opened, or another source cannot be used.
    pub fn new(
        config: &Config,
        registry: Option<&Registry>,
        composites: Option<&Store>,
    ) -> io::Result<Self> {
        let mut targets = Targets::new(registry.cloned(), composites.cloned());
        let of_customers = composites.map(|_| customers::rules(config));
        let configured = of_customers.into_iter().flatten();
        let configured = configured.chain(rules(config, registry.is_some()));
        let rules = configured
            .map(|rule| {
                let target = targets.named(&rule.source, config)?;
                Ok(Rule::new(rule, target, config))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            rules,
            targets,
            pages: config.pages.patterns.clone(),
            customers: composites.map_or_else(Vec::new, |_| customers::names(config)),
        })
    }

    /// The image that an identifier means: its own, or else a page of the file that [`PagesConfig`](pages::PagesConfig) tells from it.
    /// It is not opened.
    ///
    /// # Errors
    /// [`SourceError::NotFound`] if every rule that matches leads nowhere; what else a source says ends the search.
    pub fn find(&self, identifier: &Identifier) -> Result<Object, SourceError> {
        self.search(identifier, &mut |_, _| ())
    }

    /// The same, if it can be told without waiting.
    pub fn find_at_once(&self, identifier: &Identifier) -> Option<Object> {
        let text = identifier.as_str();
        let matching = |rule: &Rule| rule.keys(text).ok().map(|keys| keys.into_iter().next());
        let mut rules = self.rules.iter().enumerate();
        let (index, first) = rules.find_map(|(index, rule)| Some((index, matching(rule)?)))?;
        let found = self
            .targets
            .find_at_once(&self.rules[index].target, &first?)?;
        Some(Object {
            route: index,
            ..found
        })
    }

    /// # Errors
    /// As the source that has it.
    pub fn open(&self, object: &Object) -> Result<Input, SourceError> {
        self.targets.source(object).open(object)
    }

    /// Whether an object that was found for an identifier may still be what it means, as far as is known without asking.
    pub fn may_be(&self, identifier: &Identifier, object: &Object) -> bool {
        let Some(rule) = self.rules.get(object.route) else {
            return false;
        };
        let text = identifier.as_str();
        let mut names = iter::once((text, Page::FIRST)).chain(self.pages_of(text));
        names.any(|(name, page)| {
            let keys = rule.keys(name).into_iter().flatten();
            let mut may_be = keys.map(|key| self.targets.may_be(&rule.target, &key, object));
            page == object.page && may_be.all(|it| it)
        })
    }

    /// Whether an identifier looks like that of a page. An image may be called so, too.
    pub fn may_be_page(&self, identifier: &Identifier) -> bool {
        self.pages_of(identifier.as_str()).next().is_some()
    }

    /// Whether an identifier that leads to an image is its own, and not that of a page of it.
    pub fn is_own(&self, identifier: &Identifier) -> bool {
        self.search_name(identifier.as_str(), &mut |_, _| ())
            .is_ok()
    }

    /// The identifier of a page of a file. `None` if pages have none.
    pub fn name_page(&self, file: &Identifier, page: Page) -> Option<Identifier> {
        let name = self.pages.first()?.join(file.as_str(), page);
        Identifier::new(name).ok()
    }

    /// The files that an identifier may name a page of.
    fn pages_of<'a>(&self, text: &'a str) -> impl Iterator<Item = (&'a str, Page)> {
        self.pages
            .iter()
            .filter_map(move |pattern| pattern.split(text))
    }

    /// Asks again for what was found of an image, or of all.
    pub fn forget(&self, identifier: Option<&Identifier>) {
        let Some(identifier) = identifier else {
            return self.targets.forget_all();
        };
        let text = identifier.as_str();
        let files = self.pages_of(text).map(|(name, _)| name);
        for name in iter::once(text).chain(files) {
            for rule in &self.rules {
                for key in rule.keys(name).into_iter().flatten() {
                    self.targets.forget(&rule.target, &key);
                }
            }
        }
    }

    /// Who may have to be asked over a network, first of all, to look for an image. `None` if nobody.
    pub fn far(&self, identifier: &Identifier) -> Option<Far> {
        let text = identifier.as_str();
        self.rules.iter().find_map(|rule| {
            let keys = rule.keys(text).ok()?;
            self.targets.far(&rule.target, keys.first()?)
        })
    }

    /// Who is asked for the bytes of an image. `None` if they are here.
    pub fn far_of(&self, object: &Object) -> Option<Far> {
        self.targets.far_source(object.source)
    }

    /// Whether the identifier named a file, and nobody was asked which page of which file is meant.
    pub fn names_file(&self, object: &Object) -> bool {
        matches!(self.rules[object.route].target, Target::Sources(_))
    }

    /// What holds for images that this route led to.
    pub fn terms(&self, object: &Object) -> &Arc<Terms> {
        &self.rules[object.route].terms
    }

    /// The images and folders of one folder of `[source]`, if its directories are used.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn list(&self, folder: &str) -> Result<Listing, SourceError> {
        self.targets.list(folder)
    }

    /// Whether all directories can be read, and the registry be asked.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<(), SourceError> {
        self.targets.check()
    }

    /// Which rules match an identifier, why the others do not, and what came of those that do, as JSON.
    pub fn explain(&self, identifier: &Identifier) -> Value {
        let mut told = Vec::new();
        let found = self.search(identifier, &mut |rule, step| told.push(rule.told(&step)));
        let outcome = match found {
            Ok(object) => json!({ "route": object.route, "location": object.location }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        json!({ "rules": told, "found": outcome })
    }

    fn search(
        &self,
        identifier: &Identifier,
        note: &mut dyn FnMut(&Rule, Step<'_>),
    ) -> Result<Object, SourceError> {
        let text = identifier.as_str();
        let found = self.search_name(text, note);
        let mut pages = self.pages_of(text);
        loop {
            let (name, page) = match (&found, pages.next()) {
                (Err(error), Some(page)) if may_be_absent(error) => page,
                _ => return found,
            };
            match (&found, self.search_name(name, note)) {
                (_, Ok(file)) => return page_of(file, page, text),
                (_, Err(SourceError::NotFound(_))) => {}
                (Err(SourceError::NotFound(_)), error) => return error,
                // What was refused first is what is told.
                _ => return found,
            }
        }
    }

    fn search_name(
        &self,
        text: &str,
        note: &mut dyn FnMut(&Rule, Step<'_>),
    ) -> Result<Object, SourceError> {
        let mut search = Search::default();
        for (index, rule) in self.rules.iter().enumerate() {
            let keys = match rule.keys(text) {
                Ok(keys) => keys,
                Err(why) => {
                    note(rule, Step::NoMatch(&why));
                    continue;
                }
            };
            for key in keys {
                let found = self.targets.find(&rule.target, &key);
                note(rule, Step::Asked(&key, &found));
                if let Some(end) = search.end_with(found) {
                    return Ok(Object {
                        route: index,
                        ..end?
                    });
                }
            }
        }
        Err(search.in_vain(text))
    }
}

/// There is none of this name; or whoever has it does not say so, as stores do that let nobody list what they have: then a file
/// that is there shows that this is a name of one of its pages.
fn may_be_absent(error: &SourceError) -> bool {
    match error {
        SourceError::NotFound(_) => true,
        SourceError::Unavailable(error) => error.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    }
}

/// A page of a file that was found, unless that is one page already, of which there are no others.
fn page_of(found: Object, page: Page, text: &str) -> Result<Object, SourceError> {
    match page {
        Page::FIRST => Ok(found),
        page if !found.is_one_page => Ok(Object { page, ..found }),
        _ => Err(SourceError::NotFound(text.to_owned())),
    }
}

/// Those of the configuration, or what stands in their place.
fn rules(config: &Config, has_registry: bool) -> Vec<RouteConfig> {
    if !config.routes.is_empty() {
        return config.routes.clone();
    }
    let registered = has_registry.then(|| RouteConfig::to(REGISTRY));
    registered
        .into_iter()
        .chain([RouteConfig::to(FILES)])
        .collect()
}

#[cfg(test)]
mod tests;
