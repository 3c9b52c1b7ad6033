//! Texts for people, in one language or in several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Of a text whose language is not known (Presentation API 3.0, section 4.3).
const NONE: &str = "none";

/// A text, or the same in several languages: a language map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Texts(BTreeMap<String, String>);

/// As it stands in a configuration.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Map(BTreeMap<String, String>),
}

impl Texts {
    /// For the schema of the configuration.
    pub const SCHEMA: &[&str] = &["string", "object"];

    pub fn english(text: &str) -> Self {
        Self(BTreeMap::from([("en".to_owned(), text.to_owned())]))
    }

    /// As a language map in JSON: each value a list.
    pub fn language_map(&self) -> Value {
        self.0
            .iter()
            .map(|(language, text)| (language.clone(), json!([text])))
            .collect()
    }

    /// The one that suits an `Accept-Language` best (RFC 9110, section 12.5.4), with its language if it is known.
    pub fn best(&self, accepted: &str) -> (Option<&str>, &str) {
        let wanted = ranges(accepted);
        let found = wanted.iter().find_map(|range| self.in_language(range));
        let found = found.or_else(|| self.in_language("en"));
        let (language, text) = found.or_else(|| self.0.iter().next()).unzip();
        let language = language.map(String::as_str).filter(|it| *it != NONE);
        (language, text.map_or("", String::as_str))
    }

    /// `de` fits `de-AT`, and the other way round (RFC 4647, section 3.4, and a bit more).
    fn in_language(&self, range: &str) -> Option<(&String, &String)> {
        let main = |tag: &str| tag.split('-').next().unwrap_or(tag).to_lowercase();
        let exact = self
            .0
            .iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(range));
        exact.or_else(|| self.0.iter().find(|(tag, _)| main(tag) == main(range)))
    }
}

/// The languages of the header, those that are preferred first.
fn ranges(accepted: &str) -> Vec<&str> {
    let mut ranges: Vec<(i32, &str)> = accepted.split(',').filter_map(weighed).collect();
    ranges.sort_by_key(|(weight, _)| -weight);
    ranges.into_iter().map(|(_, range)| range).collect()
}

/// With its weight in thousandths.
fn weighed(element: &str) -> Option<(i32, &str)> {
    let (range, parameters) = element.split_once(';').unwrap_or((element, ""));
    let weight = parameters.trim().strip_prefix("q=");
    let weight = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0_f32));
    let range = range.trim();
    (weight > 0.0 && !range.is_empty() && range != "*").then_some(((weight * 1000.0) as i32, range))
}

impl From<Written> for Texts {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self(BTreeMap::from([(NONE.to_owned(), text)])),
            Written::Map(map) => Self(map),
        }
    }
}

impl From<Texts> for Written {
    fn from(Texts(mut map): Texts) -> Self {
        match map.remove(NONE) {
            Some(text) if map.is_empty() => Self::Text(text),
            Some(text) => Self::Map(map.into_iter().chain([(NONE.to_owned(), text)]).collect()),
            None => Self::Map(map),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: Value) -> Texts {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_text_is_one_in_no_language() {
        let text = texts(json!("Log in"));
        assert_eq!(text.language_map(), json!({"none": ["Log in"]}));
        assert_eq!(text.best("de, en;q=0.5"), (None, "Log in"));
        assert_eq!(serde_json::to_value(&text).unwrap(), json!("Log in"));
    }

    #[test]
    fn the_language_that_is_preferred_is_spoken() {
        let map = json!({"de": "Anmelden", "en": "Log in", "pt-BR": "Entrar"});
        let texts = texts(map.clone());
        for (accepted, expected) in [
            ("pt-PT, en;q=0.9", (Some("pt-BR"), "Entrar")),
            ("en;q=0.2,de-AT", (Some("de"), "Anmelden")),
            ("de;q=0, fr", (Some("en"), "Log in")),
            ("", (Some("en"), "Log in")),
            ("*", (Some("en"), "Log in")),
            ("de;q=x", (Some("en"), "Log in")),
        ] {
            assert_eq!(texts.best(accepted), expected, "{accepted}");
        }
        assert_eq!(serde_json::to_value(&texts).unwrap(), map);
    }
}
