//! What caches and clients are told of answers that are not for everyone.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::access::Decision;
use crate::http::app::App;

/// What the decision depends on.
const VARY: HeaderValue = HeaderValue::from_static("Authorization, Cookie, X-Api-Key");
/// Kept by the one who asked, and asked for again each time: it may have been the last.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_STORE: &str = "no-store";

/// A26: what is not for everyone is not mixed up with what is, in any cache.
pub fn protect(headers: &mut HeaderMap, decision: &Decision) {
    if !decision.is_public {
        keep_private(headers);
    }
}

/// A list of images, which not everyone may know of.
pub fn protect_list(app: &App, headers: &mut HeaderMap) {
    if app.gate().is_some() {
        keep_private(headers);
    }
}

fn keep_private(headers: &mut HeaderMap) {
    headers.append(header::VARY, VARY);
    let is_kept = headers
        .get(header::CACHE_CONTROL)
        .is_none_or(|value| value != NO_STORE);
    if is_kept {
        headers.insert(header::CACHE_CONTROL, PRIVATE);
    }
}

/// To another address, for this time.
pub fn found(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    headers.append(header::VARY, VARY);
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, location);
    }
    response
}
