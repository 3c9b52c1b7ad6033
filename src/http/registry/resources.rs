//! `/resources`: as the TAMU IR IIIF service has it (F000-6), but that redirects may change.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::refusal::Refusal;
use super::{Api, or_refusal, over, text};
use crate::error::Error;
use crate::http::image::with_slashes;
use crate::http::index::parameter;
use crate::iiif::Identifier;
use crate::registry::{Answer, Entry, check_location};

/// `GET /resources/{identifier}` and `GET /entity/{identifier}`: the location. That of files and buckets is nobody's business who
/// does not have the token.
pub async fn location(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        api.may_read(&request.headers)?;
        let entry = entry(&api, &request).await?;
        if !is_on_the_web(&entry.location) {
            api.writer(&request.headers)?;
        }
        Ok(text(&entry.location))
    };
    or_refusal(answer.await, &request.headers)
}

/// `GET /resources/{identifier}/redirect`: 302, because the location may change.
pub async fn redirect(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        api.may_read(&request.headers)?;
        let entry = entry(&api, &request).await?;
        if !is_on_the_web(&entry.location) {
            let message = format!("\"{}\" has no address on the web", entry.identifier);
            return Err(Error::NotFound(message).into());
        }
        Ok(found(&entry.location))
    };
    or_refusal(answer.await, &request.headers)
}

/// `GET /resources/lookup?uri=`: the identifier of a location.
pub async fn lookup(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        api.may_read(&request.headers)?;
        let location = asked_location(&request, "uri")?;
        match api.registry.find_by_location(&location).await? {
            Some(entry) => Ok(text(&entry.identifier)),
            None => Err(Error::NotFound("nothing has this location".to_owned()).into()),
        }
    };
    or_refusal(answer.await, &request.headers)
}

/// `POST` or `PUT /resources?uri=`, perhaps with `id=`.
pub async fn put(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        let writer = api.writer(&request.headers)?;
        let location = asked_location(&request, "uri")?;
        let query = request.uri.query().unwrap_or_default();
        match parameter(query, "id") {
            Some(identifier) => {
                let identifier = with_slashes(api.app.server(), Identifier::new(identifier)?)?;
                api.put(identifier.as_str(), &location, over(&request), &writer)
                    .await
            }
            None => api.mint(&location, over(&request), &writer).await,
        }
    };
    or_refusal(answer.await, &request.headers)
}

/// `DELETE /resources/{identifier}` and `DELETE /entity/{identifier}`.
pub async fn remove(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        let writer = api.writer(&request.headers)?;
        let identifier = named(&api, &request)?;
        if !api.remove(identifier, &writer).await? {
            // It says whether there ever was one.
            entry(&api, &request).await?;
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    or_refusal(answer.await, &request.headers)
}

/// The location that a query gives.
pub(super) fn asked_location(request: &Parts, name: &str) -> Result<String, Refusal> {
    let location = parameter(request.uri.query().unwrap_or_default(), name);
    let location =
        location.ok_or_else(|| Error::BadRequest(format!("there is no ?{name}= in the URL")))?;
    check_location(&location)?;
    Ok(location)
}

/// The entry that the path names.
async fn entry(api: &Api, request: &Parts) -> Result<Entry, Refusal> {
    let identifier = named(api, request)?;
    match api.registry.find(identifier.as_str()).await? {
        Answer::Found(entry) => Ok(entry),
        Answer::Gone => Err(Error::Gone(format!("\"{identifier}\" was removed")).into()),
        Answer::Unknown => Err(Error::NotFound(format!("there is no \"{identifier}\"")).into()),
    }
}

/// The segment of the path behind the first. An entry has no pages and scales: `doc;2` is another one than `doc`, of which images
/// take it for a page where `compatibility.meta_identifiers` is set.
fn named(api: &Api, request: &Parts) -> Result<Identifier, Refusal> {
    let segment = request.uri.path().split('/').nth(2).unwrap_or_default();
    Ok(with_slashes(
        api.app.server(),
        Identifier::decode(segment)?,
    )?)
}

pub(super) fn is_on_the_web(location: &str) -> bool {
    let scheme = location.split(':').next().unwrap_or_default();
    ["http", "https"]
        .iter()
        .any(|web| scheme.eq_ignore_ascii_case(web))
}

fn found(location: &str) -> Response {
    let mut response = (StatusCode::FOUND, text("")).into_response();
    let ascii = utf8_percent_encode(location, CONTROLS).to_string();
    if let Ok(value) = HeaderValue::from_str(&ascii) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
