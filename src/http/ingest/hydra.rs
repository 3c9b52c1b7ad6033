//! Responses in the words of Hydra and of a DLCS.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::Base;
use crate::ingest::{Asset, Batch, Collection, Member, Status};

pub const CONTEXT: &str = "http://www.w3.org/ns/hydra/context.jsonld";

/// A step of a path: all but the unreserved characters (RFC 3986, section 2.3) is encoded.
const STEP: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub fn respond(status: StatusCode, document: &Value) -> Response {
    let mut response = Response::new(Body::from(format!("{document:#}\n")));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A response that says where something is.
pub fn located(status: StatusCode, document: &Value, location: &str) -> Response {
    let mut response = respond(status, document);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

impl Base {
    pub fn collection(&self, collection: &Collection) -> String {
        format!("{}/collections/{}", self.api, collection.id)
    }

    fn member(&self, member: &Member) -> String {
        let (collection, member) = (member.collection, member.id);
        format!("{}/collections/{collection}/members/{member}", self.api)
    }

    pub fn customer(&self, customer: i64) -> String {
        format!("{}/customers/{customer}", self.api)
    }

    pub fn batch(&self, customer: i64, batch: i64) -> String {
        format!("{}/queue/batches/{batch}", self.customer(customer))
    }

    pub fn asset(&self, asset: &Asset) -> String {
        let customer = self.customer(asset.key.customer);
        let id = utf8_percent_encode(&asset.key.id, STEP);
        format!("{customer}/spaces/{}/images/{id}", asset.key.space)
    }

    /// Where its images are.
    fn service(&self, asset: &Asset) -> String {
        let id = utf8_percent_encode(&asset.key.id, STEP);
        let (customer, space) = (asset.key.customer, asset.key.space);
        format!("{}/iiif-img/{customer}/{space}/{id}", self.images)
    }
}

/// As the composite handler tells it.
pub fn of_collection(base: &Base, collection: &Collection) -> Value {
    let members = collection.members.iter();
    json!({
        "id": base.collection(collection),
        "members": members.map(|member| of_member(base, member)).collect::<Value>(),
    })
}

/// As the composite handler tells it; and where it failed, also as RFC 011 does.
pub fn of_member(base: &Base, member: &Member) -> Value {
    let mut document = json!({
        "id": base.member(member),
        "status": member.status.as_str(),
        "created": member.created.to_string(),
        "last_updated": member.updated.to_string(),
    });
    if let Some(count) = member.image_count {
        document["image_count"] = json!(count);
    }
    if let Some(count) = member.retired {
        document["retired_count"] = json!(count);
    }
    if member.status == Status::Error {
        document["error"] = json!(member.error);
        document["Error"] = json!(member.error);
    }
    if !member.batches.is_empty() {
        let batches = member.batches.iter();
        document["dlcs_uris"] = batches
            .map(|batch| json!(base.batch(member.customer, *batch)))
            .collect();
    }
    document
}

pub fn of_batch(base: &Base, batch: &Batch) -> Value {
    let uri = base.batch(batch.customer, batch.id);
    let mut document = json!({
        "@context": CONTEXT,
        "@id": uri,
        "@type": "vocab:Batch",
        "errorImages": format!("{uri}/errorImages"),
        "images": format!("{uri}/images"),
        "assets": format!("{uri}/assets"),
        "completedImages": format!("{uri}/completedImages"),
        "test": format!("{uri}/test"),
        "submitted": batch.submitted.to_string(),
        "count": batch.count,
        "completed": batch.completed,
        "errors": batch.errors,
        "superseded": batch.is_superseded,
    });
    if let Some(finished) = batch.finished {
        document["finished"] = json!(finished.to_string());
    }
    document
}

pub fn of_asset(base: &Base, asset: &Asset) -> Value {
    let mut document = Map::new();
    let mut tell = |name: &str, value: Value| document.insert(name.to_owned(), value);
    tell("@context", json!(CONTEXT));
    tell("@id", json!(base.asset(asset)));
    tell("@type", json!("vocab:Image"));
    tell("id", json!(asset.key.id));
    tell("space", json!(asset.key.space));
    tell("service", json!(base.service(asset)));
    tell("imageService", json!(base.service(asset)));
    tell("created", json!(asset.created.to_string()));
    tell("ingesting", json!(asset.is_ingesting()));
    tell("error", json!(asset.error.as_deref().unwrap_or_default()));
    if let Some(finished) = asset.finished {
        tell("finished", json!(finished.to_string()));
    }
    if let Some(place) = &asset.place {
        tell("width", json!(place.width));
        tell("height", json!(place.height));
    }
    if let Some(batch) = asset.batch {
        tell("batch", json!(base.batch(asset.key.customer, batch)));
    }
    for (name, value) in asset.fields.to_json() {
        document.entry(name).or_insert(value);
    }
    Value::Object(document)
}
