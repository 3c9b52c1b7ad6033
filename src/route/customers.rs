//! The assets of customers as those who know where images are.

use std::io;

use super::authority::{Authority, Located};
use super::config::{COMPOSITES, RouteConfig};
use crate::config::Config;
use crate::ingest::config::CompositesConfig;
use crate::ingest::{AssetKey, Delivery, Store};
use crate::source::SourceError;
use crate::source::remote::runtime;

/// What locations begin with here that are origins of customers: no other source is asked for these, with credentials of its own.
pub const ORIGIN: &str = "composites+";

pub struct OfCustomers {
    pub store: Store,
    pub config: CompositesConfig,
}

/// A rule for each name and number of a customer, so that other identifiers are not looked for among theirs.
pub fn rules(config: &Config) -> impl Iterator<Item = RouteConfig> {
    let customers = config.composites.customers.iter();
    let names = customers.flat_map(|(name, customer)| [name.clone(), customer.id.to_string()]);
    names.map(|name| {
        let pattern = format!("{name}/{{space}}/{{id}}");
        RouteConfig {
            identifier: pattern.parse().expect("a pattern"),
            ..RouteConfig::to(COMPOSITES)
        }
    })
}

/// The name of each customer, and the number that stands for it as well.
pub fn names(config: &Config) -> Vec<(String, String)> {
    let customers = config.composites.customers.iter();
    let both = customers.map(|(name, customer)| (name.clone(), customer.id.to_string()));
    both.collect()
}

impl OfCustomers {
    /// `None` if no asset can have this name.
    fn key(&self, identifier: &str) -> Option<AssetKey> {
        let mut parts = identifier.splitn(3, '/');
        let customer = self.config.customer(parts.next()?)?;
        let space = one_spelling(parts.next()?)?;
        let id = parts.next()?.to_owned();
        let is_text = !id.is_empty() && !id.contains('\0');
        is_text.then_some(AssetKey {
            customer,
            space: space.into(),
            id,
        })
    }
}

/// A number that is written as numbers are: with other spellings, an image would have names that no rule knows.
fn one_spelling(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Authority for OfCustomers {
    fn ask(&self, key: &str) -> Result<Located, SourceError> {
        let absent = || SourceError::NotFound(key.to_owned());
        let asset = self.key(key).ok_or_else(absent)?;
        let asked = runtime::handle()?.block_on(self.store.deliver(&asset));
        match asked.map_err(io::Error::other)? {
            Delivery::At { location, page } => Ok(located(&location, page)),
            Delivery::Gone => Err(SourceError::Gone(key.to_owned())),
            Delivery::NotReady => Err(SourceError::NotReady(key.to_owned())),
            Delivery::Unknown => Err(absent()),
        }
    }

    /// The store's copies live for seconds only.
    fn forget(&self, _: Option<&str>) {}

    fn ask_at_once(&self, key: &str) -> Option<Located> {
        match self.store.deliver_at_once(&self.key(key)?)? {
            Delivery::At { location, page } => Some(located(&location, page)),
            Delivery::Gone | Delivery::NotReady | Delivery::Unknown => None,
        }
    }
}

fn located(location: &str, page: crate::page::Page) -> Located {
    let is_origin = location.starts_with("http");
    Located {
        location: match is_origin {
            true => format!("{ORIGIN}{location}"),
            false => location.to_owned(),
        },
        page: Some(page),
    }
}
