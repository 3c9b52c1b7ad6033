//! Viewers that may read with a script what a cookie opens: those whose origin is configured, and nobody else.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::app::App;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// In place of the `*` that everybody is answered, with which browsers send no cookie (Fetch, section 3.3.5).
pub async fn allow(State(app): State<App>, request: Request, next: Next) -> Response {
    let origins = &app.access().origins;
    let origin = allowed(origins, request.headers());
    let mut response = next.run(request).await;
    if origins.is_empty() {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, ORIGIN);
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    response
}

fn allowed(origins: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let is_allowed = origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes());
    is_allowed.then(|| origin.clone())
}
