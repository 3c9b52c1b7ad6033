//! The deep-zoom page and the files of the pages.

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::{error, pages};
use crate::error::Error;

/// Pages change with the binary only, but nobody should wait for a day to see the change.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub async fn view() -> Response {
    page(pages::VIEW.to_owned())
}

pub async fn asset(Path(name): Path<String>, request: Request) -> Response {
    let Some(asset) = pages::asset(&name) else {
        let error = Error::NotFound(format!("there is no file \"{name}\""));
        return error::respond(&error, request.headers());
    };
    text(asset.text.to_owned(), asset.media_type)
}

/// A page that may load from this server only.
pub(super) fn page(html: String) -> Response {
    let mut response = text(html, "text/html; charset=utf-8");
    let policy = HeaderValue::from_static(pages::CONTENT_SECURITY_POLICY);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn text(text: String, media_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    response
}
