//! What JSON-LD may write in several ways.

use serde_json::{Map, Value};

pub type Object = Map<String, Value>;

/// One value, or each of a list; `null` is none.
pub fn each(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

/// The texts of a property that may be one text or a list.
pub fn texts<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a str> {
    let values = object.get(key).map_or(&[][..], each);
    values.iter().filter_map(Value::as_str)
}

/// `id` of Presentation 3, `@id` of 2.
pub fn id(object: &Object) -> Option<&str> {
    texts(object, "id").chain(texts(object, "@id")).next()
}

/// `type` of Presentation 3, `@type` of 2, without the prefix of a vocabulary: `sc:Manifest` is `Manifest`.
pub fn types(object: &Object) -> impl Iterator<Item = &str> {
    let written = texts(object, "type").chain(texts(object, "@type"));
    written.map(|text| text.rsplit([':', '#', '/']).next().unwrap_or(text))
}
