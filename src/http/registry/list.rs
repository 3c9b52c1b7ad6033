//! `GET /resources?after=&limit=`: all entries, page by page.

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{Api, json as respond, or_refusal};
use crate::error::Error;
use crate::http::index::parameter;
use crate::registry::Entry;

const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

/// For those who have the token: it tells where everything is.
pub async fn list(State(api): State<Api>, request: Parts) -> Response {
    let answer = async {
        api.writer(&request.headers)?;
        let query = request.uri.query().unwrap_or_default();
        let limit = limit(query)?;
        let after = parameter(query, "after");
        let entries = api.registry.list(after.as_deref(), limit).await?;
        Ok(respond(&page(&entries, limit)))
    };
    or_refusal(answer.await, &request.headers)
}

fn limit(query: &str) -> Result<u32, Refusal> {
    let Some(text) = parameter(query, "limit") else {
        return Ok(PAGE);
    };
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    let wrong = || Error::BadRequest(format!("limit is a number from 1 to {LARGEST_PAGE}"));
    Ok(limit.ok_or_else(wrong)?)
}

fn page(entries: &[Entry], limit: u32) -> Value {
    let resources: Vec<Value> = entries.iter().map(Entry::to_json).collect();
    let mut document = json!({ "resources": resources });
    let is_full = u32::try_from(entries.len()) == Ok(limit);
    if let Some(last) = entries.last().filter(|_| is_full) {
        let after = utf8_percent_encode(&last.identifier, NON_ALPHANUMERIC);
        document["next"] = json!(format!("/resources?after={after}&limit={limit}"));
    }
    document
}
