//! `azulejo serve`

use clap::Args;
use tokio::runtime::Runtime;

use super::Outcome;
use super::settings::Settings;
use crate::config::Config;
use crate::{http, telemetry};

/// Serve the images of a directory
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    pub fn run(&self) -> Outcome {
        let loaded = Config::load_for_serving(&self.settings.layers_with_images()?)?;
        telemetry::init(&loaded.config.log);
        let runtime = Runtime::new()?;
        Ok(runtime.block_on(http::serve(&loaded.config))?)
    }
}
