//! What is said of an asset by the one who posts it.

use serde_json::{Map, Value, json};

use super::composite::{NUMBERS, STRINGS};

/// Bytes of all that is said of an asset, as JSON: each page of a composite has a copy, and each line of a listing.
const LONGEST: usize = 16 << 10;
/// What is wrong with more.
pub const TOO_LONG: &str = "what is said of an image is longer than 16384 bytes of JSON";

/// The fields of an asset that are not made by the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// Where it comes from: an http or https URL.
    pub origin: String,
    pub strings: [Option<String>; 3],
    pub numbers: [Option<i64>; 3],
    /// All others, such as `roles`, `tags` and `mediaType`, as they were given.
    pub others: Map<String, Value>,
}

impl Fields {
    /// Of an object that [`validation`](super::validation) has found to be right.
    pub fn of(object: &Map<String, Value>) -> Self {
        let mut fields = Self::default();
        fields.change(object);
        fields
    }

    /// Takes over what an object says. A `null` takes a field away.
    pub fn change(&mut self, object: &Map<String, Value>) {
        for (name, value) in object {
            self.set(name, value);
        }
    }

    /// Whether there are more bytes of them than an asset may have.
    pub fn are_too_long(&self) -> bool {
        serde_json::to_vec(&self.to_json()).map_or(true, |json| json.len() > LONGEST)
    }

    fn set(&mut self, name: &str, value: &Value) {
        let place = |names: [&str; 3]| names.iter().position(|known| *known == name);
        if name == "origin" {
            self.origin = value.as_str().unwrap_or_default().to_owned();
        } else if let Some(at) = place(STRINGS) {
            self.strings[at] = value.as_str().map(str::to_owned);
        } else if let Some(at) = place(NUMBERS) {
            self.numbers[at] = number(value);
        } else if value.is_null() {
            self.others.shift_remove(name);
        } else if !is_of_the_server(name) {
            self.others.insert(name.to_owned(), value.clone());
        }
    }

    /// As they are told: strings and numbers are always there.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("origin".to_owned(), json!(self.origin));
        for (name, value) in STRINGS.iter().zip(&self.strings) {
            let text = value.as_deref().unwrap_or_default();
            object.insert((*name).to_owned(), json!(text));
        }
        for (name, value) in NUMBERS.iter().zip(self.numbers) {
            object.insert((*name).to_owned(), json!(value.unwrap_or_default()));
        }
        object.extend(self.others.clone());
        object
    }
}

/// A number, or a text of one.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    }
}

/// What a client sends back of what it was told, and cannot change.
fn is_of_the_server(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "id",
        "space",
        "customer",
        "width",
        "height",
        "created",
        "finished",
        "ingesting",
        "error",
        "batch",
        "service",
        "imageService",
        "thumbnailImageService",
        "storage",
        "duration",
        "queued",
        "dequeued",
        "location",
    ];
    name.starts_with('@') || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_told_can_be_given_back() {
        let given = object(json!({
            "@id": "x", "id": "a", "space": 5, "width": 7, "origin": "https://a.org/1.tif",
            "string2": "s", "number1": "7", "number3": 3, "roles": ["r"], "tags": [],
        }));
        let fields = Fields::of(&given);
        let told = json!({
            "origin": "https://a.org/1.tif", "string1": "", "string2": "s", "string3": "",
            "number1": 7, "number2": 0, "number3": 3, "roles": ["r"], "tags": [],
        });
        assert_eq!(Value::Object(fields.to_json()), told);
        assert_eq!(Fields::of(&fields.to_json()).to_json(), fields.to_json());
    }

    #[test]
    fn what_is_not_said_stays_and_null_takes_away() {
        let mut fields = Fields::of(&object(
            json!({"origin": "https://a.org/1", "string1": "a", "tags": ["x"], "roles": []}),
        ));
        fields.change(&object(
            json!({"string1": null, "number2": 4, "tags": null}),
        ));
        let told = json!({
            "origin": "https://a.org/1", "string1": "", "string2": "", "string3": "",
            "number1": 0, "number2": 4, "number3": 0, "roles": [],
        });
        assert_eq!(Value::Object(fields.to_json()), told);
    }
}
