//! What is known of a visitor.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::secret::SecretName;

/// Milliseconds since 1970, by the clock of the server: servers that share sessions have clocks that agree to the second.
pub type Time = i64;

/// What a visitor was given, for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub name: SecretName,
    /// By the name of the service.
    pub grants: BTreeMap<String, Grant>,
    pub ends: Time,
}

/// What one service gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    #[serde(flatten)]
    pub given: Given,
    pub ends: Time,
}

/// What somebody showed to a service. The roles that follow from the configuration are looked up in it anew with each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Given {
    /// Nothing but that they were there.
    Nobody,
    /// That they are this user of the configuration.
    User { name: String },
    /// That the provider says so, with what it says.
    Person {
        subject: Option<String>,
        roles: BTreeSet<String>,
    },
}

impl Session {
    pub fn is_over(&self, now: Time) -> bool {
        self.ends <= now
    }

    /// Whether somebody said who they are.
    pub fn is_of_somebody(&self) -> bool {
        let mut given = self.grants.values().map(|grant| &grant.given);
        given.any(|given| *given != Given::Nobody)
    }

    /// With what another one has from other services.
    pub fn with(mut self, other: Self) -> Self {
        for (service, grant) in other.grants {
            self.grants.entry(service).or_insert(grant);
        }
        self
    }
}
