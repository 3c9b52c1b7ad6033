//! The whole stack of layers around the routes, outermost first: log, counts, `nosniff`, CORS with and without cookies, panics, budgets, time limit.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, Any as AnyOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::accept;
use super::access::origins;
use super::app::App;
use super::clients::limits::limit;
use super::error;
use super::log::log;
use super::metrics::requests::count;
use crate::error::Error;

/// How long browsers may remember that a request is allowed (X05).
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn wrap(routes: Router, app: &App) -> Router {
    let layers = ServiceBuilder::new()
        .layer(from_fn(log))
        .layer(from_fn_with_state(app.clone(), count))
        .layer(no_sniffing())
        .layer(from_fn_with_state(app.clone(), origins::allow))
        .layer(cors())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), limit))
        .layer(from_fn_with_state(app.clone(), limit_time));
    routes.layer(layers)
}

/// For what is not for everyone: no script of another site may read it, and no cache may keep it.
pub(super) fn wrap_private(routes: Router, app: &App) -> Router {
    wrap_uploads(
        routes.layer(from_fn_with_state(app.clone(), limit_time)),
        app,
    )
}

/// The same, but as long as something arrives it may take as long as it takes.
pub(super) fn wrap_uploads(routes: Router, app: &App) -> Router {
    let no_store = HeaderValue::from_static("no-store");
    let layers = ServiceBuilder::new()
        .layer(from_fn(log))
        .layer(from_fn_with_state(app.clone(), count))
        .layer(no_sniffing())
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            no_store,
        ))
        .layer(CatchPanicLayer::custom(panicked));
    routes.layer(layers)
}

/// Nothing is what its bytes look like to a browser: images hold text of strangers.
fn no_sniffing() -> SetResponseHeaderLayer<HeaderValue> {
    let no_sniffing = HeaderValue::from_static("nosniff");
    SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, no_sniffing)
}

/// X01 to X06: every response, errors and redirects too, may be read from every origin.
fn cors() -> CorsLayer {
    let exposed = [
        header::LINK,
        header::ETAG,
        header::LAST_MODIFIED,
        header::CONTENT_DISPOSITION,
        header::CONTENT_LENGTH,
        header::RETRY_AFTER,
        HeaderName::from_static("x-request-id"),
    ];
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_MAX_AGE)
        // The answers are the same for every origin (X07).
        .vary([])
}

fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| {
            payload
                .downcast_ref::<&str>()
                .unwrap_or(&"a panic")
                .to_string()
        });
    error::respond(&Error::internal(message), &HeaderMap::new())
}

async fn limit_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = accept::only(request.headers());
    match tokio::time::timeout(app.server().request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => error::respond(&Error::Timeout, &headers),
    }
}
