//! A program of those who run the server that says where images are.

pub mod config;
#[cfg(test)]
mod tests;

use std::io;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use self::config::ResolverConfig;
use super::authority::{Authority, Located};
use crate::breaker::Breaker;
use crate::client::{self, BodyError};
use crate::page::Page;
use crate::source::SourceError;
use crate::source::remote::runtime;

/// Answers that are remembered.
const MOST: u64 = 100_000;
/// What is absent may be there soon.
const ABSENT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const LONGEST: usize = 64 << 10;

/// Remembers what it said, asks once for all who want to know the same, and not at all for a while after it has failed.
pub struct Resolver {
    url: Url,
    client: Client,
    answers: Cache<String, Answer>,
    breaker: Breaker,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    At(Located),
    Absent,
    Gone,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the resolver failed just now and is not asked for a while")]
    LeftAlone,
    #[error("the resolver cannot be asked")]
    Transport(#[from] reqwest::Error),
    #[error("the resolver answered with status {0}")]
    Status(StatusCode),
    #[error("the resolver's answer cannot be read")]
    Body(#[from] BodyError),
    #[error("the resolver's answer is not as it should be")]
    Malformed(#[from] serde_json::Error),
    #[error("there are no threads for it")]
    Threads(#[from] io::Error),
}

impl Trouble {
    /// Whether other requests may well be answered.
    fn is_of_request(&self) -> bool {
        const OF_SERVER: [StatusCode; 2] =
            [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        match self {
            Self::Status(status) => status.is_client_error() && !OF_SERVER.contains(status),
            Self::Body(BodyError::TooLong(_)) | Self::Malformed(_) => true,
            Self::Body(BodyError::Transport(_))
            | Self::LeftAlone
            | Self::Transport(_)
            | Self::Threads(_) => false,
        }
    }
}

/// The body of an answer.
#[derive(Deserialize)]
struct Body {
    location: String,
    /// Counted from one.
    page: Option<NonZeroU32>,
}

impl Resolver {
    /// `name` is for the log.
    ///
    /// # Errors
    /// If the address is none.
    pub fn new(name: &str, config: &ResolverConfig) -> io::Result<Self> {
        let timeout = Duration::from_millis(config.timeout_ms.into());
        let ttl = Lifetime(Duration::from_secs(config.ttl.into()));
        Ok(Self {
            url: Url::parse(&config.url).map_err(io::Error::other)?,
            client: client::new(timeout)?,
            answers: Cache::builder()
                .max_capacity(MOST)
                .expire_after(ttl)
                .build(),
            breaker: Breaker::new(format!("resolver {name}"), "ask"),
        })
    }

    fn request(&self, key: &str) -> Result<Answer, Trouble> {
        if !self.breaker.lets_through() {
            return Err(Trouble::LeftAlone);
        }
        let answer = runtime::handle()?.block_on(self.fetch(key));
        match &answer {
            Err(trouble) if !trouble.is_of_request() => self.breaker.failed(trouble),
            _ => self.breaker.succeeded(),
        }
        answer
    }

    async fn fetch(&self, key: &str) -> Result<Answer, Trouble> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("id", key);
        let response = self.client.get(url).send().await?;
        match response.status() {
            StatusCode::OK => {
                let body = client::body(response, LONGEST).await?;
                let Body { location, page } = serde_json::from_slice(&body)?;
                let page = page.map(Page::from);
                Ok(Answer::At(Located { location, page }))
            }
            StatusCode::NOT_FOUND => Ok(Answer::Absent),
            StatusCode::GONE => Ok(Answer::Gone),
            other => Err(Trouble::Status(other)),
        }
    }
}

impl Authority for Resolver {
    fn ask(&self, key: &str) -> Result<Located, SourceError> {
        let answer = self
            .answers
            .try_get_with(key.to_owned(), || self.request(key));
        match answer {
            Ok(Answer::At(located)) => Ok(located),
            Ok(Answer::Absent) => Err(SourceError::NotFound(key.to_owned())),
            Ok(Answer::Gone) => Err(SourceError::Gone(key.to_owned())),
            Err(trouble) => Err(SourceError::Unavailable(io::Error::other(trouble))),
        }
    }

    fn forget(&self, key: Option<&str>) {
        match key {
            Some(key) => self.answers.invalidate(key),
            None => self.answers.invalidate_all(),
        }
    }

    fn ask_at_once(&self, key: &str) -> Option<Located> {
        match self.answers.get(key)? {
            Answer::At(located) => Some(located),
            Answer::Absent | Answer::Gone => None,
        }
    }
}

/// For how long each answer is remembered.
struct Lifetime(Duration);

impl Expiry<String, Answer> for Lifetime {
    fn expire_after_create(&self, _: &String, answer: &Answer, _: Instant) -> Option<Duration> {
        match answer {
            Answer::At(_) => Some(self.0),
            Answer::Absent | Answer::Gone => Some(self.0.min(ABSENT)),
        }
    }
}
