//! What the store said a moment ago.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use super::record::Session;
use super::secret::SecretName;

const MOST: u64 = 10_000;

/// That there is no such session is remembered, too.
pub struct Known {
    sessions: Cache<SecretName, Option<Session>>,
    tokens: Cache<SecretName, Option<SecretName>>,
    /// Sessions that were removed here. What was asked for before is not remembered after.
    removals: Mutex<u64>,
}

impl Known {
    pub fn new(seconds: u32) -> Self {
        Self {
            sessions: cache(seconds),
            tokens: cache(seconds),
            removals: Mutex::default(),
        }
    }

    pub fn session(&self, name: SecretName) -> Option<Option<Session>> {
        self.sessions.get(&name)
    }

    /// Which session a token is for. It has to be looked for, too.
    pub fn token(&self, name: SecretName) -> Option<Option<SecretName>> {
        self.tokens.get(&name)
    }

    /// To be asked before the store is.
    pub fn removals(&self) -> u64 {
        *self.count()
    }

    pub fn keep(&self, name: SecretName, session: Option<&Session>, removals: u64) {
        let count = self.count();
        if *count == removals {
            self.sessions.insert(name, session.cloned());
        }
    }

    pub fn keep_token(&self, name: SecretName, session: Option<SecretName>) {
        self.tokens.insert(name, session);
    }

    /// To be called when the store has forgotten it.
    pub fn forget(&self, name: SecretName) {
        let mut count = self.count();
        *count += 1;
        self.sessions.invalidate(&name);
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.removals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without any seconds, one that keeps nothing.
fn cache<T: Clone + Send + Sync + 'static>(seconds: u32) -> Cache<SecretName, T> {
    Cache::builder()
        .max_capacity(if seconds == 0 { 0 } else { MOST })
        .time_to_live(Duration::from_secs(seconds.into()))
        .build()
}
