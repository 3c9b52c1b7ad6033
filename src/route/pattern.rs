//! What identifiers look like: text with named parts, as in `{bucket}:{version}:{key}`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::formats::Invalid;

/// Promises: no two parts without text between them, no name twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    /// Each with the text before it.
    parts: Vec<(String, String)>,
    /// The text after the last one.
    end: String,
}

/// The parts of an identifier by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parts<'a> {
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(each, _)| *each == name);
        found.map(|(_, value)| *value)
    }
}

impl Pattern {
    /// The parts of an identifier that looks like this. Each is as short as the text behind it allows, and not empty; the
    /// last one is what is left, whatever is in it.
    ///
    /// # Errors
    /// With the text that was expected, and where, in words that follow "does not match:".
    pub fn matches<'a>(&'a self, identifier: &'a str) -> Result<Parts<'a>, Mismatch<'a>> {
        let mut rest = identifier;
        let mut found = Vec::new();
        for (index, (before, name)) in self.parts.iter().enumerate() {
            rest = rest
                .strip_prefix(before.as_str())
                .ok_or(Mismatch::Begin(before))?;
            let next = self.parts.get(index + 1).map(|(text, _)| text);
            let value = match next {
                Some(next) => up_to(rest, next).ok_or(Mismatch::Within(next))?,
                None => rest
                    .strip_suffix(self.end.as_str())
                    .ok_or(Mismatch::End(&self.end))?,
            };
            if value.is_empty() {
                return Err(Mismatch::Empty(name));
            }
            found.push((name.as_str(), value));
            rest = &rest[value.len()..];
        }
        if rest != self.end {
            return Err(Mismatch::Other(&self.text));
        }
        Ok(Parts(found))
    }

    /// The same for identifiers in lower case.
    pub fn in_lower_case(&self) -> Self {
        let part = |(before, name): &(String, String)| (lower_case(before), name.clone());
        Self {
            text: self.text.clone(),
            parts: self.parts.iter().map(part).collect(),
            end: lower_case(&self.end),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(_, name)| name.as_str())
    }
}

/// Letter by letter: what a letter becomes does not depend on those beside it, of which a pattern has only some.
pub fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// As short as possible, but at least one character.
fn up_to<'a>(text: &'a str, next: &str) -> Option<&'a str> {
    let first = text.chars().next()?.len_utf8();
    let at = text[first..].find(next)?;
    Some(&text[..first + at])
}

/// Why an identifier does not look like a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch<'a> {
    #[error("it does not begin with \"{0}\"")]
    Begin(&'a str),
    #[error("there is no \"{0}\" in what follows")]
    Within(&'a str),
    #[error("it does not end with \"{0}\"")]
    End(&'a str),
    #[error("nothing stands for {{{0}}}")]
    Empty(&'a str),
    #[error("it is not \"{0}\"")]
    Other(&'a str),
}

/// One piece of a text with parts in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Braced(&'a str),
}

/// Takes a text with braces apart.
///
/// # Errors
/// If a brace has no partner.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Invalid> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        if !rest[at..].starts_with('{') {
            return Err(Invalid("it has a } without a {"));
        }
        found.push(Piece::Text(&rest[..at]));
        let (braced, after) = rest[at + 1..]
            .split_once('}')
            .ok_or(Invalid("it has a { without a }"))?;
        found.push(Piece::Braced(braced));
        rest = after;
    }
    found.push(Piece::Text(rest));
    found.retain(|piece| *piece != Piece::Text(""));
    Ok(found)
}

/// The name of a part: letters, digits and `_`.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl FromStr for Pattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut pattern = Self {
            text: text.to_owned(),
            parts: Vec::new(),
            end: String::new(),
        };
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => text.clone_into(&mut pattern.end),
                Piece::Braced(name) => pattern.push(name)?,
            }
        }
        Ok(pattern)
    }
}

impl Pattern {
    fn push(&mut self, name: &str) -> Result<(), Invalid> {
        if !is_name(name) {
            return Err(Invalid(
                "a name in braces consists of letters, digits and _",
            ));
        }
        if self.names().any(|known| known == name) {
            return Err(Invalid("two parts have the same name"));
        }
        let before = std::mem::take(&mut self.end);
        if before.is_empty() && !self.parts.is_empty() {
            return Err(Invalid(
                "there is no text between two parts, so nobody knows where the first ends",
            ));
        }
        self.parts.push((before, name.to_owned()));
        Ok(())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl TryFrom<String> for Pattern {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pattern: &str, identifier: &str) -> Option<Vec<(String, String)>> {
        let pattern: Pattern = pattern.parse().unwrap();
        let found = pattern.matches(identifier).ok()?;
        let owned = found
            .0
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(owned.collect())
    }

    fn values(pattern: &str, identifier: &str) -> Option<Vec<String>> {
        let found = parts(pattern, identifier)?;
        Some(found.into_iter().map(|(_, value)| value).collect())
    }

    /// The key may contain what separates the parts before it.
    #[test]
    fn f001_1_bucket_version_and_key() {
        let pattern = "{bucket}:{version}:{key}";
        assert_eq!(
            values(pattern, "b1:v2:maps/Über #1: 50%.tif").unwrap(),
            ["b1", "v2", "maps/Über #1: 50%.tif"]
        );
        assert_eq!(values(pattern, "b1:v2::").unwrap(), ["b1", "v2", ":"]);
        assert_eq!(values(pattern, "b1:v2:"), None);
        assert_eq!(values(pattern, "b1:v2"), None);
        assert_eq!(values(pattern, ":v2:key"), None);
    }

    #[test]
    fn text_stands_for_itself_at_both_ends() {
        assert_eq!(
            values("record:{pid}.tif", "record:1.tif.tif").unwrap(),
            ["1.tif"]
        );
        assert_eq!(values("record:{pid}", "draft:1"), None);
        assert_eq!(values("exact", "exact").unwrap(), [""; 0]);
        assert_eq!(values("exact", "exactly"), None);
    }

    #[test]
    fn it_says_why_it_does_not_match() {
        let pattern: Pattern = "record:{pid}:{key}.tif".parse().unwrap();
        let why = |identifier| pattern.matches(identifier).unwrap_err().to_string();
        assert_eq!(why("draft:1"), "it does not begin with \"record:\"");
        assert_eq!(why("record:1"), "there is no \":\" in what follows");
        assert_eq!(why("record:1:a.jpg"), "it does not end with \".tif\"");
        assert_eq!(why("record:1:.tif"), "nothing stands for {key}");
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for text in ["{a}{b}", "{a", "a}", "{}", "{a b}", "{a}-{a}"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
