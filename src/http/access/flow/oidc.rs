//! Logins at a provider of OpenID Connect: the way there, and the way back.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::cookie::Reach;
use super::visit::Visit;
use super::{Flow, answer, kiosk};
use crate::access::oidc::{Login, Oidc, OidcError};
use crate::access::services::{Means, Profile};
use crate::access::session::Given;

/// What the browser keeps meanwhile.
const COOKIE: &str = "azulejo_oidc";
/// For which somebody can take to log in.
const SECONDS: u32 = 600;

/// To the provider.
pub async fn begin(visit: &Visit<'_>) -> Response {
    let Some(oidc) = provider(visit) else {
        return *answer::nothing();
    };
    if let Err(many) = visit.services.attempts.from(visit.address) {
        return answer::wait(&many);
    }
    match oidc.begin(&address(visit)).await {
        Ok((url, login)) => sent(visit, &url, &login),
        Err(error) => failed(&error),
    }
}

fn sent(visit: &Visit<'_>, url: &str, login: &Login) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(url) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    let cookie = visit
        .place
        .set_for(SECONDS, COOKIE, &login.to_string(), Reach::Arriving);
    answer::set_cookie(&mut response, cookie);
    response
}

/// Back from the provider, with a code. The login is over whatever comes of it.
pub async fn callback(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) => visit,
        Err(nothing) => return *nothing,
    };
    let Some(oidc) = provider(&visit) else {
        return *answer::nothing();
    };
    if let Err(many) = visit.services.attempts.from(visit.address) {
        return answer::wait(&many);
    }
    let mut response = match end(&visit, oidc).await {
        Ok(response) => response,
        Err(error) => failed(&error),
    };
    let cookie = visit.place.clear(COOKIE, Reach::Arriving);
    answer::set_cookie(&mut response, cookie);
    response
}

async fn end(visit: &Visit<'_>, oidc: &Oidc) -> Result<Response, OidcError> {
    let kept = visit.place.read(visit.headers, COOKIE);
    let login = kept.and_then(Login::parse).ok_or(OidcError::OtherBrowser)?;
    let state = visit.parameter("state").unwrap_or_default();
    let code = visit.parameter("code");
    let code = code.ok_or_else(|| OidcError::Refused("it has no code".to_owned()))?;
    let person = oidc.end(&address(visit), login, &state, code).await?;
    let given = Given::Person {
        subject: person.subject,
        roles: person.roles,
    };
    Ok(kiosk::begin(visit, given).await)
}

fn provider<'a>(visit: &Visit<'a>) -> Option<&'a Oidc> {
    let service = visit.service;
    let is_it = service.profile == Profile::Active && service.means == Means::Oidc;
    visit.services.oidc.as_ref().filter(|_| is_it)
}

/// Where the provider sends people back to.
fn address(visit: &Visit<'_>) -> String {
    format!("{}/access/{}/callback", visit.base, visit.name)
}

fn failed(error: &OidcError) -> Response {
    tracing::warn!("a login failed: {error}");
    let again = "Close this window and try again.";
    match error {
        OidcError::Unavailable(_) => {
            let heading = "The place to log in does not answer";
            answer::refuse(StatusCode::SERVICE_UNAVAILABLE, heading, again)
        }
        OidcError::OtherBrowser => {
            let heading = "This login was not begun here, or too long ago";
            answer::refuse(StatusCode::FORBIDDEN, heading, again)
        }
        OidcError::Refused(_) => {
            answer::refuse(StatusCode::FORBIDDEN, "You are not logged in", again)
        }
    }
}
