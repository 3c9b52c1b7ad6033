//! What every endpoint is given.

use std::io;
use std::sync::Arc;

use super::access;
use super::admin::config::AdminConfig;
use super::clients::limits::Limits;
use super::clients::unread::Unread;
use super::config::ServerConfig;
use super::connections::Places;
use super::manifest::config::PresentationConfig;
use super::metrics::{self, requests::Requests};
use crate::access::Gate;
use crate::access::config::AccessConfig;
use crate::access::services::Services;
use crate::config::Config;
use crate::iiif::compatibility::CompatibilityConfig;
use crate::ingest::config::CompositesConfig;
use crate::ingest::steps::{Steps, pace};
use crate::ingest::{Store, mount};
use crate::pipeline::Pipeline;
use crate::queue::Runner;
use crate::registry::Registry;
use crate::registry::config::RegistryConfig;

/// The server's state: shared, and never changed after the start.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    server: ServerConfig,
    compatibility: CompatibilityConfig,
    gate: Option<Gate>,
    access: AccessConfig,
    services: Option<Services>,
    admin: AdminConfig,
    presentation: PresentationConfig,
    requests: Requests,
    limits: Limits,
    unread: Unread,
    places: Places,
    pipeline: Pipeline,
    registry_config: RegistryConfig,
    registry: Option<Registry>,
    composites_config: CompositesConfig,
    composites: Option<Store>,
}

impl App {
    /// # Errors
    /// If the images' directory, or the registry, cannot be opened; or if the folder of composites is not the one that there was.
    pub async fn open(config: &Config) -> io::Result<Self> {
        let registry = Registry::open(&config.registry).await;
        let registry = registry.map_err(io::Error::other)?;
        if let (Some(folder), Some(registry)) = (&config.composites.folder, &registry) {
            mount::prepare(folder, &Store::new(registry.clone())).await?;
        }
        Self::with(config, registry)
    }

    /// To look at it: with the registry as it is.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if there is no registry where one is configured.
    pub async fn open_unchanged(config: &Config) -> io::Result<Self> {
        let registry = Registry::open_unchanged(&config.registry).await;
        Self::with(config, registry.map_err(io::Error::other)?)
    }

    /// Without a registry.
    ///
    /// # Errors
    /// If the images' directory cannot be opened.
    pub fn new(config: &Config) -> io::Result<Self> {
        Self::with(config, None)
    }

    fn with(config: &Config, registry: Option<Registry>) -> io::Result<Self> {
        metrics::start();
        let composites = config.composites.folder.as_ref().and(registry.as_ref());
        let composites = composites.cloned().map(Store::new);
        Ok(Self(Arc::new(Parts {
            server: config.server.clone(),
            compatibility: config.compatibility.clone(),
            gate: Gate::new(config)?,
            access: config.access.clone(),
            services: Services::new(&config.access, registry.as_ref())?,
            admin: config.admin.clone(),
            presentation: config.presentation.clone(),
            requests: Requests::default(),
            limits: Limits::new(&config.clients),
            unread: Unread::new(config.work.memory_budget()),
            places: Places::default(),
            pipeline: Pipeline::new(config, registry.as_ref(), composites.as_ref())?,
            registry_config: config.registry.clone(),
            registry,
            composites_config: config.composites.clone(),
            composites,
        })))
    }

    /// To be called once, before the first request, by the process that serves.
    pub(super) fn start(&self) {
        if self.services().is_some() {
            access::warn_of_address(self.server());
        }
        self.0.pipeline.start();
    }

    /// Begins to work on what is in the queue, if there is one. To be called once, by the process that serves.
    ///
    /// # Errors
    /// If the folder of composites cannot be written to, or the registry does not answer.
    pub(super) async fn work(&self, config: &Config) -> io::Result<Option<Runner>> {
        let Some(store) = self.0.composites.clone() else {
            return Ok(None);
        };
        let steps = Steps::open(config, store, self.0.pipeline.makers().clone())?;
        match steps {
            Some(steps) => steps.start(pace(&config.composites)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits until everything that is to be kept in the cache is written.
    pub async fn settle(&self) {
        self.0.pipeline.settle().await;
    }

    pub(super) fn server(&self) -> &ServerConfig {
        &self.0.server
    }

    /// What is accepted beyond the specification.
    pub(super) fn compatibility(&self) -> &CompatibilityConfig {
        &self.0.compatibility
    }

    /// Who decides who may see what. `None` where everybody sees everything.
    pub(super) fn gate(&self) -> Option<&Gate> {
        self.0.gate.as_ref()
    }

    pub(super) fn access(&self) -> &AccessConfig {
        &self.0.access
    }

    /// How visitors show who they are. `None` where there is no way.
    pub(super) fn services(&self) -> Option<&Services> {
        self.0.services.as_ref()
    }

    pub(super) fn admin(&self) -> &AdminConfig {
        &self.0.admin
    }

    pub(super) fn presentation(&self) -> &PresentationConfig {
        &self.0.presentation
    }

    /// Counted since the start.
    pub(super) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// What each client may ask for.
    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// For the answers that clients have not read yet.
    pub(super) fn unread(&self) -> &Unread {
        &self.0.unread
    }

    /// For the connections of clients.
    pub(super) fn places(&self) -> &Places {
        &self.0.places
    }

    pub(super) fn registry_config(&self) -> &RegistryConfig {
        &self.0.registry_config
    }

    pub(super) fn registry(&self) -> Option<&Registry> {
        self.0.registry.as_ref()
    }

    pub(super) fn composites_config(&self) -> &CompositesConfig {
        &self.0.composites_config
    }

    /// If there is a place for them.
    pub(super) fn composites(&self) -> Option<&Store> {
        self.0.composites.as_ref()
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }
}
