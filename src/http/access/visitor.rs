//! Who asks: read from the request.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::HeaderMap;

use super::flow;
use crate::access::{Gate, Visitor};
use crate::error::{Error, cause};
use crate::http::app::App;
use crate::http::clients::address::address;
use crate::http::credentials::bearer;
use crate::http::image::Client;

/// How programs send their keys.
const API_KEY: &str = "x-api-key";

/// Somebody who shows nothing.
pub fn stranger(app: &App, client: &Client<'_>) -> Visitor {
    Visitor {
        address: address(app.server(), client.peer, client.headers),
        roles: BTreeSet::new(),
    }
}

/// Somebody at this address, with the roles of what he shows.
///
/// # Errors
/// If it cannot be told now, because somebody who knows does not answer.
pub async fn visitor(
    app: &App,
    client: &Client<'_>,
    address: Option<IpAddr>,
    takes_tokens: bool,
) -> Result<Visitor, Error> {
    let mut roles = flow::roles(app, client, address, takes_tokens).await?;
    if let Some(gate) = app.gate() {
        roles.extend(shown(gate, client.headers).await?);
    }
    Ok(Visitor { address, roles })
}

/// The roles of what a program shows.
async fn shown(gate: &Gate, headers: &HeaderMap) -> Result<BTreeSet<String>, Error> {
    let key = headers.get(API_KEY);
    let of_key = key.and_then(|key| gate.roles_of_key(key.as_bytes()));
    let mut roles = of_key.unwrap_or_default();
    if let Some(token) = bearer(headers) {
        let of_token = gate.roles_of_token(token).await;
        roles.extend(of_token.map_err(|error| Error::AccessUnavailable(cause(error)))?);
    }
    Ok(roles)
}
