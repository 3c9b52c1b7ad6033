//! `/customers/{customer}/queue`: what is posted is accepted here.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::refusal::{Refusal, or_refusal};
use super::{Api, hydra};
use crate::ingest::validation::{Submission, submission};

/// `POST`: composites become a collection (202), images a batch (201).
pub async fn post(
    State(api): State<Api>,
    Path(customer): Path<String>,
    request: Request,
) -> Response {
    or_refusal(accept(&api, &customer, request, false).await)
}

/// `POST …/priority`: the same, before all that is not urgent.
pub async fn post_urgent(
    State(api): State<Api>,
    Path(customer): Path<String>,
    request: Request,
) -> Response {
    or_refusal(accept(&api, &customer, request, true).await)
}

async fn accept(
    api: &Api,
    customer: &str,
    request: Request,
    is_urgent: bool,
) -> Result<Response, Refusal> {
    let (request, body) = request.into_parts();
    let customer = api.customer(&request.headers, customer).await?;
    let body = api.json(&request.headers, body).await?;
    let base = api.base(&request);
    match submission(&api.rules(&customer), &body)? {
        Submission::Composites(composites) => {
            let accepted = api
                .store
                .accept(customer.id, &composites, is_urgent)
                .await?;
            let document = hydra::of_collection(&base, &accepted);
            let location = base.collection(&accepted);
            Ok(hydra::located(StatusCode::ACCEPTED, &document, &location))
        }
        Submission::Images(images) => {
            let batch = api.store.submit(customer.id, &images, is_urgent).await?;
            let document = hydra::of_batch(&base, &batch);
            let location = base.batch(customer.id, batch.id);
            Ok(hydra::located(StatusCode::CREATED, &document, &location))
        }
    }
}

/// `GET`: how much is waited for.
pub async fn queue(
    State(api): State<Api>,
    Path(customer): Path<String>,
    request: Parts,
) -> Response {
    let answer = async {
        let customer = api.customer(&request.headers, &customer).await?;
        let waiting = api.store.waiting(customer.id).await?;
        let uri = format!("{}/queue", api.base(&request).customer(customer.id));
        let document = json!({
            "@context": hydra::CONTEXT,
            "@id": uri,
            "@type": "vocab:CustomerQueue",
            "size": waiting.images + waiting.composites,
            "batchesWaiting": waiting.batches,
            "imagesWaiting": waiting.images,
            "compositesWaiting": waiting.composites,
            "batches": format!("{uri}/batches"),
            "active": format!("{uri}/active"),
            "recent": format!("{uri}/recent"),
            "priority": format!("{uri}/priority"),
        });
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}
