//! The public keys of an issuer, which changes them from time to time.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode, Url};

use super::key::{self, Key, SetError};
use crate::cache::flights::Flights;
use crate::causes::chain;
use crate::client::{self, BodyError};

/// Bytes of an answer.
const LONGEST: usize = 256 << 10;

/// Keys that were fetched together.
pub type Keys = Arc<Vec<Key>>;

/// Why the keys are not known.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the issuer's keys cannot be asked for")]
    Transport(#[from] reqwest::Error),
    #[error("the issuer's keys were answered with status {0}")]
    Status(StatusCode),
    #[error("the issuer's keys cannot be read")]
    Body(#[from] BodyError),
    #[error("the issuer's keys are not as they should be")]
    Set(#[from] SetError),
}

/// How often they are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For how long they are believed.
    pub refresh: Duration,
    /// For how much longer, while the issuer cannot be asked.
    pub grace: Duration,
    /// Before they are asked for again because a token is signed with another.
    pub pause: Duration,
    /// Before they are asked for again because there was no answer.
    pub retry: Duration,
}

impl Pace {
    pub fn of(refresh: Duration) -> Self {
        Self {
            refresh,
            grace: Duration::from_secs(3600),
            pause: Duration::from_secs(10),
            retry: Duration::from_secs(1),
        }
    }
}

/// The keys behind an address.
#[derive(Clone)]
pub struct Jwks {
    url: Url,
    client: Client,
    pace: Pace,
    state: Arc<Mutex<State>>,
    flights: Flights<(), Result<Keys, Arc<Trouble>>>,
}

#[derive(Default)]
struct State {
    /// With the moment at which they came.
    known: Option<(Keys, Instant)>,
    /// Why they did not come the last time.
    failed: Option<(Arc<Trouble>, Instant)>,
}

impl Jwks {
    /// # Errors
    /// If the address is none.
    pub fn new(url: &str, timeout: Duration, pace: Pace) -> io::Result<Self> {
        Ok(Self {
            url: Url::parse(url).map_err(io::Error::other)?,
            client: client::new(timeout)?,
            pace,
            state: Arc::default(),
            flights: Flights::default(),
        })
    }

    /// The keys, as fresh as they have to be.
    ///
    /// # Errors
    /// If none are known, because they cannot be fetched.
    pub async fn current(&self) -> Result<Keys, Arc<Trouble>> {
        let Pace { refresh, grace, .. } = self.pace;
        let known = self.state().known();
        match known {
            Some((keys, age)) if age < refresh => Ok(keys),
            // Nobody waits for an issuer that failed a moment ago.
            Some((keys, age)) if age < refresh + grace && self.state().failed.is_some() => {
                let this = self.clone();
                tokio::spawn(async move { this.fetch_in_turn().await });
                Ok(keys)
            }
            Some((keys, age)) if age < refresh + grace => {
                Ok(self.fetch_in_turn().await.unwrap_or(keys))
            }
            _ => self.fetch_in_turn().await,
        }
    }

    /// Others than these, if there are any by now.
    ///
    /// # Errors
    /// If that cannot be told, because they cannot be fetched.
    pub async fn newer(&self, than: &Keys) -> Result<Option<Keys>, Arc<Trouble>> {
        let keys = self.fetch_in_turn().await?;
        Ok((!Arc::ptr_eq(&keys, than)).then_some(keys))
    }

    /// Fetches them, unless that was tried just now: then what came of it. All who ask meanwhile wait for one answer.
    async fn fetch_in_turn(&self) -> Result<Keys, Arc<Trouble>> {
        let this = self.clone();
        let fetch = async move {
            let just_now = this.state().just_now(this.pace);
            if let Some(result) = just_now {
                return result;
            }
            let fetched = this.fetch().await.map_err(Arc::new);
            this.state().note(&fetched);
            fetched
        };
        self.flights.join((), fetch).await
    }

    async fn fetch(&self) -> Result<Keys, Trouble> {
        let response = self.client.get(self.url.clone()).send().await?;
        if response.status() != StatusCode::OK {
            return Err(Trouble::Status(response.status()));
        }
        let body = client::body(response, LONGEST).await?;
        Ok(Arc::new(key::of_set(&body)?))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The keys and their age.
    fn known(&self) -> Option<(Keys, Duration)> {
        let (keys, at) = self.known.as_ref()?;
        Some((Arc::clone(keys), at.elapsed()))
    }

    /// What came of the last attempt, if it is too early for another.
    fn just_now(&self, pace: Pace) -> Option<Result<Keys, Arc<Trouble>>> {
        if let Some((trouble, at)) = &self.failed {
            return (at.elapsed() < pace.retry).then(|| Err(Arc::clone(trouble)));
        }
        let (keys, age) = self.known()?;
        (age < pace.pause.min(pace.refresh)).then_some(Ok(keys))
    }

    fn note(&mut self, fetched: &Result<Keys, Arc<Trouble>>) {
        let now = Instant::now();
        match fetched {
            Ok(keys) => {
                self.known = Some((Arc::clone(keys), now));
                if self.failed.take().is_some() {
                    tracing::info!("the keys of the issuer of tokens are known again");
                }
            }
            Err(trouble) => {
                let is_first = self.failed.is_none();
                self.failed = Some((Arc::clone(trouble), now));
                if is_first {
                    tracing::warn!(
                        error = chain(&**trouble),
                        "the keys of the issuer of tokens cannot be fetched"
                    );
                }
            }
        }
    }
}
