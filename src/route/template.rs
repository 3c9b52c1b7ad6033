//! Keys made of the parts of an identifier, as in `{pid|recid}/{key}.ptif`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::pattern::{Parts, Piece, is_name, pieces};
use crate::config::formats::Invalid;

/// The name of the whole identifier, which every template may use.
const IDENTIFIER: &str = "identifier";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    pieces: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Part(String, Option<Function>),
}

/// What can be done with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Recid,
    Pairs,
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        match name {
            "recid" => Some(Self::Recid),
            "pairs" => Some(Self::Pairs),
            _ => None,
        }
    }

    fn apply(self, value: &str) -> String {
        match self {
            Self::Recid => recid(value),
            Self::Pairs => pairs(value),
        }
    }
}

/// As InvenioRDM stores the tiled copies of a record's files: two folders of two characters each, filled up with `_`, and a
/// third one for the rest with `_` behind it.
fn recid(value: &str) -> String {
    let mut characters = value.chars();
    let mut two = || -> String {
        let mut next = || characters.next().unwrap_or('_');
        [next(), next()].into_iter().collect()
    };
    let (first, second) = (two(), two());
    let rest = characters.as_str();
    format!("{first}/{second}/{rest}_")
}

/// A folder for every two characters, as in a pairtree.
fn pairs(value: &str) -> String {
    let characters: Vec<char> = value.chars().collect();
    let folders = characters.chunks(2).map(|pair| pair.iter().collect());
    folders.collect::<Vec<String>>().join("/")
}

impl Template {
    pub fn fill(&self, identifier: &str, parts: &Parts<'_>) -> String {
        let mut key = String::new();
        for piece in &self.pieces {
            match piece {
                Segment::Text(text) => key += text,
                Segment::Part(name, function) => {
                    let value = parts.get(name).unwrap_or(identifier);
                    match function {
                        Some(function) => key += &function.apply(value),
                        None => key += value,
                    }
                }
            }
        }
        key
    }

    /// The parts that it uses, without that for the whole.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Segment::Part(name, _) if name != IDENTIFIER => Some(name.as_str()),
            _ => None,
        })
    }
}

fn part(text: &str) -> Result<Segment, Invalid> {
    let (name, function) = match text.split_once('|') {
        None => (text, None),
        Some((name, function)) => {
            let function = Function::named(function);
            let function = function.ok_or(Invalid("behind | stands neither recid nor pairs"))?;
            (name, Some(function))
        }
    };
    if !is_name(name) {
        return Err(Invalid(
            "a name in braces consists of letters, digits and _",
        ));
    }
    Ok(Segment::Part(name.to_owned(), function))
}

impl FromStr for Template {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let segment = |piece| match piece {
            Piece::Text(text) => Ok(Segment::Text(text.to_owned())),
            Piece::Braced(text) => part(text),
        };
        Ok(Self {
            pieces: pieces(text)?
                .into_iter()
                .map(segment)
                .collect::<Result<_, _>>()?,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl TryFrom<String> for Template {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::pattern::Pattern;

    fn key(pattern: &str, template: &str, identifier: &str) -> String {
        let pattern: Pattern = pattern.parse().unwrap();
        let parts = pattern.matches(identifier).unwrap();
        template
            .parse::<Template>()
            .unwrap()
            .fill(identifier, &parts)
    }

    #[test]
    fn a_key_is_made_of_text_and_parts() {
        let key = |template| key("{bucket}:{version}:{key}", template, "b:2:maps/1.tif");
        assert_eq!(key("{bucket}/{key}"), "b/maps/1.tif");
        assert_eq!(key("prefix-{key}.jp2"), "prefix-maps/1.tif.jp2");
        assert_eq!(key("{identifier}"), "b:2:maps/1.tif");
    }

    /// The vectors of InvenioRDM.
    #[test]
    fn f001_2_the_folders_of_a_record() {
        let folders = |id| key("{id}", "{id|recid}", id);
        assert_eq!(folders("1"), "1_/__/_");
        assert_eq!(folders("123"), "12/3_/_");
        assert_eq!(folders("1234"), "12/34/_");
        assert_eq!(folders("1234567"), "12/34/567_");
        assert_eq!(folders("8a4dq-z5237"), "8a/4d/q-z5237_");
    }

    #[test]
    fn a_pairtree() {
        assert_eq!(
            key("{id}", "{id|pairs}/{id}.jp2", "12345"),
            "12/34/5/12345.jp2"
        );
        assert_eq!(key("{id}", "{id|pairs}", "äöü"), "äö/ü");
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for text in ["{a|md5}", "{a", "{|recid}", "{a|}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
