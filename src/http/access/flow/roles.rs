//! The roles that services have given to a visitor.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cookie::{Place, SESSION};
use crate::access::services::Services;
use crate::access::session::{Session, Sessions, now};
use crate::error::{Error, cause};
use crate::http::app::App;
use crate::http::base::public_base;
use crate::http::credentials::bearer;
use crate::http::image::Client;
use crate::registry::RegistryError;

/// By what a browser sends with every request: the cookie; and by where the visitor is. Where viewers ask with a token in its place, by that.
///
/// # Errors
/// If it cannot be told now.
pub async fn roles(
    app: &App,
    client: &Client<'_>,
    address: Option<IpAddr>,
    takes_tokens: bool,
) -> Result<BTreeSet<String>, Error> {
    let Some(services) = app.services() else {
        return Ok(BTreeSet::new());
    };
    let session = session(app, client, &services.sessions, takes_tokens).await;
    let session = session.map_err(|failure| Error::RegistryUnavailable(cause(failure)))?;
    Ok(together(services, address, session))
}

async fn session(
    app: &App,
    client: &Client<'_>,
    sessions: &Sessions,
    takes_tokens: bool,
) -> Result<Option<Session>, RegistryError> {
    let token = bearer(client.headers).filter(|_| takes_tokens);
    if let Some(token) = token.and_then(|token| std::str::from_utf8(token).ok()) {
        return sessions.of_token(token).await;
    }
    let base = public_base(app.server(), client.uri, client.headers, client.peer);
    match Place::of(&base).read(client.headers, SESSION) {
        Some(cookie) => sessions.of_cookie(cookie).await,
        None => Ok(None),
    }
}

fn together(
    services: &Services,
    address: Option<IpAddr>,
    session: Option<Session>,
) -> BTreeSet<String> {
    let mut roles = session.map_or(BTreeSet::new(), |session| {
        services.roles_of(&session, now())
    });
    if let Some(address) = address {
        roles.extend(services.roles_at(address));
    }
    roles
}
