//! `/entity`: as EIDER has it, the resolver of the TAMU IR IIIF service (F000-5).

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::refusal::Refusal;
use super::resources::{asked_location, is_on_the_web};
use super::{Api, or_refusal, over, text};
use crate::error::Error;
use crate::registry::Over;

/// `GET /entity?url=`: the identifier of a location, which gets one if it has none. That service takes 404 for a failure.
pub async fn find_or_mint(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        api.may_read(&request.headers)?;
        let location = asked_location(&request, "url")?;
        if let Some(entry) = api.registry.find_by_location(&location).await? {
            return Ok(text(&entry.identifier));
        }
        let writer = match api.writer(&request.headers) {
            Err(_) if api.open_minting && is_on_the_web(&location) => {
                never_removed(&api, &location).await?;
                "anyone, by GET /entity".to_owned()
            }
            writer => writer?,
        };
        let mut response = api.mint(&location, Over::NOTHING, &writer).await?;
        *response.status_mut() = axum::http::StatusCode::OK;
        Ok(response)
    };
    or_refusal(answer.await, &request.headers)
}

/// Whoever removed an entry does not want the image to be seen by another identifier, either.
async fn never_removed(api: &Api, location: &str) -> Result<(), Refusal> {
    match api.registry.was_removed(location).await? {
        true => Err(Error::Gone("what had this location was removed".to_owned()).into()),
        false => Ok(()),
    }
}

/// `POST /entity?url=`.
pub async fn put(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        let writer = api.writer(&request.headers)?;
        let location = asked_location(&request, "url")?;
        api.mint(&location, over(&request), &writer).await
    };
    or_refusal(answer.await, &request.headers)
}
