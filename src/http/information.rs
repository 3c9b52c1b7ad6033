//! `info.json` (Image API 3.0, section 5).

use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::accept::JsonType;
use super::access::{self, Asked};
use super::app::App;
use super::image::{Address, Client, cache_headers, links, not_modified};
use super::log::Logged;
use crate::access::{Decision, Outcome, Refusal};
use crate::cache::CacheKey;
use crate::error::Error;
use crate::iiif::{Version, add_services};
use crate::pipeline::{Described, Validators};
use crate::view::View;

pub async fn respond(
    app: &App,
    client: &Client<'_>,
    address: &Address<'_>,
    asked: Asked,
    decision: &Decision,
) -> Result<Response, Error> {
    let version = address.version();
    let identifier = asked.identifier.clone();
    let services = access::described(app, client, version, address.segment(), &asked, decision);
    let (is_told, is_led) = (!services.services.is_empty(), version == Version::V2);
    let is_refused = is_led && matches!(decision.outcome, Outcome::Refuse(_));
    let view = match &decision.outcome {
        Outcome::Elsewhere(location) => return Ok(access::found(location)),
        Outcome::Smaller(largest) if is_led || !is_told => {
            return smaller(app, address, &asked, *largest).await;
        }
        Outcome::Smaller(_) | Outcome::Refuse(Refusal::Unauthorized | Refusal::Forbidden)
            if is_told =>
        {
            View::of(asked.largest)
        }
        _ => access::view(decision, &identifier)?,
    };
    let pipeline = app.pipeline();
    let informed = pipeline.information(identifier.clone(), &view, client.caching);
    let Described {
        information,
        modified,
        terms,
    } = informed.await?;
    let base = address.uri(&terms);
    let mut document = information.document(version, &base);
    add_services(&mut document, services.services, services.context);
    let body = format!("{document:#}\n");
    let media_type = JsonType::negotiate(client.headers, version).of_information(version);
    let validators = Validators {
        etag: CacheKey::new(&[&body, media_type]).to_string(),
        modified: Some(modified),
    };
    let mut headers = cache_headers(app, client, &validators, &terms);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::LINK, links(None, version));
    access::protect(&mut headers, decision);
    let mut response = if !is_refused && client.has_current(&validators) {
        headers.remove(header::CONTENT_TYPE);
        not_modified(headers)
    } else {
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        if is_refused {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    };
    response.extensions_mut().insert(Logged {
        identifier,
        request: "info.json".to_owned(),
        strategy: "header",
    });
    Ok(response)
}

/// To what those see who do not see the image itself.
async fn smaller(
    app: &App,
    address: &Address<'_>,
    asked: &Asked,
    largest: NonZeroU32,
) -> Result<Response, Error> {
    let terms = app.pipeline().locate(asked.identifier.clone()).await?;
    let base = address.of_smaller(app, &terms, &asked.identifier, largest)?;
    Ok(access::found(&format!("{base}/info.json")))
}
