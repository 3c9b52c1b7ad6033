//! Answers: pages, and what browsers are told of them.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::cookie::{Reach, SESSION};
use super::visit::Visit;
use crate::access::attempts::TooMany;
use crate::access::session::Secret;
use crate::error::{Error, cause};
use crate::http::error;
use crate::http::pages::access::{CONTENT_SECURITY_POLICY, Said, last, trouble};
use crate::registry::RegistryError;

pub const FRAME_OPTIONS: HeaderName = header::X_FRAME_OPTIONS;

/// A page that stands alone.
pub fn page(status: StatusCode, html: String) -> Response {
    let mut response = html_of(status, html);
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Addresses of these pages are for nobody else; browsers say to this server itself where a form comes from.
pub fn html_of(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(header::REFERRER_POLICY, same_origin);
    response
}

/// A page that says why it does not go on.
pub fn refuse(status: StatusCode, heading: &str, note: &str) -> Response {
    let note = (!note.is_empty()).then_some(Said::english(note));
    page(status, trouble(Said::english(heading), note))
}

pub fn nothing() -> Box<Response> {
    let heading = "There is nothing at this address";
    Box::new(refuse(StatusCode::NOT_FOUND, heading, ""))
}

/// What the texts of the service say to those who do not get through.
pub fn turn_away(visit: &Visit<'_>) -> Response {
    let service = visit.service;
    let heading = service.error_heading.as_ref().map(|it| visit.say(it));
    let heading = heading.unwrap_or(Said::english("This is not for everyone"));
    let note = service.error_note.as_ref().map(|it| visit.say(it));
    page(StatusCode::FORBIDDEN, trouble(heading, note))
}

/// Where sessions are kept, nobody answers.
pub fn unavailable(failure: RegistryError) -> Response {
    let failure = Error::RegistryUnavailable(cause(failure));
    let told = error::respond(&failure, &axum::http::HeaderMap::new());
    let heading = "This does not work now";
    let mut response = refuse(told.status(), heading, "Try again in a moment.");
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, error::RETRY_AFTER);
    response
}

/// To one who tries too often.
pub fn wait(many: &TooMany) -> Response {
    let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, &many.to_string(), "");
    let seconds = HeaderValue::from(many.0);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// The last page of a window.
pub fn let_in() -> Response {
    page(StatusCode::OK, last("It is open to you now"))
}

/// The visitor has a session from now on.
pub fn welcome(visit: &Visit<'_>, secret: &Secret) -> Response {
    let mut response = let_in();
    let cookie = visit.place.set(SESSION, secret.as_str(), reach(visit));
    set_cookie(&mut response, cookie);
    response
}

/// Of the cookie of the session.
pub fn reach(visit: &Visit<'_>) -> Reach {
    let is_partitioned = visit.services.sessions.config().partitioned;
    Reach::Everywhere { is_partitioned }
}

pub fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
