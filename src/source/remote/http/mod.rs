//! Images on web servers.

mod address;
pub mod config;
mod fetcher;
mod response;
#[cfg(test)]
mod tests;
mod urls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use futures_util::future::BoxFuture;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
    LOCATION, RANGE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

pub use self::fetcher::{Download, Fetcher};

use self::address::Private;
use self::config::HttpSourceConfig;
use self::urls::{PRIVATE, Urls, location};
use super::ask::{Answer, Ask, Condition, Remote};
use super::error::{Failure, RemoteError};
use super::{Shared, Store};
use crate::causes::{self, chain};
use crate::tls;

/// A source over HTTP.
///
/// # Errors
/// If the settings do not go together, or no client can be made.
pub fn open(config: &HttpSourceConfig, shared: &Arc<Shared>) -> io::Result<Store> {
    let http = Http::new(config)?;
    Store::new(http, config.limits(), config.fresh(), shared)
}

/// Whether the settings go together.
///
/// # Errors
/// If not.
pub fn check(config: &HttpSourceConfig) -> io::Result<()> {
    Http::new(config).map(drop)
}

/// Web servers, asked with `GET` only: a URL that is signed for it is not valid for `HEAD`.
struct Http {
    client: Client,
    urls: Urls,
    redirects: u8,
    /// For the servers that are trusted with them.
    credentials: HeaderMap,
}

impl Http {
    fn new(config: &HttpSourceConfig) -> io::Result<Self> {
        tls::choose();
        let urls = Urls::new(config)?;
        let patience = Duration::from_millis(config.timeout_ms.into());
        let builder = || builder(&urls, patience);
        // Where the system has no certificates, servers without TLS can be asked all the same.
        let client = builder().build();
        let client = client.or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self {
            client: client.map_err(io::Error::other)?,
            redirects: config.redirects,
            credentials: credentials(config)?,
            urls,
        })
    }

    /// Follows redirects by itself: where each leads is checked like the first.
    async fn get(&self, ask: &Ask) -> Result<Response, RemoteError> {
        let first = self.urls.url(&ask.key).ok_or(RemoteError::Absent)?;
        let mut url = first.clone();
        for _ in 0..=self.redirects {
            self.urls.check(&url)?;
            let mut request = self.client.get(url.clone()).headers(conditions(ask));
            if url.origin() == first.origin() && self.urls.are_trusted(&url) {
                request = request.headers(self.credentials.clone());
            }
            let response = request.send().await;
            let response = response.map_err(|error| failure(&url, error))?;
            match redirect(&url, &response)? {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        Err(RemoteError::Broken("the origin redirects too often"))
    }
}

impl Remote for Http {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, RemoteError>> {
        Box::pin(async move { response::answer(ask, self.get(ask).await?) })
    }

    fn location(&self, key: &str) -> Option<String> {
        self.urls.url(key).map(|url| location(&url))
    }

    fn key_of(&self, location: &str) -> Option<String> {
        self.urls.key(location)
    }

    fn server(&self, key: &str) -> String {
        let url = self.urls.url(key);
        url.map_or_else(String::new, |url| url.origin().ascii_serialization())
    }
}

/// Nothing of the environment has a say in where it connects to, and nothing is decompressed. The size of headers is bounded by what
/// hyper reads of one message.
fn builder(urls: &Urls, patience: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("azulejo/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .dns_resolver(Arc::new(urls.addresses().clone()))
}

fn credentials(config: &HttpSourceConfig) -> io::Result<HeaderMap> {
    let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text);
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let name = HeaderName::try_from(name.as_str());
        let name = name.map_err(|_| wrong("`headers`: a name is not valid"))?;
        headers.insert(name, secret(value.reveal())?);
    }
    if let Some(user) = &config.user {
        let password = config.password.as_ref().map_or("", |it| it.reveal());
        let encoded =
            base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        headers.insert(AUTHORIZATION, secret(&format!("Basic {encoded}"))?);
    }
    Ok(headers)
}

/// A value that is not shown where a request is printed.
fn secret(text: &str) -> io::Result<HeaderValue> {
    let value = HeaderValue::try_from(text);
    let mut value = value.map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "`headers`: a value is not valid",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The range and the condition. Where there is no strong tag, the answer is compared: a time of modification may go backwards, and
/// `If-Modified-Since` would not notice.
fn conditions(ask: &Ask) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let range = ask.range.as_ref();
    let range = range.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
    let condition = match &ask.condition {
        Condition::Always => None,
        Condition::Unless(state) => Some((IF_NONE_MATCH, state.validators.tag.as_deref())),
        Condition::Only(state) => Some((IF_MATCH, state.validators.strong_tag())),
    };
    let condition = condition.and_then(|(name, tag)| Some((name, tag?.to_owned())));
    for (name, text) in range
        .map(|range| (RANGE, range))
        .into_iter()
        .chain(condition)
    {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Where it redirects to, if it does.
fn redirect(url: &Url, response: &Response) -> Result<Option<Url>, RemoteError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let to = response.headers().get(LOCATION);
    let to = to.and_then(|to| to.to_str().ok()).ok_or(NOWHERE)?;
    next(url, to).map(Some)
}

const NOWHERE: RemoteError = RemoteError::Broken("the origin redirects to nowhere");

/// What was asked over TLS is not asked without it.
fn next(url: &Url, to: &str) -> Result<Url, RemoteError> {
    let next = url.join(to).map_err(|_| NOWHERE)?;
    let is_known = match next.scheme() {
        "https" => true,
        "http" => url.scheme() == "http",
        _ => false,
    };
    if !is_known || !next.username().is_empty() || next.password().is_some() {
        return Err(RemoteError::Refused(
            "the origin redirects to what is not asked",
        ));
    }
    Ok(next)
}

/// The cause is told to the log, without the path and the query of the URL, which may be secret.
fn failure(url: &Url, error: reqwest::Error) -> RemoteError {
    let error = error.without_url();
    if causes::all(&error).any(|cause| cause.is::<Private>()) {
        return PRIVATE;
    }
    let server = url.origin().ascii_serialization();
    tracing::warn!(server, error = chain(&error), "an origin cannot be asked");
    if error.is_timeout() {
        return Failure::Late.into();
    }
    Failure::Unreachable.into()
}
