//! `/collections`: how far composites are.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use uuid::Uuid;

use super::refusal::{Refusal, or_refusal};
use super::{Api, hydra};
use crate::ingest::Status;

const NO_COLLECTION: Refusal = Refusal::Unknown("there is no such collection");
const NO_MEMBER: Refusal = Refusal::Unknown("there is no such member");

/// `GET /collections/{collection}`.
pub async fn collection(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Parts,
) -> Response {
    let answer = async {
        let customer = api.caller(&request.headers).await?;
        let id = Uuid::try_parse(&id).map_err(|_| NO_COLLECTION)?;
        let collection = api.store.collection(id).await?;
        let collection = collection.filter(|collection| collection.customer == customer.id);
        let collection = collection.ok_or(NO_COLLECTION)?;
        let document = hydra::of_collection(&api.base(&request), &collection);
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `GET /collections/{collection}/members/{member}`: 422 if it failed.
pub async fn member(
    State(api): State<Api>,
    Path((collection, id)): Path<(String, String)>,
    request: Parts,
) -> Response {
    let answer = async {
        let customer = api.caller(&request.headers).await?;
        let id = Uuid::try_parse(&id).map_err(|_| NO_MEMBER)?;
        let collection = Uuid::try_parse(&collection).map_err(|_| NO_MEMBER)?;
        let member = api.store.member(id).await?;
        let member = member
            .filter(|member| member.customer == customer.id && member.collection == collection);
        let member = member.ok_or(NO_MEMBER)?;
        let status = match member.status {
            Status::Error => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::OK,
        };
        let document = hydra::of_member(&api.base(&request), &member);
        Ok(hydra::respond(status, &document))
    };
    or_refusal(answer.await)
}
