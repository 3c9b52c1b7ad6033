//! `/customers/{customer}/spaces/{space}/images`: images, one by one.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::refusal::{Refusal, or_refusal};
use super::{Api, hydra, listing};
use crate::ingest::customers::Customer;
use crate::ingest::store::Filter;
use crate::ingest::validation;
use crate::ingest::{Asset, AssetKey};

const NO_SPACE: Refusal = Refusal::Unknown("there is no such space");
const NO_IMAGE: Refusal = Refusal::Unknown("there is no such image");
const RETIRED: Refusal = Refusal::Gone("there was such an image: it was removed");

/// The segments of a path.
type Names = Path<(String, String, String)>;

/// `GET`.
pub async fn get(State(api): State<Api>, Path(names): Names, request: Parts) -> Response {
    let answer = async {
        let (_, key) = named(&api, &names, &request).await?;
        let asset = standing(&api, &key).await?;
        let document = hydra::of_asset(&api.base(&request), &asset);
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `PUT`: 201 if it is new, 200 if it stands in place of another one.
pub async fn put(State(api): State<Api>, Path(names): Names, request: Request) -> Response {
    let answer = async {
        let (request, body) = request.into_parts();
        let (customer, key) = named(&api, &names, &request).await?;
        let body = api.json(&request.headers, body).await?;
        let new = validation::put(&api.rules(&customer), key.space, &key.id, &body)?;
        let is_new = api.store.put(customer.id, &new).await?;
        let asset = standing(&api, &key).await?;
        let base = api.base(&request);
        let document = hydra::of_asset(&base, &asset);
        Ok(match is_new {
            true => hydra::located(StatusCode::CREATED, &document, &base.asset(&asset)),
            false => hydra::respond(StatusCode::OK, &document),
        })
    };
    or_refusal(answer.await)
}

/// `PATCH`.
pub async fn patch(State(api): State<Api>, Path(names): Names, request: Request) -> Response {
    let answer = async {
        let (request, body) = request.into_parts();
        let (_, key) = named(&api, &names, &request).await?;
        let body = api.json(&request.headers, body).await?;
        let change = validation::patch(key.space, &key.id, &body)?;
        let changed = api.store.patch(&[(key.clone(), change)]).await??;
        let Some(asset) = changed.into_iter().next() else {
            return Err(absent(&api, &key).await?);
        };
        let document = hydra::of_asset(&api.base(&request), &asset);
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `DELETE`: its images are gone from then on (410).
pub async fn delete(State(api): State<Api>, Path(names): Names, request: Parts) -> Response {
    let answer = async {
        let (_, key) = named(&api, &names, &request).await?;
        match api.store.retire(&key).await? {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => Err(absent(&api, &key).await?),
        }
    };
    or_refusal(answer.await)
}

/// `POST …/reingest`: its origin is looked at again.
pub async fn reingest(State(api): State<Api>, Path(names): Names, request: Parts) -> Response {
    let answer = async {
        let (_, key) = named(&api, &names, &request).await?;
        let Some(asset) = api.store.reingest(&key).await? else {
            return Err(absent(&api, &key).await?);
        };
        if asset.composite.is_some() {
            let message = "it is a page of a composite: post that again, with its compositeId";
            return Err(Refusal::Wrong(message.to_owned()));
        }
        let document = hydra::of_asset(&api.base(&request), &asset);
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// `GET` of all images of a space.
pub async fn list(
    State(api): State<Api>,
    Path((customer, space)): Path<(String, String)>,
    request: Parts,
) -> Response {
    let answer = async {
        let customer = api.customer(&request.headers, &customer).await?;
        let space = space_of(&customer, &space)?;
        let query = request.uri.query().unwrap_or_default();
        let (window, order) = (listing::window(query)?, listing::order(query)?);
        let conditions = listing::conditions(query)?;
        let filter = Filter::Space { space, conditions };
        let found = api
            .store
            .assets(customer.id, &filter, order, window)
            .await?;
        let base = api.base(&request);
        let uri = format!("{}/spaces/{space}/images", base.customer(customer.id));
        let assets = found.members.iter();
        let assets: Vec<Value> = assets.map(|asset| hydra::of_asset(&base, asset)).collect();
        Ok(listing::respond(&uri, query, window, found.total, &assets))
    };
    or_refusal(answer.await)
}

/// `PATCH` of some images of a space: all that there are of these are changed, or none.
pub async fn patch_all(
    State(api): State<Api>,
    Path((customer, space)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (request, body) = request.into_parts();
        let customer = api.customer(&request.headers, &customer).await?;
        let space = space_of(&customer, &space)?;
        let body = api.json(&request.headers, body).await?;
        let changes = validation::changes(&api.rules(&customer), space, &body)?;
        let customer = customer.id;
        let changes = changes.into_iter().map(|(id, change)| {
            let key = AssetKey {
                customer,
                space,
                id,
            };
            (key, change)
        });
        let changed = api.store.patch(&changes.collect::<Vec<_>>()).await??;
        let base = api.base(&request);
        let assets = changed.iter().map(|asset| hydra::of_asset(&base, asset));
        let document = json!({
            "@context": hydra::CONTEXT,
            "@id": format!("{}/spaces/{space}/images", base.customer(customer)),
            "@type": "Collection",
            "totalItems": changed.len(),
            "member": assets.collect::<Value>(),
        });
        Ok(hydra::respond(StatusCode::OK, &document))
    };
    or_refusal(answer.await)
}

/// Whose asset a path names, and which.
async fn named(
    api: &Api,
    (customer, space, id): &(String, String, String),
    request: &Parts,
) -> Result<(Customer, AssetKey), Refusal> {
    let customer = api.customer(&request.headers, customer).await?;
    let key = AssetKey {
        customer: customer.id,
        space: space_of(&customer, space)?,
        id: id.clone(),
    };
    if id.contains(char::is_control) {
        return Err(NO_IMAGE);
    }
    Ok((customer, key))
}

fn space_of(customer: &Customer, text: &str) -> Result<i64, Refusal> {
    let space: u32 = text.parse().map_err(|_| NO_SPACE)?;
    if customer.spaces.is_empty() || customer.spaces.contains(&space) {
        Ok(space.into())
    } else {
        Err(NO_SPACE)
    }
}

async fn standing(api: &Api, key: &AssetKey) -> Result<Asset, Refusal> {
    match api.store.asset(key).await? {
        Some(asset) if asset.is_retired => Err(RETIRED),
        Some(asset) => Ok(asset),
        None => Err(NO_IMAGE),
    }
}

/// Why there is no such asset.
async fn absent(api: &Api, key: &AssetKey) -> Result<Refusal, Refusal> {
    Ok(standing(api, key).await.err().unwrap_or(NO_IMAGE))
}
