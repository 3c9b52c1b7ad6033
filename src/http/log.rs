//! One line for each request, when it is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::iiif::Identifier;

/// Paths are longer only by mistake or malice.
const LONGEST_PATH: usize = 1_000;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an endpoint adds to the line; left with the response.
#[derive(Clone)]
pub(super) struct Logged {
    pub identifier: Identifier,
    /// The canonical request.
    pub request: String,
    /// How it was made.
    pub strategy: &'static str,
}

/// Gives each request a number, answers with it, and logs; lines of failures have the number as well.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let request_id = next_id();
    let method = request.method().clone();
    let uri = request.uri().clone();
    // As important as any line within it: otherwise the level of the log could leave it out.
    let span = tracing::error_span!("request", request_id);
    let mut response = next.run(request).instrument(span).await;
    let milliseconds = start.elapsed().as_micros() as f64 / 1_000.0;
    let status = response.status().as_u16();
    match response.extensions_mut().remove::<Logged>() {
        Some(logged) => tracing::info!(
            status,
            identifier = logged.identifier.to_string(),
            request = logged.request,
            strategy = logged.strategy,
            milliseconds,
            request_id,
            "{method}"
        ),
        None => {
            let path: String = uri.path().chars().take(LONGEST_PATH).collect();
            tracing::info!(status, milliseconds, request_id, "{method} {path}");
        }
    }
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Unlike those of other processes by the time of the first, and unlike each other by a count.
fn next_id() -> String {
    static STARTED: std::sync::OnceLock<u128> = std::sync::OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let started = STARTED.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |elapsed| elapsed.as_micros())
    });
    format!("{started:x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
