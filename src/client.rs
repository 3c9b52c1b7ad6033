//! How services are asked over HTTP that this server was told of.

use std::io;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

use crate::tls;

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the answer broke off")]
    Transport(#[from] reqwest::Error),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// A client that goes nowhere but where it is sent: it follows no redirects and asks no proxy of the environment.
///
/// # Errors
/// If none can be made.
pub fn new(timeout: Duration) -> io::Result<Client> {
    tls::choose();
    let client = builder(timeout).build();
    // Where the system has no certificates, servers without TLS can be asked all the same.
    let client = client.or_else(|_| builder(timeout).tls_certs_only([]).build());
    client.map_err(io::Error::other)
}

fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("azulejo/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
}

/// All of the body, if it has no more than `longest` bytes.
///
/// # Errors
/// If it is longer or breaks off.
pub async fn body(mut response: Response, longest: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > longest {
            return Err(BodyError::TooLong(longest));
        }
    }
    Ok(body)
}
