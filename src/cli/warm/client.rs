//! Asking over HTTP, within bounds.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, header};

use super::pace::Pace;
use crate::cli::with_causes;

/// For a whole answer; the server's own limit for making one is shorter.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const MOST_REDIRECTS: usize = 5;
/// A busy server is asked so often before its refusal counts.
const MOST_TRIES: u32 = 5;
/// However long a server wants to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub struct Client {
    http: reqwest::Client,
    pace: Pace,
}

/// Why a URL has not been answered as it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("status {0}")]
    Status(StatusCode),
    #[error("no answer")]
    Transport(#[source] reqwest::Error),
    #[error("more than {0} bytes")]
    TooLarge(usize),
    #[error("not JSON as expected")]
    Json(#[from] serde_json::Error),
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    #[error("not followed: it is nested too deeply, or one of too many")]
    NotFollowed,
    #[error("no identifier")]
    Identifier(#[from] crate::iiif::identifier::IdentifierError),
}

impl From<reqwest::Error> for Failure {
    /// The URL is told beside it.
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

impl Client {
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(rate: Option<NonZeroU32>) -> Result<Self, Box<dyn Error>> {
        // An error says that another part of the process has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("azulejo-warm/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .redirect(Policy::limited(MOST_REDIRECTS))
            .build()?;
        Ok(Self {
            http,
            pace: Pace::new(rate),
        })
    }

    /// The whole answer.
    ///
    /// # Errors
    /// If there is none with status 200, or it has more bytes than `limit`.
    pub async fn read(&self, url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut response = self.ask(url).await?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            if body.len() + part.len() > limit {
                return Err(Failure::TooLarge(limit));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// The length of an answer that nobody needs.
    ///
    /// # Errors
    /// If there is none with status 200, or it breaks off.
    pub async fn discard(&self, url: &str) -> Result<u64, Failure> {
        let mut response = self.ask(url).await?;
        let mut length = 0;
        while let Some(part) = response.chunk().await? {
            length += part.len() as u64;
        }
        Ok(length)
    }

    async fn ask(&self, url: &str) -> Result<Response, Failure> {
        let mut tries = 1;
        loop {
            self.pace.turn().await;
            let response = self.http.get(url).send().await?;
            let status = response.status();
            if status == StatusCode::OK {
                return Ok(response);
            }
            if !is_busy(status) || tries == MOST_TRIES {
                return Err(Failure::Status(status));
            }
            let wanted = wanted_pause(&response).unwrap_or(Duration::from_secs(1 << (tries - 1)));
            self.pace.pause(wanted.min(LONGEST_PAUSE));
            tries += 1;
        }
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    )
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds or a date.
fn wanted_pause(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

impl Failure {
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status.as_u16()),
            _ => None,
        }
    }

    /// On one line.
    pub fn told(&self) -> String {
        with_causes(self).replace("\n  because", "")
    }
}
