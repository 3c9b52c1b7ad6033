//! All that deciding needs, for the life of the process.

use std::io;

use super::config::{AccessConfig, Standing};
use super::rules::Rules;
use crate::overlay::Overlays;

pub struct Gate {
    pub rules: Rules,
}

impl Gate {
    /// `None` where everybody sees everything.
    ///
    /// # Errors
    /// If an overlay is named that is none.
    pub fn new(config: &AccessConfig, overlays: &Overlays) -> io::Result<Option<Self>> {
        let is_needed = !config.rules.is_empty() || config.default == Standing::Closed;
        let open = || {
            Ok(Self {
                rules: Rules::new(config, overlays)?,
            })
        };
        is_needed.then(open).transpose()
    }
}
