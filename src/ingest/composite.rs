//! A document whose pages become assets, as it was posted.

use serde_json::{Map, Value, json};

use super::asset::{NewAsset, Place};
use super::fields::Fields;
use super::template::Template;

/// Fields that say how pages are made, and are none of theirs.
const OF_THE_COMPOSITE: [&str; 3] = ["originFormat", "incrementSeed", "compositeId"];
pub const STRINGS: [&str; 3] = ["string1", "string2", "string3"];
pub const NUMBERS: [&str; 3] = ["number1", "number2", "number3"];

/// The fields of a composite, which [`validation`](super::validation) has found to be right: `id` and `origin` are texts, `space` and
/// `incrementSeed` whole numbers, and what are format strings can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite(pub(super) Map<String, Value>);

impl Composite {
    pub fn space(&self) -> i64 {
        self.number("space")
    }

    /// Where its document comes from.
    pub fn origin(&self) -> &str {
        self.text("origin").unwrap_or_default()
    }

    /// What the customer calls it, to replace it later.
    pub fn composite_id(&self) -> Option<&str> {
        self.text("compositeId")
    }

    /// The number that its first page is given.
    pub fn seed(&self) -> i64 {
        self.number("incrementSeed")
    }

    /// The identifier of a page, counted from 0.
    pub fn page_id(&self, index: u32) -> String {
        self.expanded("id", self.seed() + i64::from(index))
            .unwrap_or_default()
    }

    /// The asset that a page becomes, counted from 0. Its media type and family are those of the images that are made of it.
    pub fn page(&self, index: u32, place: Place) -> NewAsset {
        let number = self.seed() + i64::from(index);
        let strings = STRINGS.map(|name| self.expanded(name, number));
        let numbers = NUMBERS.map(|name| self.expanded_number(name, number));
        NewAsset {
            space: self.space(),
            id: self.page_id(index),
            fields: Fields {
                origin: format!("{}#page={}", self.origin(), index + 1),
                strings,
                numbers,
                others: self.others(number),
            },
            place: Some(place),
        }
    }

    fn others(&self, number: i64) -> Map<String, Value> {
        let mut others = Fields::of(&self.0).others;
        others.retain(|name, _| !OF_THE_COMPOSITE.contains(&name.as_str()));
        if let Some(text) = self.expanded("text", number) {
            others.insert("text".to_owned(), json!(text));
        }
        others.insert("mediaType".to_owned(), json!("image/jpeg"));
        others.insert("family".to_owned(), json!("I"));
        others
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    fn expanded(&self, name: &str, number: i64) -> Option<String> {
        let template = Template::parse(self.text(name)?).ok()?;
        Some(template.expand(number))
    }

    fn expanded_number(&self, name: &str, number: i64) -> Option<i64> {
        match self.0.get(name)? {
            Value::String(_) => self.expanded(name, number)?.trim().parse().ok(),
            value => value.as_i64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    fn place(page: u32) -> Place {
        Place {
            location: "composites:a.pdf".to_owned(),
            page: Page::new(page).unwrap(),
            resolution: Some(300),
            cut: None,
            width: 2480,
            height: 3508,
        }
    }

    /// The example of RFC 011, with the three digits that its format strings mean, and with what only the server can say.
    #[test]
    fn pages_are_as_the_rfc_shows_them() {
        let Value::Object(fields) = json!({
            "@type": "vocab:Composite",
            "id": "my-pdf-{:03d}",
            "space": 6,
            "origin": "https://example.org/my-pdf.pdf",
            "string1": "my-id-{:03d}",
            "string2": "",
            "number1": "0",
            "number2": "{:03d}",
            "number3": 5,
            "roles": [],
            "family": "I",
            "text": "https://example.org/text/alto/my-pdf/my-pdf-{:-03d}.xml",
            "textType": "alto",
            "maxUnauthorised": -1,
            "originFormat": "application/pdf",
            "incrementSeed": 8,
            "compositeId": "my-pdf",
            "width": 1,
            "imageService": "https://example.org/elsewhere",
            "error": "none",
            "batch": 7,
            "ingesting": true,
            "finished": "never",
        }) else {
            unreachable!()
        };
        let composite = Composite(fields);
        let asset = composite.page(2, place(3));
        assert_eq!((asset.space, asset.id.as_str()), (6, "my-pdf-010"));
        assert_eq!(asset.fields.origin, "https://example.org/my-pdf.pdf#page=3");
        let strings = asset.fields.strings;
        assert_eq!(
            strings,
            [Some("my-id-010".to_owned()), Some(String::new()), None]
        );
        assert_eq!(asset.fields.numbers, [Some(0), Some(10), Some(5)]);
        let expected = json!({
            "roles": [],
            "family": "I",
            "text": "https://example.org/text/alto/my-pdf/my-pdf-010.xml",
            "textType": "alto",
            "maxUnauthorised": -1,
            "mediaType": "image/jpeg",
        });
        assert_eq!(Value::Object(asset.fields.others), expected);
    }
}
