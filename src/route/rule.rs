//! One rule: which identifiers it is for, and what it makes of them.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::config::{Coding, RouteConfig};
use super::targets::Target;
use crate::causes::chain;
use crate::config::Config;
use crate::iiif::SizeLimits;
use crate::source::{Object, SourceError};

pub struct Rule {
    config: RouteConfig,
    pub target: Target,
    pub terms: Arc<Terms>,
}

/// What holds for the images that a rule leads to.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub limits: SizeLimits,
    /// Instead of the server's.
    pub cache_control: Option<String>,
    /// Instead of the server's.
    pub public_url: Option<String>,
}

/// What came of a rule, for [`Rule::told`].
pub enum Step<'a> {
    NoMatch(&'a str),
    Asked(&'a str, &'a Result<Object, SourceError>),
}

impl Rule {
    pub fn new(config: RouteConfig, target: Target, all: &Config) -> Self {
        let general = SizeLimits::from(&all.image);
        let limits = SizeLimits {
            max_width: config.max_width.or(general.max_width),
            // One that was given for all would not go with another width.
            max_height: match config.max_width {
                Some(_) => config.max_height,
                None => config.max_height.or(general.max_height),
            },
            max_area: config.max_area.or(general.max_area),
            ..general
        };
        let terms = Terms {
            limits,
            cache_control: config.cache_control.clone(),
            public_url: config.public_url.clone(),
        };
        Self {
            config,
            target,
            terms: Arc::new(terms),
        }
    }

    /// What an identifier says, if it is coded and this rule understands it.
    pub fn decoded(&self, identifier: &str) -> Option<String> {
        match self.config.coding {
            Coding::Plain => None,
            coding => coding.decode(identifier).map(Cow::into_owned),
        }
    }

    /// The name of what it leads to.
    pub fn source(&self) -> &str {
        &self.config.source
    }

    /// The keys of an identifier, in the order in which they are tried.
    ///
    /// # Errors
    /// Why the rule is not for it.
    pub fn keys(&self, identifier: &str) -> Result<Vec<String>, String> {
        let RouteConfig {
            identifier: pattern,
            coding,
            keys,
            ..
        } = &self.config;
        let decoded = coding.decode(identifier);
        let decoded = decoded.ok_or("it is not coded in Base64")?;
        let parts = pattern.matches(&decoded).map_err(|why| why.to_string())?;
        Ok(keys.iter().map(|key| key.fill(&decoded, &parts)).collect())
    }

    /// For people.
    pub fn told(&self, step: &Step<'_>) -> Value {
        let mut told = json!({
            "identifier": self.config.identifier.to_string(),
            "source": self.config.source,
        });
        match step {
            Step::NoMatch(why) => {
                told["matches"] = json!(false);
                told["why"] = json!(why);
            }
            Step::Asked(key, found) => {
                told["matches"] = json!(true);
                told["key"] = json!(key);
                told["outcome"] = match found {
                    Ok(_) => json!("found"),
                    Err(error) => json!(chain(error)),
                };
            }
        }
        told
    }
}
