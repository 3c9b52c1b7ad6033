//! One document: a manifest, a collection, or the description of an image.

use serde_json::Value;

use super::json::{Object, each, id, types};
use super::service::{self, Service};

/// What a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    Manifest,
    Collection,
    /// An `info.json`.
    Information,
    #[default]
    Other,
}

/// What a document names, in its order; what it names twice stands here twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub kind: Kind,
    /// The base URIs of image services.
    pub images: Vec<String>,
    /// The URLs of thumbnails.
    pub thumbnails: Vec<String>,
    /// The URLs of manifests and collections that belong to a collection and are not embedded in it.
    pub members: Vec<String>,
    /// What the services are that give no images.
    pub other_services: Vec<String>,
}

/// What links to something above or beside the document, not to a part of it.
const ELSEWHERE: [&str; 5] = ["partOf", "within", "seeAlso", "homepage", "rendering"];
/// What a collection lists its members by; `first` and `next` are the pages of a long one (Presentation 2.1, section 5.8).
const MEMBERS: [&str; 6] = [
    "items",
    "members",
    "manifests",
    "collections",
    "first",
    "next",
];

impl Document {
    /// Of a document that is no manifest, collection or `info.json`, nothing is read.
    ///
    /// # Errors
    /// If the bytes are no JSON. A byte order mark is no error.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let value: Value = serde_json::from_slice(without_mark(bytes))?;
        let Value::Object(object) = value else {
            return Ok(Self::default());
        };
        let mut document = Self {
            kind: Kind::of(&object),
            ..Self::default()
        };
        match document.kind {
            Kind::Manifest | Kind::Collection => document.visit_object(&object),
            Kind::Information => document.visit_service(&Value::Object(object)),
            Kind::Other => {}
        }
        Ok(document)
    }

    /// Finds services and thumbnails at any depth: of canvases, annotations, choices, ranges. How deep values nest is
    /// bounded by the parser of JSON.
    fn visit(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.visit(value)),
            Value::Object(object) => self.visit_object(object),
            _ => {}
        }
    }

    fn visit_object(&mut self, object: &Object) {
        let lists_members = Kind::of(object) == Kind::Collection;
        for (key, value) in object {
            match key.as_str() {
                "service" | "services" => each(value).iter().for_each(|v| self.visit_service(v)),
                "thumbnail" => each(value).iter().for_each(|v| self.visit_thumbnail(v)),
                key if ELSEWHERE.contains(&key) => {}
                key if lists_members && MEMBERS.contains(&key) => {
                    each(value).iter().for_each(|v| self.visit_member(v));
                }
                _ => self.visit(value),
            }
        }
    }

    /// Services have services: an image those for logging in.
    fn visit_service(&mut self, value: &Value) {
        match Service::of(value) {
            Service::Image(uri) => self.images.push(uri),
            Service::Other(what) => self.other_services.push(what),
        }
        self.visit(value);
    }

    /// A URL, or an object with one and perhaps a service.
    fn visit_thumbnail(&mut self, value: &Value) {
        let url = value
            .as_str()
            .or_else(|| value.as_object().and_then(|object| id(object)));
        self.thumbnails.extend(url.map(str::to_owned));
        self.visit(value);
    }

    /// A member is embedded, or has to be fetched; even then its thumbnail may stand here.
    fn visit_member(&mut self, value: &Value) {
        match value {
            Value::String(url) => self.members.push(url.clone()),
            Value::Object(object) if !is_embedded(object) => {
                self.members.extend(id(object).map(str::to_owned));
                self.visit_object(object);
            }
            value => self.visit(value),
        }
    }
}

impl Kind {
    fn of(object: &Object) -> Self {
        let named = types(object).find_map(|name| match name {
            "Manifest" => Some(Self::Manifest),
            "Collection" => Some(Self::Collection),
            _ => None,
        });
        named.unwrap_or_else(|| Self::by_content(object))
    }

    /// Without a type, what only one kind has tells.
    fn by_content(object: &Object) -> Self {
        if object.contains_key("sequences") || first_item_is(object, &["Canvas"]) {
            Self::Manifest
        } else if ["manifests", "collections"]
            .iter()
            .any(|key| object.contains_key(*key))
            || first_item_is(object, &["Manifest", "Collection"])
        {
            Self::Collection
        } else if service::is_image(object) && object.contains_key("width") {
            Self::Information
        } else {
            Self::Other
        }
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

fn first_item_is(object: &Object, names: &[&str]) -> bool {
    let items = object.get("items").map_or(&[][..], each);
    let first = items.first().and_then(Value::as_object);
    first.is_some_and(|item| types(item).any(|name| names.contains(&name)))
}

/// Whether what a member consists of stands in it.
fn is_embedded(object: &Object) -> bool {
    let parts = ["sequences", "items", "members", "manifests", "collections"];
    parts.iter().any(|key| {
        let part = object.get(*key);
        part.is_some_and(|part| !each(part).is_empty())
    })
}

#[cfg(test)]
mod tests;
