//! `/iiif-img/{customer}/{space}/{id}/…`: the images of customers, where a DLCS has them.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use axum::routing::get;

use super::app::App;
use super::image::{Mount, answer};
use crate::iiif::Version;

/// Named in `Accept` by who wants version 2.
const PROFILE_2: &str = "http://iiif.io/api/image/2/context.json";

/// Where there are none, there is nothing.
pub fn routes(app: &App) -> Router<App> {
    if app.composites().is_none() {
        return Router::new();
    }
    Router::new()
        .route("/iiif-img/v2/{*path}", get(version_2))
        .route("/iiif-img/v3/{*path}", get(version_3))
        .route("/iiif-img/{*path}", get(any_version))
}

const fn mount(version: Version, prefix: &'static str) -> Mount {
    Mount {
        version,
        prefix,
        segments: Some(3),
    }
}

async fn version_2(State(app): State<App>, request: Request) -> Response {
    let mount = mount(Version::V2, "/iiif-img/v2/");
    answer(&app, mount, &request.into_parts().0).await
}

async fn version_3(State(app): State<App>, request: Request) -> Response {
    let mount = mount(Version::V3, "/iiif-img/v3/");
    answer(&app, mount, &request.into_parts().0).await
}

/// Version 3, unless the client asks for the other.
async fn any_version(State(app): State<App>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let version = match wants_2(&request.headers) {
        true => Version::V2,
        false => Version::V3,
    };
    answer(&app, mount(version, "/iiif-img/"), &request).await
}

fn wants_2(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter();
    let mut lines = lines.filter_map(|line| line.to_str().ok());
    lines.any(|line| line.contains(PROFILE_2))
}
