//! `/customers/{customer}/queue/batches` and what is beside it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::refusal::{Refusal, or_refusal};
use super::{Api, hydra, listing};
use crate::ingest::Batch;
use crate::ingest::customers::Customer;
use crate::ingest::store::{Filter, Which};

const NO_BATCH: Refusal = Refusal::Unknown("there is no such batch");

/// `GET …/batches`.
pub async fn all(State(api): State<Api>, Path(customer): Path<String>, request: Parts) -> Response {
    or_refusal(list(&api, &customer, &request, Which::All).await)
}

/// `GET …/active`: those that are not finished.
pub async fn active(
    State(api): State<Api>,
    Path(customer): Path<String>,
    request: Parts,
) -> Response {
    or_refusal(list(&api, &customer, &request, Which::Active).await)
}

/// `GET …/recent`: those that are, the last one first.
pub async fn recent(
    State(api): State<Api>,
    Path(customer): Path<String>,
    request: Parts,
) -> Response {
    or_refusal(list(&api, &customer, &request, Which::Recent).await)
}

async fn list(
    api: &Api,
    customer: &str,
    request: &Parts,
    which: Which,
) -> Result<Response, Refusal> {
    let customer = api.customer(&request.headers, customer).await?;
    let query = request.uri.query().unwrap_or_default();
    let window = listing::window(query)?;
    let found = api.store.batches(customer.id, which, window).await?;
    let base = api.base(request);
    let last = match which {
        Which::All => "batches",
        Which::Active => "active",
        Which::Recent => "recent",
    };
    let uri = format!("{}/queue/{last}", base.customer(customer.id));
    let batches = found.members.iter();
    let batches: Vec<Value> = batches.map(|batch| hydra::of_batch(&base, batch)).collect();
    Ok(listing::respond(&uri, query, window, found.total, &batches))
}

/// `GET …/batches/{batch}`.
pub async fn batch(
    State(api): State<Api>,
    Path((customer, batch)): Path<(String, String)>,
    request: Parts,
) -> Response {
    let answer = async {
        let (_, batch) = find(&api, &customer, &batch, &request).await?;
        let document = hydra::of_batch(&api.base(&request), &batch);
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `POST …/test`: whether all that it waits for is there.
pub async fn test(
    State(api): State<Api>,
    Path((customer, batch)): Path<(String, String)>,
    request: Parts,
) -> Response {
    let answer = async {
        let (_, batch) = find(&api, &customer, &batch, &request).await?;
        let document = json!({ "success": batch.finished.is_some() });
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `GET …/images`: those that were submitted with no other batch since.
pub async fn images(
    State(api): State<Api>,
    Path(path): Path<(String, String)>,
    request: Parts,
) -> Response {
    or_refusal(assets_of(&api, path, &request, "images", Filter::Batch).await)
}

/// `GET …/assets`: those that it was submitted with.
pub async fn assets(
    State(api): State<Api>,
    Path(path): Path<(String, String)>,
    request: Parts,
) -> Response {
    or_refusal(assets_of(&api, path, &request, "assets", Filter::Submitted).await)
}

/// `GET …/completedImages`.
pub async fn completed(
    State(api): State<Api>,
    Path(path): Path<(String, String)>,
    request: Parts,
) -> Response {
    or_refusal(assets_of(&api, path, &request, "completedImages", Filter::Completed).await)
}

/// `GET …/errorImages`.
pub async fn failed(
    State(api): State<Api>,
    Path(path): Path<(String, String)>,
    request: Parts,
) -> Response {
    or_refusal(assets_of(&api, path, &request, "errorImages", Filter::Failed).await)
}

async fn assets_of(
    api: &Api,
    (customer, batch): (String, String),
    request: &Parts,
    last: &str,
    filter: fn(i64) -> Filter,
) -> Result<Response, Refusal> {
    let (customer, batch) = find(api, &customer, &batch, request).await?;
    let query = request.uri.query().unwrap_or_default();
    let (window, order) = (listing::window(query)?, listing::order(query)?);
    let filter = filter(batch.id);
    let found = api
        .store
        .assets(customer.id, &filter, order, window)
        .await?;
    let base = api.base(request);
    let uri = format!("{}/{last}", base.batch(customer.id, batch.id));
    let assets = found.members.iter();
    let assets: Vec<Value> = assets.map(|asset| hydra::of_asset(&base, asset)).collect();
    Ok(listing::respond(&uri, query, window, found.total, &assets))
}

async fn find(
    api: &Api,
    customer: &str,
    batch: &str,
    request: &Parts,
) -> Result<(Customer, Batch), Refusal> {
    let customer = api.customer(&request.headers, customer).await?;
    let batch = batch.parse().map_err(|_| NO_BATCH)?;
    let batch = api.store.batch(customer.id, batch).await?;
    Ok((customer, batch.ok_or(NO_BATCH)?))
}
