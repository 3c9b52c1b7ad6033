//! `azulejo purge`

use std::error::Error;
use std::time::Duration;

use clap::{ArgGroup, Args};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::runtime;

use super::settings::{ConfigFile, reachable};
use super::{Outcome, Usage, print};
use crate::client;
use crate::config::Config;
use crate::config::token::Token;
use crate::iiif::Identifier;

/// Layers that are shared may have to be waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of an answer that is no short text that are shown.
const SHOWN: usize = 300;

/// Make running servers forget the cached answers of an image, or of all
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["identifier", "all"])))]
pub struct Purge {
    /// Identifier of the image, as it is before it is escaped for a URL
    identifier: Option<String>,

    /// Forget everything
    #[arg(long)]
    all: bool,

    /// Server to ask, such as http://10.0.0.1:8182; can be given several times; without it the configured address
    #[arg(long, value_name = "URL")]
    server: Vec<String>,

    /// Token of the servers; without it that of the configuration, such as AZULEJO_ADMIN__TOKEN, which others on this
    /// machine do not see
    #[arg(long)]
    token: Option<String>,

    #[command(flatten)]
    file: ConfigFile,
}

/// Why a server did not do it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the token is not the one that it has")]
    Token,
    #[error("it answered {0}: {1}")]
    Status(StatusCode, String),
}

/// How many servers did not do it; which, and why, has been told.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {all} servers may still have what was to be forgotten")]
struct Incomplete {
    failed: usize,
    all: usize,
}

impl Purge {
    pub fn run(&self) -> Outcome {
        let config = Config::load(&self.file.layers())?.config;
        let token = self.token(&config)?;
        let targets = self.targets(&config)?;
        // The token is sent to the servers themselves: neither to a proxy nor to where they redirect.
        let client = client::new(PATIENCE)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut failed = 0;
        for target in &targets {
            match runtime.block_on(purge(&client, target, &token)) {
                Ok(()) => print(&format!("{}: done\n", origin(target)))?,
                Err(failure) => {
                    failed += 1;
                    eprintln!("{}: {}", origin(target), super::with_causes(&failure));
                }
            }
        }
        let all = targets.len();
        if failed > 0 {
            return Err(Incomplete { failed, all }.into());
        }
        Ok(())
    }

    fn token(&self, config: &Config) -> Result<Token, Usage> {
        match (&self.token, &config.admin.token) {
            (Some(token), _) => token
                .parse()
                .map_err(|wrong| Usage(format!("--token: {wrong}"))),
            (None, Some(token)) => Ok(token.clone()),
            (None, None) => Err(Usage(
                "which token do the servers have? Give it as AZULEJO_ADMIN__TOKEN, as admin.token in a file named by \
                 --config, or as --token"
                    .to_owned(),
            )),
        }
    }

    fn targets(&self, config: &Config) -> Result<Vec<Url>, Box<dyn Error>> {
        let path = match &self.identifier {
            Some(identifier) => {
                let identifier = Identifier::new(identifier.clone())
                    .map_err(|error| Usage(error.to_string()))?;
                format!("/admin/cache/{}", identifier.encoded())
            }
            None => "/admin/cache".to_owned(),
        };
        if self.server.is_empty() {
            let server = format!("http://{}", reachable(config.server.listen));
            return Ok(vec![target(&server, &path)?]);
        }
        let targets = self.server.iter().map(|server| target(server, &path));
        Ok(targets.collect::<Result<_, _>>()?)
    }
}

fn target(server: &str, path: &str) -> Result<Url, Usage> {
    let wrong = || {
        Usage(format!(
            "{server:?} is not the address of a server, such as http://10.0.0.1:8182"
        ))
    };
    let base: Url = server.parse().map_err(|_| wrong())?;
    if !matches!(base.scheme(), "http" | "https") || base.query().is_some() {
        return Err(wrong());
    }
    let url = format!("{}{path}", base.as_str().trim_end_matches('/'));
    url.parse().map_err(|_| wrong())
}

fn origin(target: &Url) -> String {
    target.origin().ascii_serialization()
}

async fn purge(client: &Client, target: &Url, token: &Token) -> Result<(), Failure> {
    let request = client.delete(target.clone()).bearer_auth(token.reveal());
    let answer = request.send().await;
    let answer = answer.map_err(|error| Failure::Unreachable(error.without_url()))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED => Err(Failure::Token),
        status => Err(Failure::Status(status, reason(answer).await)),
    }
}

/// What the server says of it.
async fn reason(answer: Response) -> String {
    let text = answer.text().await.unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_scheme_and_may_have_a_path() {
        let of = |server| target(server, "/admin/cache/a%2Fb").map(|url| url.to_string());
        for (server, url) in [
            ("http://a:1", "http://a:1/admin/cache/a%2Fb"),
            ("https://a/img/", "https://a/img/admin/cache/a%2Fb"),
        ] {
            assert_eq!(of(server).ok().as_deref(), Some(url));
        }
        for wrong in ["a:1", "10.0.0.1:8182", "ftp://a", "http://", "http://a/?b"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
