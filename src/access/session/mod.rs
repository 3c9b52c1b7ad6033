//! Sessions: what is remembered of visitors who showed who they are.
//!
//! A visitor has a secret in a cookie, and a viewer has tokens of the session for the probe service; both are random, and of both only
//! digests are kept. Each login begins another session, with another secret. A store that does not answer is an error, never an answer.

pub mod config;
#[cfg(test)]
mod contract;
mod known;
mod memory;
mod record;
mod secret;
mod store;
mod table;
mod tokens;

pub use record::{Given, Grant, Session, Time};
pub use secret::{Secret, SecretName};

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use config::SessionConfig;
use known::Known;
use store::Store;

use crate::registry::{Registry, RegistryError};

/// Tokens of one session: with more, those that end first go.
const TOKENS: usize = 32;
/// A session that is over is told from one that never was, for a day.
const REMEMBERED: Time = 24 * 3600 * 1000;

pub struct Sessions {
    store: Store,
    known: Known,
    config: SessionConfig,
    /// What was last given to nobody, with its end. It says the same to all, so that all can have the same.
    of_nobody: Mutex<Option<(Secret, Time)>>,
}

/// What somebody shows who says that they have a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Current(Session),
    Over,
    Unknown,
}

/// A token for a viewer.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: Secret,
    /// For which it is good, at least one.
    pub seconds: u32,
}

impl Sessions {
    pub fn new(config: &SessionConfig, registry: Option<&Registry>) -> Self {
        Self {
            store: Store::new(registry),
            known: Known::new(config.cache_seconds),
            config: config.clone(),
            of_nobody: Mutex::default(),
        }
    }

    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Begins a session in place of the one that is shown, with what other services gave in that: by what the store says, for it may have been
    /// ended at another server just now. Returns what the visitor shows from now on.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn begin(
        &self,
        shown: Option<&str>,
        service: &str,
        given: Given,
    ) -> Result<Secret, RegistryError> {
        let replaced = shown.and_then(SecretName::of);
        let ends = self.end();
        let grants = [(service.to_owned(), Grant { given, ends })];
        let secret = self.keep(grants.into(), ends, replaced).await?;
        if let Some(replaced) = replaced {
            self.known.forget(replaced);
        }
        Ok(secret)
    }

    /// What is behind the value of a cookie.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn show(&self, cookie: &str) -> Result<Shown, RegistryError> {
        let Some(name) = SecretName::of(cookie) else {
            return Ok(Shown::Unknown);
        };
        Ok(match self.find(name).await? {
            Some(session) if session.is_over(now()) => Shown::Over,
            Some(session) => Shown::Current(session),
            None => Shown::Unknown,
        })
    }

    /// The session of a cookie, if it is not over.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn of_cookie(&self, cookie: &str) -> Result<Option<Session>, RegistryError> {
        match SecretName::of(cookie) {
            Some(name) => self.current(name).await,
            None => Ok(None),
        }
    }

    /// The session of a token, if neither is over.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn of_token(&self, token: &str) -> Result<Option<Session>, RegistryError> {
        let Some(token) = SecretName::of(token) else {
            return Ok(None);
        };
        match self.find_token(token).await? {
            Some(name) => self.current(name).await,
            None => Ok(None),
        }
    }

    /// A token of a session.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn token(&self, session: &Session) -> Result<Token, RegistryError> {
        let secret = Secret::random();
        let longest = Time::from(self.config.token_seconds) * 1000;
        let now = now();
        let ends = session.ends.min(now + longest);
        self.store
            .put_token(secret.name(), session.name, ends)
            .await?;
        Ok(Token::new(secret, ends, now))
    }

    /// A token of a session that has no cookie and no roles: it says that somebody may ask, and not who. Whoever asks for one makes nothing
    /// that would have to be kept: half of its time, the same is given to all.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn token_of_nobody(&self) -> Result<Token, RegistryError> {
        let longest = Time::from(self.config.token_seconds) * 1000;
        let last = self.of_nobody().clone();
        if let Some((secret, ends)) = last.filter(|(_, ends)| *ends > now() + longest / 2) {
            return Ok(Token::new(secret, ends, now()));
        }
        let ends = now() + longest;
        let token = self.another_of_nobody(ends).await?;
        *self.of_nobody() = Some((token.secret.clone(), ends));
        Ok(token)
    }

    fn of_nobody(&self) -> MutexGuard<'_, Option<(Secret, Time)>> {
        let last = self.of_nobody.lock();
        last.unwrap_or_else(PoisonError::into_inner)
    }

    async fn another_of_nobody(&self, ends: Time) -> Result<Token, RegistryError> {
        let secret = self.keep(BTreeMap::new(), ends, None).await?;
        let session = Session {
            name: secret.name(),
            grants: BTreeMap::new(),
            ends,
        };
        self.token(&session).await
    }

    /// Ends the session of a cookie, and with it its tokens.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn end_of(&self, cookie: &str) -> Result<(), RegistryError> {
        let Some(name) = SecretName::of(cookie) else {
            return Ok(());
        };
        self.store.remove(name).await?;
        self.known.forget(name);
        Ok(())
    }

    async fn keep(
        &self,
        grants: BTreeMap<String, Grant>,
        ends: Time,
        replaced: Option<SecretName>,
    ) -> Result<Secret, RegistryError> {
        let secret = Secret::random();
        let name = secret.name();
        let session = Session { name, grants, ends };
        self.store.put(&session, replaced, now()).await?;
        Ok(secret)
    }

    async fn current(&self, name: SecretName) -> Result<Option<Session>, RegistryError> {
        let found = self.find(name).await?;
        Ok(found.filter(|session| !session.is_over(now())))
    }

    async fn find(&self, name: SecretName) -> Result<Option<Session>, RegistryError> {
        if let Some(known) = self.known.session(name) {
            return Ok(known);
        }
        let removals = self.known.removals();
        let found = self.store.get(name).await?;
        self.known.keep(name, found.as_ref(), removals);
        Ok(found)
    }

    async fn find_token(&self, token: SecretName) -> Result<Option<SecretName>, RegistryError> {
        if let Some(known) = self.known.token(token) {
            return Ok(known);
        }
        let found = self.store.get_token(token, now()).await?;
        self.known.keep_token(token, found);
        Ok(found)
    }

    fn end(&self) -> Time {
        now() + Time::from(self.config.seconds) * 1000
    }
}

impl Token {
    fn new(secret: Secret, ends: Time, now: Time) -> Self {
        let seconds = u32::try_from((ends - now) / 1000).unwrap_or(0).max(1);
        Self { secret, seconds }
    }
}

/// The time on this machine.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| Time::try_from(since.as_millis()).unwrap_or(0))
}
