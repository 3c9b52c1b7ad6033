//! One field after the other.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Complaints, Rules};
use crate::ingest::composite::{NUMBERS, STRINGS};
use crate::ingest::fields::{Fields, TOO_LONG, number};
use crate::ingest::origin::parts;
use crate::ingest::template::Template;
use crate::registry::check_location;

/// Bytes of an identifier: it stands in URLs and in an index.
pub const LONGEST_ID: usize = 400;
/// Bytes of a text.
const LONGEST_TEXT: usize = 4000;
/// The only documents that the RFC knows.
const PDF: &str = "application/pdf";
/// Greater numbers of pages would not be numbers of pages.
const HIGHEST_SEED: i64 = 1_000_000_000;

/// The fields of an image, but for those that name it.
pub fn of_image(complaints: &mut Complaints<'_>, object: &Map<String, Value>) {
    for name in STRINGS {
        text(complaints, object, name);
    }
    for name in NUMBERS {
        if let Some(value) = given(object, name)
            && number(value).is_none()
        {
            complaints.of(name, "is no whole number");
        }
    }
    shared(complaints, object);
    if given(object, "family").is_some_and(|family| family != "I") {
        complaints.of("family", "is not \"I\": there are only images here");
    }
}

/// A composite has all pages of its document.
pub fn document(complaints: &mut Complaints<'_>, value: Option<&Value>) {
    origin(complaints, value);
    let text = value.and_then(Value::as_str).unwrap_or_default();
    if parts(text).is_some() && text.contains('#') {
        complaints.of("origin", "is that of a page, and not of a document");
    }
}

/// The fields of a composite, but for those that name it.
pub fn of_composite(complaints: &mut Complaints<'_>, rules: &Rules, object: &Map<String, Value>) {
    let seed = seed(complaints, object.get("incrementSeed"));
    let ends = ends(rules, seed.unwrap_or_default());
    for name in STRINGS.into_iter().chain(["text"]) {
        text(complaints, object, name);
        if let Some(template) = template(complaints, object, name) {
            bounded(complaints, name, &template, ends, LONGEST_TEXT);
        }
    }
    for name in NUMBERS {
        numbers(complaints, object, name, ends);
    }
    shared(complaints, object);
    if given(object, "originFormat").is_some_and(|format| format != PDF) {
        complaints.of("originFormat", "is not \"application/pdf\"");
    }
}

/// What is to be changed: a field that is null is taken away, but for the origin.
pub fn of_change(complaints: &mut Complaints<'_>, object: &Map<String, Value>) {
    if let Some(value) = object.get("origin") {
        origin(complaints, Some(value));
    }
    of_image(complaints, object);
}

/// What images and composites have in the same form.
fn shared(complaints: &mut Complaints<'_>, object: &Map<String, Value>) {
    if Fields::of(object).are_too_long() {
        complaints.of_all(TOO_LONG);
    }
    for name in ["mediaType", "family", "text", "textType"] {
        text(complaints, object, name);
    }
    for name in ["roles", "tags"] {
        texts(complaints, object, name);
    }
    for name in ["maxUnauthorised", "maxWidth", "openFullMax", "duration"] {
        if given(object, name).is_some_and(|value| !value.is_number()) {
            complaints.of(name, "is no number");
        }
    }
}

pub fn id(complaints: &mut Complaints<'_>, value: &Value) {
    match value.as_str() {
        None | Some("") => complaints.of("id", "is missing, or no text"),
        Some(text) if text.len() > LONGEST_ID => {
            complaints.of("id", "is longer than 400 bytes");
        }
        Some(text) if text.contains(char::is_control) => {
            complaints.of("id", "has control characters");
        }
        Some(_) => {}
    }
}

/// The numbers of the first page and of the last one that there may be.
pub fn ends(rules: &Rules, seed: i64) -> [i64; 2] {
    let pages = i64::from(rules.most_pages.saturating_sub(1));
    [seed, seed.saturating_add(pages)]
}

/// Format strings grow with their numbers.
pub fn bounded(
    complaints: &mut Complaints<'_>,
    name: &str,
    template: &Template,
    ends: [i64; 2],
    most: usize,
) {
    if ends.iter().any(|end| template.expand(*end).len() > most) {
        complaints.of(name, format!("becomes longer than {most} bytes"));
    }
}

/// The format string that identifiers are made of.
pub fn template_of_id(complaints: &mut Complaints<'_>, value: Option<&Value>) -> Option<Template> {
    id(complaints, value.unwrap_or(&Value::Null));
    let is_told = |text: &&str| text.is_empty() || text.len() > LONGEST_ID;
    let text = value?.as_str().filter(|text| !is_told(text))?;
    match Template::parse(text) {
        Err(error) => {
            complaints.of("id", format!("is no format string: {error}"));
            None
        }
        Ok(template) if !template.has_placeholder() => {
            let reason =
                "has no placeholder such as {:03d}, so that all pages would have the same one";
            complaints.of("id", reason);
            None
        }
        Ok(template) => Some(template),
    }
}

pub fn space(complaints: &mut Complaints<'_>, rules: &Rules, value: Option<&Value>) -> Option<i64> {
    let number = value.and_then(Value::as_u64);
    let Some(space) = number.and_then(|number| u32::try_from(number).ok()) else {
        complaints.of(
            "space",
            "is missing, or no whole number from 0 to 4294967295",
        );
        return None;
    };
    if !rules.spaces.is_empty() && !rules.spaces.contains(&space) {
        complaints.of("space", format!("is {space}, which there is not"));
        return None;
    }
    Some(space.into())
}

pub fn origin(complaints: &mut Complaints<'_>, value: Option<&Value>) {
    let Some(text) = value.and_then(Value::as_str) else {
        return complaints.of("origin", "is missing, or no text");
    };
    if let Err(error) = check_location(text) {
        return complaints.of("origin", format!("cannot be asked: {error}"));
    }
    let scheme = text.split(':').next().unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        complaints.of("origin", "is no http or https URL");
    }
    if parts(text).is_none() {
        complaints.of(
            "origin",
            "has another fragment than that of a page (#page=3)",
        );
    }
}

/// The name of a composite.
pub fn composite_id(complaints: &mut Complaints<'_>, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::String(text))
            if !text.is_empty() && text.len() <= LONGEST_ID && !text.contains(char::is_control) => {
        }
        Some(_) => complaints.of("compositeId", "is no text of 1 to 400 bytes on one line"),
    }
}

pub fn seed(complaints: &mut Complaints<'_>, value: Option<&Value>) -> Option<i64> {
    let seed = value.and_then(Value::as_i64);
    let seed = seed.filter(|seed| (0..=HIGHEST_SEED).contains(seed));
    if seed.is_none() {
        complaints.of(
            "incrementSeed",
            "is missing, or no whole number from 0 to 1000000000",
        );
    }
    seed
}

/// A number, or a format string that becomes one.
fn numbers(
    complaints: &mut Complaints<'_>,
    object: &Map<String, Value>,
    name: &str,
    ends: [i64; 2],
) {
    let Some(value) = given(object, name) else {
        return;
    };
    let Some(text) = value.as_str() else {
        if !value.is_i64() {
            complaints.of(name, "is no whole number and no text");
        }
        return;
    };
    if let Some(template) = template(complaints, object, name) {
        let is_number = |end: &i64| template.expand(*end).trim().parse::<i64>().is_ok();
        if !ends.iter().all(is_number) {
            complaints.of(name, format!("is {text:?}, which becomes no whole number"));
        }
    }
}

fn template(
    complaints: &mut Complaints<'_>,
    object: &Map<String, Value>,
    name: &str,
) -> Option<Template> {
    let template = Template::parse(given(object, name)?.as_str()?);
    template
        .map_err(|error| complaints.of(name, format!("is no format string: {error}")))
        .ok()
}

fn text(complaints: &mut Complaints<'_>, object: &Map<String, Value>, name: &str) {
    match given(object, name) {
        None => {}
        Some(Value::String(text)) if text.contains('\0') => {
            complaints.of(name, "has a NUL, which is no text");
        }
        Some(Value::String(text)) if text.len() <= LONGEST_TEXT => {}
        Some(Value::String(_)) => complaints.of(name, "is longer than 4000 bytes"),
        Some(_) => complaints.of(name, "is no text"),
    }
}

/// A list of texts, none of them twice.
fn texts(complaints: &mut Complaints<'_>, object: &Map<String, Value>, name: &str) {
    let Some(value) = given(object, name) else {
        return;
    };
    let texts: Option<Vec<&str>> = value
        .as_array()
        .and_then(|values| values.iter().map(Value::as_str).collect());
    let Some(texts) = texts else {
        return complaints.of(name, "is no list of texts");
    };
    let mut seen = HashSet::new();
    if !texts.iter().all(|text| seen.insert(text)) {
        complaints.of(name, "has a text twice");
    }
}

/// A field that is there; null is as if it were not.
fn given<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}
