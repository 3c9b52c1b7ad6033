//! `azulejo explain`

use clap::Args;
use tokio::runtime::Builder;

use super::settings::Settings;
use super::{Outcome, print};
use crate::config::Config;
use crate::http::{self, App};

/// Show how a request would be answered, step by step, as JSON
#[derive(Args)]
pub struct Explain {
    /// The request: a URL of the server or its path
    url: String,

    #[command(flatten)]
    settings: Settings,
}

impl Explain {
    pub fn run(&self) -> Outcome {
        let loaded = Config::load_for_serving(&self.settings.layers_with_images()?)?;
        // For as long as the registry is asked.
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let app = runtime.block_on(App::open_unchanged(&loaded.config))?;
        let explained = http::explain(&app, &self.url)?;
        print(&format!("{:#}\n", explained.steps))?;
        explained.ended.map_or(Ok(()), |error| Err(error.into()))
    }
}
