//! All that an image is called, for those who have to know it under whatever name.

use std::iter;

use super::config::COMPOSITES;
use super::{Routes, Rule};
use crate::iiif::Identifier;
use crate::page::Page;
use crate::source::Object;

impl Routes {
    /// The names of an image that was found: its identifier as it was written and as it is meant, without a page, and with the other
    /// name of the customer.
    pub fn names(&self, identifier: &Identifier, object: &Object) -> Vec<String> {
        let files = self.files(identifier, object);
        let plain = iter::once(identifier.as_str().to_owned()).chain(files);
        let rule = &self.rules[object.route];
        plain
            .flat_map(|name| self.other_names(name, iter::once(rule)))
            .collect()
    }

    /// The names that an image may have that was not found, and the keys under which it was looked for.
    pub fn possible_names(&self, identifier: &Identifier) -> Vec<String> {
        let text = identifier.as_str();
        let files = self.pages_of(text).map(|(file, _)| file);
        let plain = iter::once(text).chain(files).map(str::to_owned);
        let names: Vec<String> = plain
            .flat_map(|name| self.other_names(name, self.rules.iter()))
            .collect();
        let keys = names.iter().flat_map(|name| {
            let keys = self.rules.iter().map(|rule| rule.keys(name));
            keys.flatten().flatten().collect::<Vec<_>>()
        });
        let keys: Vec<String> = keys.collect();
        names.into_iter().chain(keys).collect()
    }

    /// What the routes that match an identifier call the sources of their images.
    pub fn possible_sources(&self, identifier: &Identifier) -> Vec<String> {
        let text = identifier.as_str();
        let matching = self.rules.iter().filter(|rule| rule.keys(text).is_ok());
        matching.map(|rule| rule.source().to_owned()).collect()
    }

    /// What the route that led to an image calls the source of it, and the name of the source in which it lies.
    pub fn sources(&self, object: &Object) -> Vec<String> {
        let of_route = self.rules[object.route].source();
        let lies_in = self.targets.source_name(object.source);
        let names = iter::once(of_route).chain(lies_in);
        names.map(str::to_owned).collect()
    }

    /// The files that an identifier may name the page of that was found.
    pub fn files(&self, identifier: &Identifier, object: &Object) -> Vec<String> {
        let pages = self.pages_of(identifier.as_str());
        let is_it = |page: Page| page == object.page || page == Page::FIRST;
        let files = pages.filter(|(_, page)| is_it(*page));
        files.map(|(file, _)| file.to_owned()).collect()
    }

    fn other_names<'a>(&self, name: String, rules: impl Iterator<Item = &'a Rule>) -> Vec<String> {
        let mut names = Vec::new();
        for rule in rules {
            names.extend(rule.decoded(&name));
            if rule.source() == COMPOSITES {
                names.extend(self.of_customers(&name));
            }
        }
        names.insert(0, name);
        names
    }

    /// By the name of the customer, and by the number.
    pub fn of_customers(&self, name: &str) -> Vec<String> {
        let Some((customer, rest)) = name.split_once('/') else {
            return Vec::new();
        };
        let same = |(name, number): &&(String, String)| name == customer || number == customer;
        let found = self.customers.iter().filter(same);
        let both = found.flat_map(|(name, number)| [name, number]);
        both.map(|customer| format!("{customer}/{rest}")).collect()
    }
}
