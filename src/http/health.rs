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
    match app.pipeline().check().await {
        Ok(()) => "ok\n".into_response(),
        Err(failure) => error::respond(&failure, &request.headers),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use crate::config::Config;
    use crate::http::{App, router};

    #[tokio::test]
    async fn the_server_is_ready_while_the_images_can_be_reached() {
        let root = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.source.root = root.path().to_owned();
        config.source.links_outside_root = true;
        let service = router(App::new(&config).unwrap());
        let status = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            response.status().as_u16()
        };
        assert_eq!(status("/health/ready").await, 200);
        drop(root);
        for path in ["/health/ready", "/"] {
            assert_eq!(status(path).await, 503, "{path}");
        }
        assert_eq!(status("/health/live").await, 200);
    }
}
