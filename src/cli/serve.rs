//! `azulejo serve`

use std::io;
use std::time::Duration;

use clap::Args;
use tokio::runtime::{Builder, Runtime};

use super::Outcome;
use super::settings::Settings;
use crate::config::Config;
use crate::pipeline::FETCHERS;
use crate::{http, telemetry};

/// For each thread of work one image is made and four headers are read at a time.
const BLOCKING_THREADS: usize = 5;
/// For what else blocks: 20 for the cache on disk, should it hang.
const SPARE_THREADS: usize = 36;
/// For work that nobody waits for any more when the server stops; what is left then ends with the process.
const LAST_WORK: Duration = Duration::from_secs(1);

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
        let runtime = runtime(&loaded.config)?;
        let end = runtime.block_on(http::serve(&loaded.config));
        runtime.shutdown_timeout(LAST_WORK);
        Ok(end?)
    }
}

/// With so many threads for blocking work that no admitted work waits for one.
fn runtime(config: &Config) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(
            BLOCKING_THREADS * config.work.thread_count() + FETCHERS + SPARE_THREADS,
        )
        .build()
}
