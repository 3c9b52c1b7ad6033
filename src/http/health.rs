//! Whether the process lives, and whether it can answer.

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::error;

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// The images can be reached.
pub async fn ready(State(app): State<App>, request: Parts) -> Response {
    match app.pipeline().list(String::new()).await {
        Ok(_) => "ok\n".into_response(),
        Err(failure) => error::respond(&failure, &request.headers),
    }
}
