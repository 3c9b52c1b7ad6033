//! What every endpoint is given.

use std::io;
use std::sync::Arc;

use super::config::ServerConfig;
use crate::config::Config;
use crate::pipeline::Pipeline;

/// The server's state: shared, and never changed after the start.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    server: ServerConfig,
    pipeline: Pipeline,
}

impl App {
    /// # Errors
    /// If the images' directory cannot be opened.
    pub fn new(config: &Config) -> io::Result<Self> {
        Ok(Self(Arc::new(Parts {
            server: config.server.clone(),
            pipeline: Pipeline::new(config)?,
        })))
    }

    /// To be called once, before the first request, by the process that serves.
    pub(super) fn start(&self) {
        self.0.pipeline.start();
    }

    pub(super) fn server(&self) -> &ServerConfig {
        &self.0.server
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }
}
