//! `/admin/cache`: what the cache holds and has done, and how to empty it; the shapes are in `docs/admin.md`.

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::cache::report::{Kept, LATENCY_BOUNDS, Latency, LayerReport};
use crate::error::Error;
use crate::http::app::App;
use crate::http::error;
use crate::http::image::identifier;
use crate::iiif::Identifier;

/// `GET /admin/cache`.
pub async fn report(State(app): State<App>) -> Response {
    let layers: Vec<Value> = app.pipeline().cache_report().iter().map(of_layer).collect();
    let kept: Vec<Value> = app.pipeline().kept_report().iter().map(of_kept).collect();
    let document = json!({ "layers": layers, "kept": kept });
    let media_type = HeaderValue::from_static("application/json");
    let body = Body::from(format!("{document:#}\n"));
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}

/// `DELETE /admin/cache`.
pub async fn purge_all(State(app): State<App>, request: Parts) -> Response {
    purged(&app, None, &request.headers).await
}

/// `DELETE /admin/cache/{identifier}`. All that follows is the identifier, whether its slashes are escaped or not.
pub async fn purge(State(app): State<App>, request: Parts) -> Response {
    let path = request.uri.path();
    let segment = path.strip_prefix("/admin/cache/").unwrap_or_default();
    match identifier(&app, segment) {
        Ok(identifier) => purged(&app, Some(identifier), &request.headers).await,
        Err(wrong) => error::respond(&Error::from(wrong), &request.headers),
    }
}

async fn purged(app: &App, identifier: Option<Identifier>, headers: &HeaderMap) -> Response {
    match app.pipeline().purge(identifier).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => error::respond(&failure, headers),
    }
}

fn of_layer(layer: &LayerReport) -> Value {
    json!({
        "name": layer.name,
        "state": if layer.is_up { "up" } else { "down" },
        "entries": layer.usage.entries,
        "bytes": layer.usage.bytes,
        "hits": layer.hits,
        "misses": layer.misses,
        "stored": layer.stored,
        "evictions": layer.usage.evictions,
        "errors": layer.errors,
        "corrupt": layer.corrupt,
        "skipped": layer.skipped,
        "dropped": layer.dropped,
        "latency": of_latency(&layer.latency),
    })
}

fn of_latency(latency: &Latency) -> Value {
    let bounds = LATENCY_BOUNDS.into_iter().map(Some).chain([None]);
    let classes: Vec<Value> = bounds
        .zip(latency.classes)
        .map(|(bound, lookups)| json!({ "microseconds": bound, "lookups": lookups }))
        .collect();
    let total = u64::try_from(latency.total.as_micros()).unwrap_or(u64::MAX);
    json!({ "total_microseconds": total, "classes": classes })
}

fn of_kept(kept: &Kept) -> Value {
    json!({
        "name": kept.name,
        "entries": kept.entries,
        "bytes": kept.bytes,
        "hits": kept.hits,
        "misses": kept.misses,
    })
}
