//! The whole map of URLs.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get};

use super::app::App;
use super::{
    access, admin, assets, delivery, error, health, image, index, ingest, layers, manifest,
    registry,
};
use crate::error::Error;

/// The server as a service, with all its layers.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/", get(index::index))
        .route("/view", get(assets::view))
        .route("/assets/{name}", get(assets::asset))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/iiif/2/{*path}", get(image::version_2))
        .route("/iiif/3/{*path}", get(image::version_3))
        .route("/presentation/2/{*path}", get(manifest::version_2))
        .route("/presentation/3/{*path}", get(manifest::version_3))
        .merge(manifest::routes(&app))
        .merge(delivery::routes(&app))
        .method_not_allowed_fallback(any(method_not_allowed))
        .fallback(not_found)
        .with_state(app.clone());
    layers::wrap(routes, &app)
        .merge(access::routes(&app))
        .merge(admin::routes(&app))
        .merge(registry::routes(&app))
        .merge(ingest::routes(&app))
}

async fn not_found(request: Request) -> Response {
    let error = Error::NotFound("there is nothing at this address".to_owned());
    error::respond(&error, request.headers())
}

/// P04.
async fn method_not_allowed(request: Request) -> Response {
    error::method_not_allowed(request.headers())
}
