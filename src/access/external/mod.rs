//! A service that decides who sees what: each question that it does not answer as it should is answered with no.

mod answer;
pub mod config;
mod question;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::question::ExternalQuestion;

use self::answer::AnswerError;
use self::config::ExternalConfig;
use self::question::Key;
use super::Refusal;
use crate::breaker::Breaker;
use crate::cache::flights::Flights;
use crate::causes::chain;
use crate::client::{self, BodyError};
use crate::config::hex_color::HexColor;
use crate::iiif::Region;

/// Bytes of an answer.
const LONGEST: usize = 64 << 10;
/// Bytes of all answers that are remembered.
const REMEMBERED: u64 = 32 << 20;

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Allow(Shown),
    Refuse(Refusal),
    /// To an absolute http or https URL.
    Redirect(String),
    /// Nobody knows. The request fails.
    Unavailable,
}

/// What is shown of an image to somebody who may see it. By default all of it, as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Pixels of the longer side.
    pub largest: Option<NonZeroU32>,
    /// Regions of the full image, and what they are painted over with.
    pub redactions: Vec<(Region, HexColor)>,
    /// Names of overlays that are configured.
    pub overlays: Vec<String>,
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("it cannot be asked")]
    Transport(#[from] reqwest::Error),
    #[error("there was no answer in time")]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("it answered with status {0}")]
    Status(StatusCode),
    #[error("its answer cannot be read")]
    Body(#[from] BodyError),
    #[error("its answer is not understood")]
    Answer(#[from] AnswerError),
}

impl Trouble {
    /// Whether it would fail whatever it were asked; and not only for this image or client, who would otherwise keep it from all others.
    fn is_of_service(&self) -> bool {
        match self {
            Self::Transport(_) | Self::TimedOut(_) => true,
            Self::Status(status) => matches!(status.as_u16(), 429 | 502..=504),
            Self::Body(_) | Self::Answer(_) => false,
        }
    }
}

/// Asks once for all who want to know the same, remembers what it was told for a short while, and does not ask at all for a while after it has failed.
#[derive(Clone)]
pub struct External(Arc<Service>);

struct Service {
    url: Url,
    client: Client,
    patience: Duration,
    forwarded: Vec<HeaderName>,
    /// Names of those that an answer may ask for.
    overlays: BTreeSet<String>,
    places: Semaphore,
    breaker: Breaker,
    verdicts: Option<Cache<Key, Verdict>>,
    flights: Flights<Key, Verdict>,
}

impl External {
    /// `overlays` are the names of those that are configured.
    ///
    /// # Errors
    /// If there is no address, or it is none; if a header cannot be forwarded.
    pub fn new(config: &ExternalConfig, overlays: BTreeSet<String>) -> io::Result<Self> {
        let url = config.url.as_deref().unwrap_or_default();
        let forwarded = config.forward_headers.iter();
        let forwarded = forwarded.map(|name| HeaderName::try_from(name.as_str()));
        Ok(Self(Arc::new(Service {
            url: Url::parse(url).map_err(io::Error::other)?,
            client: client::new(config.timeout())?,
            patience: config.timeout(),
            forwarded: forwarded
                .collect::<Result<_, _>>()
                .map_err(io::Error::other)?,
            overlays,
            places: Semaphore::new(config.in_flight.into()),
            breaker: Breaker::new("the service of access.external", "ask"),
            verdicts: verdicts(config.lifetime()),
            flights: Flights::default(),
        })))
    }

    /// What it says.
    pub async fn decide(&self, question: &ExternalQuestion<'_>) -> Verdict {
        let key = question.key(&self.0.forwarded);
        if let Some(verdict) = self.0.remembered(&key) {
            return verdict;
        }
        let headers = question.headers(&self.0.forwarded);
        let service = Arc::clone(&self.0);
        let ask = async move { service.ask(key, headers).await };
        self.0.flights.join(key, ask).await
    }
}

fn verdicts(lifetime: Duration) -> Option<Cache<Key, Verdict>> {
    (!lifetime.is_zero()).then(|| {
        Cache::builder()
            .time_to_live(lifetime)
            .weigher(|_, verdict: &Verdict| verdict.bytes())
            .max_capacity(REMEMBERED)
            .build()
    })
}

impl Service {
    fn remembered(&self, key: &Key) -> Option<Verdict> {
        self.verdicts.as_ref()?.get(key)
    }

    async fn ask(&self, key: Key, headers: HeaderMap) -> Verdict {
        // A flight may have landed between the look at what is remembered and this.
        if let Some(verdict) = self.remembered(&key) {
            return verdict;
        }
        // That many ask says nothing of the service: the breaker is told of answers alone.
        let Ok(_place) = timeout(self.patience, self.places.acquire()).await else {
            tracing::warn!("there was no place to ask the service that decides about access");
            return Verdict::Unavailable;
        };
        if !self.breaker.lets_through() {
            return Verdict::Unavailable;
        }
        match self.fetch_in_time(headers).await {
            Ok(verdict) => {
                self.breaker.succeeded();
                if let Some(verdicts) = &self.verdicts {
                    verdicts.insert(key, verdict.clone());
                }
                verdict
            }
            Err(trouble) => {
                self.note(&trouble);
                Verdict::Unavailable
            }
        }
    }

    fn note(&self, trouble: &Trouble) {
        let error = chain(trouble);
        tracing::warn!(
            error,
            "the service that decides about access gave no decision"
        );
        if trouble.is_of_service() {
            self.breaker.failed(&error);
        } else {
            self.breaker.succeeded();
        }
    }

    async fn fetch_in_time(&self, headers: HeaderMap) -> Result<Verdict, Trouble> {
        timeout(self.patience, self.fetch(headers)).await?
    }

    async fn fetch(&self, headers: HeaderMap) -> Result<Verdict, Trouble> {
        let request = self.client.get(self.url.clone()).headers(headers);
        let response = request.send().await?;
        let status = response.status();
        if let Some(refusal) = answer::refusal(status.as_u16()) {
            return Ok(Verdict::Refuse(refusal));
        }
        match status.as_u16() {
            200..=299 => {
                let is_json = is_json(&response);
                let body = client::body(response, LONGEST).await?;
                Ok(answer::of_body(&body, is_json, &self.overlays)?)
            }
            301 | 302 | 303 | 307 | 308 => {
                let location = response.headers().get(LOCATION);
                let location = location.and_then(|value| value.to_str().ok());
                Ok(answer::elsewhere(location.unwrap_or_default())?)
            }
            _ => Err(Trouble::Status(status)),
        }
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

impl Verdict {
    /// In memory, about, with its key and what the cache adds.
    fn bytes(&self) -> u32 {
        const EACH: usize = 256;
        let more = match self {
            Self::Allow(shown) => {
                let names = shown.overlays.iter().map(|name| name.len() + 24);
                let redactions = size_of_val(shown.redactions.as_slice());
                names.sum::<usize>() + redactions
            }
            Self::Redirect(url) => url.len(),
            Self::Refuse(_) | Self::Unavailable => 0,
        };
        u32::try_from(EACH + more).unwrap_or(u32::MAX)
    }
}
