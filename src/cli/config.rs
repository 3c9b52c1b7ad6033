//! `azulejo config`

use clap::Args;

use super::settings::Settings;
use super::{Outcome, print};
use crate::config::Config;

/// Print the configuration in effect, and where each value comes from
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    settings: Settings,
}

impl Show {
    pub fn run(&self) -> Outcome {
        let loaded = Config::load(&self.settings.layers()?)?;
        print(&loaded.to_string())
    }
}
