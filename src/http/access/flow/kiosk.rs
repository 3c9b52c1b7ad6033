//! The window of a kiosk: it opens and closes by itself.

use axum::response::Response;

use super::answer;
use super::visit::Visit;

pub async fn enter(visit: &Visit<'_>) -> Response {
    if visit.is_open() {
        begin(visit, None, visit.service.roles.iter().cloned()).await
    } else {
        answer::turn_away(visit)
    }
}

/// Begins a session in which the service has given these roles.
pub async fn begin(
    visit: &Visit<'_>,
    subject: Option<String>,
    roles: impl Iterator<Item = String>,
) -> Response {
    let sessions = &visit.services.sessions;
    let beginning = sessions.begin(visit.session(), visit.name, subject, roles.collect());
    match beginning.await {
        Ok(secret) => answer::welcome(visit, &secret),
        Err(failure) => answer::unavailable(failure),
    }
}
