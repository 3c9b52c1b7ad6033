//! The roles that services have given to a visitor.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cookie::{Place, SESSION};
use crate::access::services::Services;
use crate::access::session::{Session, now};
use crate::error::{Error, cause};
use crate::http::app::App;
use crate::http::base::public_base;
use crate::http::image::Client;

/// By what a browser sends with every request: the cookie; and by where the visitor is.
///
/// # Errors
/// If it cannot be told now.
pub async fn roles(
    app: &App,
    client: &Client<'_>,
    address: Option<IpAddr>,
) -> Result<BTreeSet<String>, Error> {
    let Some(services) = app.services() else {
        return Ok(BTreeSet::new());
    };
    let base = public_base(app.server(), client.uri, client.headers, client.peer);
    let session = match Place::of(&base).read(client.headers, SESSION) {
        Some(cookie) => services.sessions.of_cookie(cookie).await,
        None => Ok(None),
    };
    let session = session.map_err(|failure| Error::RegistryUnavailable(cause(failure)))?;
    Ok(together(services, address, session))
}

fn together(
    services: &Services,
    address: Option<IpAddr>,
    session: Option<Session>,
) -> BTreeSet<String> {
    let mut roles = session.map_or(BTreeSet::new(), |session| session.roles(now()));
    if let Some(address) = address {
        roles.extend(services.roles_at(address));
    }
    roles
}
