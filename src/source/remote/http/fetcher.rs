//! Whole files of web servers, for who keeps them.

use std::io;

use bytes::{Bytes, BytesMut};
use url::Url;

use super::Http;
use super::config::HttpSourceConfig;
use super::urls::Urls;
use crate::source::remote::ask::{Answer, Ask, Condition};
use crate::source::remote::chunks::Chunks;
use crate::source::remote::error::RemoteError;
use crate::source::remote::origin::Origin;

/// Fetches from the servers that a source over HTTP with these settings would ask, as carefully.
pub struct Fetcher {
    urls: Urls,
    origin: Origin,
}

/// A file that comes.
pub struct Download {
    /// If the server says it.
    pub size: Option<u64>,
    /// `None` at the end, behind which nothing may be asked for.
    body: Option<Chunks>,
}

impl Fetcher {
    /// # Errors
    /// If the settings do not go together, or no client can be made.
    pub fn new(config: &HttpSourceConfig) -> io::Result<Self> {
        Ok(Self {
            urls: Urls::new(config)?,
            origin: Origin::new(Http::new(config)?, config.limits()),
        })
    }

    /// Whether a URL may be asked for, as far as it can be told without asking anybody.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, url: &str) -> Result<(), RemoteError> {
        let url = Url::parse(url).map_err(|_| RemoteError::Refused("it is no URL"))?;
        self.urls.check(&url)
    }

    /// Asks for everything that is under a URL.
    ///
    /// # Errors
    /// If it may not be asked for, or the server does not begin to send it.
    pub async fn fetch(&self, url: &str) -> Result<Download, RemoteError> {
        self.check(url)?;
        let key = self.urls.key(url).ok_or(RemoteError::Absent)?;
        let ask = Ask {
            key,
            range: None,
            condition: Condition::Always,
        };
        match self
            .origin
            .attempts(&ask.key, || self.origin.ask(&ask))
            .await?
        {
            Answer::Whole { size, body, .. } => Ok(Download {
                size,
                body: Some(Chunks::new(body)),
            }),
            Answer::Part { .. } | Answer::Unchanged => {
                Err(RemoteError::Broken("the origin's answer was not asked for"))
            }
        }
    }
}

impl Download {
    /// What comes next: so many bytes, fewer at the end, where nothing comes any more.
    ///
    /// # Errors
    /// If it breaks off, comes too slowly, or is larger than it may be.
    pub async fn next(&mut self, most: usize) -> Result<Bytes, RemoteError> {
        let mut taken = BytesMut::new();
        while taken.len() < most
            && let Some(body) = &mut self.body
        {
            match body.next_or_end(most - taken.len()).await? {
                Some(piece) => taken.extend_from_slice(&piece),
                None => self.body = None,
            }
        }
        Ok(taken.freeze())
    }
}
