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
    /// Who it is, where that is known.
    pub subject: Option<String>,
    pub roles: BTreeSet<String>,
    pub ends: Time,
}

impl Session {
    pub fn is_over(&self, now: Time) -> bool {
        self.ends <= now
    }

    /// Of all services together.
    pub fn roles(&self, now: Time) -> BTreeSet<String> {
        let current = self.grants.values().filter(|grant| grant.ends > now);
        current.flat_map(|grant| grant.roles.clone()).collect()
    }
}
