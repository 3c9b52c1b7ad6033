//! Identifiers of pages: the identifier of a file, and the number of a page.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::{Piece, pieces};
use crate::config::formats::Invalid;
use crate::page::Page;

/// How pages of PDF documents and of TIFF files with several images are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagesConfig {
    /// What the identifiers of pages look like: `{id}` stands for the identifier of the file, which by itself means the first page,
    /// and `{page}` for a number from 1. An image whose own identifier looks like that is found first. Other servers' links
    /// look like `{id}/page/{page}` or `{id}_p{page}`; where there are several, all are understood.
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "format": "page-pattern"}))]
    pub patterns: Vec<PagePattern>,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self {
            patterns: vec!["{id};{page}".parse().expect("a pattern")],
        }
    }
}

/// What the identifier of a page looks like. Promise: there is text between the two parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PagePattern {
    before: String,
    between: String,
    after: String,
}

impl PagePattern {
    /// The identifier of the file and the page. What separates them may stand in the identifier, too.
    pub fn split<'a>(&self, identifier: &'a str) -> Option<(&'a str, Page)> {
        let rest = identifier.strip_prefix(&*self.before)?;
        let rest = rest.strip_suffix(&*self.after)?;
        let (id, number) = rest.rsplit_once(&*self.between)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let page = Page::new(is_number.then(|| number.parse().ok())??)?;
        (!id.is_empty()).then_some((id, page))
    }

    /// The identifier of a page of a file.
    pub fn join(&self, identifier: &str, page: Page) -> String {
        let Self {
            before,
            between,
            after,
        } = self;
        format!("{before}{identifier}{between}{page}{after}")
    }
}

impl FromStr for PagePattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const RULE: Invalid = Invalid("it has to be {id}, some text, and {page}");
        let all = pieces(text)?;
        let (before, rest) = match &all[..] {
            [Piece::Text(before), rest @ ..] => (*before, rest),
            rest => ("", rest),
        };
        let (between, after) = match rest {
            [
                Piece::Braced("id"),
                Piece::Text(between),
                Piece::Braced("page"),
            ] => (*between, ""),
            [
                Piece::Braced("id"),
                Piece::Text(between),
                Piece::Braced("page"),
                Piece::Text(after),
            ] => (*between, *after),
            _ => return Err(RULE),
        };
        Ok(Self {
            before: before.to_owned(),
            between: between.to_owned(),
            after: after.to_owned(),
        })
    }
}

impl fmt::Display for PagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            before,
            between,
            after,
        } = self;
        write!(f, "{before}{{id}}{between}{{page}}{after}")
    }
}

impl From<PagePattern> for String {
    fn from(pattern: PagePattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for PagePattern {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pattern: &str, identifier: &str) -> Option<(String, u32)> {
        let pattern: PagePattern = pattern.parse().unwrap();
        let (id, page) = pattern.split(identifier)?;
        Some((id.to_owned(), page.number()))
    }

    #[test]
    fn the_page_is_told_from_the_right() {
        let found = |id: &str, page| Some((id.to_owned(), page));
        assert_eq!(split("{id};{page}", "a.pdf;12"), found("a.pdf", 12));
        assert_eq!(split("{id};{page}", "a;b;7"), found("a;b", 7));
        assert_eq!(split("{id}/page/{page}", "x/a/page/3"), found("x/a", 3));
        assert_eq!(split("{id}_p{page}", "a_p_p010"), found("a_p", 10));
        assert_eq!(split("doc:{id}:{page}.pdf", "doc:a:2.pdf"), found("a", 2));
    }

    #[test]
    fn pages_are_named_as_they_are_told() {
        for text in ["{id};{page}", "{id}/page/{page}", "doc:{id}:{page}.pdf"] {
            let pattern: PagePattern = text.parse().unwrap();
            let page = Page::new(12).unwrap();
            let name = pattern.join("a;3", page);
            assert_eq!(pattern.split(&name), Some(("a;3", page)), "{name}");
        }
    }

    #[test]
    fn what_names_no_page() {
        for identifier in [
            "a",
            "a;",
            "a;b",
            "a;0",
            "a;+2",
            "a;-1",
            ";2",
            "a;2;",
            "a;99999999999",
        ] {
            assert_eq!(split("{id};{page}", identifier), None, "{identifier}");
        }
    }

    #[test]
    fn a_pattern_has_both_parts_and_text_between() {
        for text in [
            "",
            "{id}",
            "{page}",
            "{id}{page}",
            "{page};{id}",
            "{id};{page};{id}",
            "{id;{page}",
        ] {
            assert!(text.parse::<PagePattern>().is_err(), "{text}");
        }
        for text in ["{id};{page}", "a{id}b{page}c"] {
            assert_eq!(text.parse::<PagePattern>().unwrap().to_string(), text);
        }
    }
}
