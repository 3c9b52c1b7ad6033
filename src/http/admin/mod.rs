//! `/admin/` and `/metrics`: for those who run the server. Where no token is configured, there is nothing.

pub mod cache;
pub mod config;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get};

use super::app::App;
use super::{credentials, error, layers, metrics};

/// Everything that asks for the token.
pub(super) fn routes(app: &App) -> Router {
    if app.admin().token.is_none() {
        return Router::new();
    }
    let routes = Router::new()
        .route("/admin/cache", get(cache::report).delete(cache::purge_all))
        .route("/admin/cache/{*identifier}", delete(cache::purge))
        .route("/metrics", get(metrics::metrics))
        .route_layer(from_fn_with_state(app.clone(), guard))
        .with_state(app.clone());
    layers::wrap_private(routes, app)
}

/// What is given out without a token, at an address of its own.
pub(super) fn open_routes(app: &App) -> Router {
    let routes = Router::new()
        .route("/metrics", get(metrics::metrics))
        .with_state(app.clone());
    layers::wrap_private(routes, app)
}

async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_authorised(&app, request.headers()) {
        return next.run(request).await;
    }
    let message = "this takes the token of those who run the server";
    error::unauthorised(message, request.headers())
}

/// Whether the request has the token, and there is one.
pub(super) fn is_authorised(app: &App, headers: &HeaderMap) -> bool {
    let token = app.admin().token.as_ref();
    let bearer = credentials::bearer(headers);
    token
        .zip(bearer)
        .is_some_and(|(token, given)| token.is(given))
}
