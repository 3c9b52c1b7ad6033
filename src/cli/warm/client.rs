//! Asking over HTTP, within bounds.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Response, StatusCode, Url, header};

use super::pace::Pace;
use crate::cli::with_causes;
use crate::tls;

/// For a whole answer; the server's own limit for making one is shorter.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const MOST_REDIRECTS: usize = 5;
/// A busy server is asked so often before its refusal counts.
const MOST_TRIES: u32 = 5;
/// However long a server wants to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub struct Client {
    /// For the server that is warmed: what it answers itself.
    server: reqwest::Client,
    /// For documents, which may have moved to another host.
    anywhere: reqwest::Client,
    pace: Pace,
}

/// What is known of an answer that nobody needs.
pub struct Answered {
    pub bytes: u64,
    pub was_cached: bool,
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
    #[error("{0} levels are left out: they have too many tiles")]
    TooManyTiles(usize),
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

fn builder(redirects: Policy) -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("azulejo/", env!("CARGO_PKG_VERSION")))
        .timeout(PATIENCE)
        .connect_timeout(CONNECT_PATIENCE)
        .redirect(redirects)
}

/// Where the system has no certificates, as in a bare container, a server without TLS can be asked all the same.
fn client(redirects: fn() -> Policy) -> reqwest::Result<reqwest::Client> {
    let client = builder(redirects()).build();
    client.or_else(|_| builder(redirects()).tls_certs_only([]).build())
}

fn to_anywhere() -> Policy {
    Policy::limited(MOST_REDIRECTS)
}

fn to_the_same_server() -> Policy {
    Policy::custom(|attempt| {
        let first = attempt.previous().first().map(Url::origin);
        if first != Some(attempt.url().origin()) {
            attempt.error("it leads to another server")
        } else {
            to_anywhere().redirect(attempt)
        }
    })
}

impl Client {
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(rate: Option<NonZeroU32>) -> Result<Self, Box<dyn Error>> {
        tls::choose();
        Ok(Self {
            server: client(to_the_same_server)?,
            anywhere: client(to_anywhere)?,
            pace: Pace::new(rate),
        })
    }

    /// The whole answer of the server that is warmed.
    ///
    /// # Errors
    /// If there is none with status 200, it has more bytes than `limit`, or another server has it.
    pub async fn read(&self, url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        read(self.ask(&self.server, url).await?, limit).await
    }

    /// The whole answer of any server.
    ///
    /// # Errors
    /// If there is none with status 200, or it has more bytes than `limit`.
    pub async fn read_anywhere(&self, url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        read(self.ask(&self.anywhere, url).await?, limit).await
    }

    /// Takes an answer of the server that is warmed.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn discard(&self, url: &str, limit: usize) -> Result<Answered, Failure> {
        let mut response = self.ask(&self.server, url).await?;
        let was_cached = is_hit(&response);
        let mut length = 0;
        while let Some(part) = response.chunk().await? {
            length += part.len();
            if length > limit {
                return Err(Failure::TooLarge(limit));
            }
        }
        Ok(Answered {
            bytes: length as u64,
            was_cached,
        })
    }

    async fn ask(&self, http: &reqwest::Client, url: &str) -> Result<Response, Failure> {
        let mut tries = 1;
        loop {
            self.pace.turn().await;
            let response = http.get(url).send().await?;
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

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > limit {
            return Err(Failure::TooLarge(limit));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Whether any cache on the way had it, by `Cache-Status` (RFC 9211, section 2.1).
fn is_hit(response: &Response) -> bool {
    let lines = response.headers().get_all("cache-status").iter();
    let mut words = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split([';', ',']));
    words.any(|word| word.trim() == "hit")
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    )
}

fn wanted_pause(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    retry_after(value.trim(), SystemTime::now())
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds or a date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_wants_to_be_left_alone_for_a_time_or_until_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:30 GMT").unwrap();
        let seconds = |value| retry_after(value, now).map(|time| time.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), Some(29));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:00 GMT"), Some(0));
        for wrong in ["", "-1", "soon", "1.5"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1000];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[0; 1000]).await.is_ok() {}
        });
        let client = Client::new(None).unwrap();
        let answer = client.discard(&url, 100_000).await;
        assert!(matches!(answer, Err(Failure::TooLarge(100_000))));
    }

    #[test]
    fn a_failure_is_told_on_one_line() {
        let error = Failure::Io(std::io::Error::other("the disk is gone"));
        assert_eq!(error.told(), "it cannot be read: the disk is gone");
    }
}
