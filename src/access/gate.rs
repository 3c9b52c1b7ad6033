//! All that deciding needs, for the life of the process.

use super::config::{AccessConfig, Standing};
use super::rules::Rules;

pub struct Gate {
    pub rules: Rules,
}

impl Gate {
    /// `None` where everybody sees everything.
    pub fn new(config: &AccessConfig) -> Option<Self> {
        let is_needed = !config.rules.is_empty() || config.default == Standing::Closed;
        is_needed.then(|| Self {
            rules: Rules::new(config),
        })
    }
}
