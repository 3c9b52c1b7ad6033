//! How visitors get roles: the access services of the IIIF Authorization Flow 2.0, and what is behind them.

mod check;
pub mod config;
mod describe;
mod grants;
pub mod message;
pub mod probe;
mod texts;

pub use check::problems;
pub use config::{Means, Profile, ServiceConfig};
pub use texts::Texts;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use super::attempts::Attempts;
use super::config::AccessConfig;
use super::oidc::Oidc;
use super::origin::Origin;
use super::session::Sessions;
use super::users::Users;
use crate::registry::Registry;

/// All services, with the sessions of those who came through one.
pub struct Services {
    services: BTreeMap<String, ServiceConfig>,
    /// Of viewers that are trusted; without any, all are.
    origins: Vec<String>,
    pub users: Users,
    pub sessions: Sessions,
    pub attempts: Attempts,
    /// The provider at which visitors log in, if there is one.
    pub oidc: Option<Oidc>,
}

impl Services {
    /// `None` where there are no services.
    ///
    /// # Errors
    /// If the provider's address is none.
    pub fn new(config: &AccessConfig, registry: Option<&Registry>) -> io::Result<Option<Self>> {
        let services = config.services.clone();
        if services.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            services,
            origins: config.origins.clone(),
            users: Users::new(&config.users),
            sessions: Sessions::new(&config.session, registry),
            attempts: Attempts::default(),
            oidc: Oidc::new(&config.oidc)?,
        }))
    }

    pub fn get(&self, name: &str) -> Option<&ServiceConfig> {
        self.services.get(name)
    }

    /// Whether a viewer there may be given tokens.
    pub fn trusts(&self, origin: &Origin) -> bool {
        let is_it = |trusted: &String| trusted == origin.as_str();
        self.origins.is_empty() || self.origins.iter().any(is_it)
    }

    /// The roles of external services, which somebody has because of where they are.
    pub fn roles_at(&self, address: IpAddr) -> BTreeSet<String> {
        let services = self.services.values();
        let open = services.filter(|it| it.profile == Profile::External && it.is_open_to(address));
        open.flat_map(|service| service.roles.clone()).collect()
    }
}

impl ServiceConfig {
    /// Whether it can be used from there.
    pub fn is_open_to(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_in = |network: &ipnet::IpNet| network.contains(&address);
        self.profile == Profile::Active || self.networks.iter().any(is_in)
    }
}
