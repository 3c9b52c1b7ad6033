//! Failures as responses: the only place where an [`Error`] becomes a status (section 7 of the Image API).

use std::error::Error as StdError;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::accept;
use crate::causes::chain;
use crate::error::Error;

/// Seconds after which a busy server may be asked again.
pub(super) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");
/// What every endpoint understands.
pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// How to say who asks (RFC 6750, section 3).
const BEARER: HeaderValue = HeaderValue::from_static("Bearer");

pub(super) fn status(error: &Error) -> StatusCode {
    match error {
        Error::BadRequest(_) => StatusCode::BAD_REQUEST,
        Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Gone(_) => StatusCode::GONE,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        Error::SourceBroken { .. } | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Error::SourceUnavailable { .. }
        | Error::StoreUnavailable(_)
        | Error::RegistryUnavailable(_)
        | Error::CacheUnavailable(_)
        | Error::AccessUnavailable(_)
        | Error::Busy
        | Error::Unread => StatusCode::SERVICE_UNAVAILABLE,
        Error::TooManyRequests(_) | Error::UnreadByClient => StatusCode::TOO_MANY_REQUESTS,
        Error::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The status of an error. What is not the client's fault is logged.
pub fn noted(error: &Error) -> StatusCode {
    let status = status(error);
    if status.is_server_error() {
        let causes = error.source().map(chain).unwrap_or_default();
        tracing::error!(status = status.as_u16(), causes, "{error}");
    }
    status
}

/// The response for a failure: a short text, or JSON where the client prefers it; never cached (ER06, ER09).
///
/// Failures that are not the client's are logged here, once, with their whole chain.
pub fn respond(error: &Error, request: &HeaderMap) -> Response {
    let status = noted(error);
    let mut response = text(status, &error.to_string(), request);
    let headers = response.headers_mut();
    if let Error::TooManyRequests(seconds) = error {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    match (status, error) {
        (StatusCode::SERVICE_UNAVAILABLE, _) | (_, Error::UnreadByClient) => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER)
        }
        (StatusCode::UNAUTHORIZED, _) => headers.insert(header::WWW_AUTHENTICATE, BEARER),
        _ => None,
    };
    response
}

/// P04.
pub fn method_not_allowed(request: &HeaderMap) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = text(status, "use GET, HEAD or OPTIONS", request);
    response.headers_mut().insert(header::ALLOW, METHODS);
    response
}

/// Without the token that it takes (RFC 6750, section 3).
pub fn unauthorised(message: &str, request: &HeaderMap) -> Response {
    let mut response = text(StatusCode::UNAUTHORIZED, message, request);
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, BEARER);
    response
}

/// A short text, or JSON where the client prefers it; never cached.
pub fn text(status: StatusCode, message: &str, request: &HeaderMap) -> Response {
    let (media_type, body) = if accept::prefers_json(request) {
        let body = json!({ "status": status.as_u16(), "error": message });
        ("application/json", body.to_string())
    } else {
        ("text/plain; charset=utf-8", format!("{message}\n"))
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}
