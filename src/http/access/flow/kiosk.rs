//! The window of a kiosk: it opens and closes by itself.

use axum::http::StatusCode;
use axum::response::Response;

use super::answer;
use super::visit::Visit;
use crate::access::session::{Given, now};
use crate::registry::RegistryError;

/// A page that shows it as an image, or the like, begins nothing; nor does whoever has it already.
pub async fn enter(visit: &Visit<'_>) -> Response {
    let used_as = visit.headers.get("sec-fetch-dest");
    if used_as.is_some_and(|it| it != "document" && it != "iframe") {
        let heading = "Open this address in a window";
        return answer::refuse(StatusCode::FORBIDDEN, heading, "");
    }
    if !visit.is_open() {
        return answer::turn_away(visit);
    }
    match has_it(visit).await {
        Ok(true) => return answer::let_in(),
        Ok(false) => {}
        Err(failure) => return answer::unavailable(failure),
    }
    if let Err(many) = visit.services.attempts.from(visit.address) {
        return answer::wait(&many);
    }
    begin(visit, Given::Nobody).await
}

async fn has_it(visit: &Visit<'_>) -> Result<bool, RegistryError> {
    let services = visit.services;
    let session = match visit.session() {
        Some(cookie) => services.sessions.of_cookie(cookie).await?,
        None => None,
    };
    let grant = session.and_then(|session| session.grants.get(visit.name).cloned());
    Ok(grant.is_some_and(|grant| services.roles_by(visit.name, &grant, now()).is_some()))
}

/// Begins a session in which the service has given this.
pub async fn begin(visit: &Visit<'_>, given: Given) -> Response {
    let sessions = &visit.services.sessions;
    let beginning = sessions.begin(visit.session(), visit.name, given);
    match beginning.await {
        Ok(secret) => answer::welcome(visit, &secret),
        Err(failure) => answer::unavailable(failure),
    }
}
