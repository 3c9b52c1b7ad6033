//! Listings, page by page: `page`, `pageSize`, `orderBy`, `orderByDescending` and `q`.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::hydra;
use super::refusal::Refusal;
use crate::ingest::store::{Condition, Field, Order, Window};

const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;
/// All lines before a page are gone through: farther ones are found with `q`.
const FARTHEST: i64 = 1_000_000;

/// The value of a parameter, as forms and `curl --data-urlencode` write it: with `+` for a space.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

/// Which page a query asks for.
pub fn window(query: &str) -> Result<Window, Refusal> {
    let number = |name: &str, usual: u32, most: u32| match parameter(query, name) {
        None => Ok(usual),
        Some(text) => {
            let number = text.parse().ok();
            let number = number.filter(|number| (1..=most).contains(number));
            number.ok_or_else(|| Refusal::Wrong(format!("{name} is a number from 1 to {most}")))
        }
    };
    let window = Window {
        page: number("page", 1, u32::MAX)?,
        size: number("pageSize", PAGE, LARGEST_PAGE)?,
    };
    if window.offset() > FARTHEST {
        let text = format!("page begins behind line {FARTHEST}: ask for fewer lines with q");
        return Err(Refusal::Wrong(text));
    }
    Ok(window)
}

/// In which order.
pub fn order(query: &str) -> Result<Order, Refusal> {
    let named = |name| parameter(query, name).map(|field| (name, field));
    let Some((name, text)) = named("orderBy").or_else(|| named("orderByDescending")) else {
        return Ok(Order {
            by: None,
            is_descending: false,
        });
    };
    Ok(Order {
        by: Some(field(&text)?),
        is_descending: name == "orderByDescending",
    })
}

fn field(name: &str) -> Result<Field, Refusal> {
    let wrong = || Refusal::Wrong(format!("assets cannot be looked for by {name:?}"));
    Field::named(name).ok_or_else(wrong)
}

/// Which fields have to have which values: `q={"string1": "b28802068", "number1": 3}`.
pub fn conditions(query: &str) -> Result<Vec<Condition>, Refusal> {
    let Some(text) = parameter(query, "q") else {
        return Ok(Vec::new());
    };
    let object: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Refusal::Wrong(format!("q is no JSON object: {error}")))?;
    object
        .iter()
        .map(|(name, value)| condition(name, value))
        .collect()
}

fn condition(name: &str, value: &Value) -> Result<Condition, Refusal> {
    let field = field(name)?;
    let text = value.as_str().filter(|text| !text.contains('\0'));
    match (field.is_text(), text, value.as_i64()) {
        (true, Some(text), _) => Ok(Condition::Text(field, text.to_owned())),
        (false, _, Some(number)) => Ok(Condition::Number(field, number)),
        (true, None, _) => Err(Refusal::Wrong(format!("q: {name} is a text"))),
        (false, _, None) => Err(Refusal::Wrong(format!("q: {name} is a whole number"))),
    }
}

/// A page of a listing, with links to the others.
pub fn respond(uri: &str, query: &str, window: Window, total: i64, members: &[Value]) -> Response {
    let size = i64::from(window.size);
    let pages = (total + size - 1) / size;
    let page = |number: i64| format!("{uri}?{}", with_page(query, number, window.size));
    let mut view = json!({
        "@id": page(window.page.into()),
        "@type": "PartialCollectionView",
        "first": page(1),
        "last": page(pages.max(1)),
        "page": window.page,
        "pageSize": window.size,
        "totalPages": pages,
    });
    if window.page > 1 {
        view["previous"] = json!(page(i64::from(window.page) - 1));
    }
    if i64::from(window.page) < pages {
        view["next"] = json!(page(i64::from(window.page) + 1));
    }
    let document = json!({
        "@context": hydra::CONTEXT,
        "@id": uri,
        "@type": "Collection",
        "totalItems": total,
        "pageSize": members.len(),
        "member": members,
        "view": view,
    });
    hydra::respond(StatusCode::OK, &document)
}

/// The same query for another page.
fn with_page(query: &str, page: i64, size: u32) -> String {
    let is_other = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != "page" && name != "pageSize"
    };
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(is_other)
        .map(str::to_owned)
        .collect();
    pairs.extend([format!("page={page}"), format!("pageSize={size}")]);
    pairs.join("&")
}
