//! `info.json` (Image API 3.0, section 5).

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::accept::JsonType;
use super::app::App;
use super::image::{Address, Client, cache_headers, links, not_modified};
use super::log::Logged;
use crate::cache::CacheKey;
use crate::error::Error;
use crate::iiif::{Identifier, Version};
use crate::pipeline::{Described, Validators};
use crate::view::View;

pub async fn respond(
    app: &App,
    version: Version,
    client: &Client<'_>,
    address: &Address<'_>,
    identifier: Identifier,
) -> Result<Response, Error> {
    let view = View::default();
    let informed = app
        .pipeline()
        .information(identifier.clone(), &view, client.caching);
    let Described {
        information,
        modified,
        terms,
    } = informed.await?;
    let base = address.uri(&terms);
    let body = format!("{:#}\n", information.document(version, &base));
    let media_type = JsonType::negotiate(client.headers, version).of_information(version);
    let validators = Validators {
        etag: CacheKey::new(&[&body, media_type]).to_string(),
        modified: Some(modified),
    };
    let mut headers = cache_headers(app, client, &validators, &terms);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::LINK, links(None, version));
    let mut response = if client.has_current(&validators) {
        headers.remove(header::CONTENT_TYPE);
        not_modified(headers)
    } else {
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        response
    };
    response.extensions_mut().insert(Logged {
        identifier,
        request: "info.json".to_owned(),
        strategy: "header",
    });
    Ok(response)
}
