//! `azulejo check`

use clap::Args;

use super::settings::Settings;
use super::{Outcome, print};
use crate::config::Config;

/// Check the configuration and report every problem
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    settings: Settings,
}

impl Check {
    pub fn run(&self) -> Outcome {
        Config::load_for_serving(&self.settings.layers()?)?;
        print("The configuration is good.\n")
    }
}
