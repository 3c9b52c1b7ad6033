//! `Content-Disposition` (RFC 6266): a telling name for saving (P09).

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::iiif::Identifier;
use crate::pipeline::Prepared;

/// `attr-char` of RFC 8187, section 3.2.1.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
const LONGEST_NAME: usize = 150;

/// `inline`, or `attachment` if the query has `dl`: with the name that it gives, or else with one made from the
/// identifier and the canonical request.
pub fn disposition(prepared: &Prepared, query: Option<&str>) -> HeaderValue {
    let asked = query.and_then(download_name);
    let kind = if asked.is_some() {
        "attachment"
    } else {
        "inline"
    };
    let name = asked.map(|name| file_name(&name));
    // Of a name such as ".." nothing is left.
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| file_name(&default_name(prepared)));
    header(kind, &name)
}

/// `attachment`, under the name of a document.
pub fn document(identifier: &Identifier) -> HeaderValue {
    let name = identifier.to_string();
    let name = file_name(name.rsplit('/').next().unwrap_or(&name));
    match name.to_lowercase().ends_with(".pdf") {
        true => header("attachment", &name),
        false => header("attachment", &format!("{name}.pdf")),
    }
}

fn header(kind: &str, name: &str) -> HeaderValue {
    let value = if name.is_ascii() {
        format!("{kind}; filename=\"{name}\"")
    } else {
        let plain: String = name.chars().map(ascii).collect();
        let encoded = utf8_percent_encode(name, ATTRIBUTE);
        format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
    };
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("inline"))
}

fn download_name(query: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|pair| match pair.split_once('=') {
            Some(("dl", value)) => Some(value),
            None if pair == "dl" => Some(""),
            _ => None,
        })?;
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    Some(decoded.into_owned())
}

fn default_name(prepared: &Prepared) -> String {
    let identifier = prepared.request.identifier.to_string();
    let stem = identifier.rsplit('/').next().unwrap_or(&identifier);
    [stem, &prepared.canonical].join(" ")
}

/// One file name: nothing that a path, a shell or a file system treats specially.
fn file_name(text: &str) -> String {
    let is_punctuation = |c| matches!(c, '.' | ',' | '-' | '_' | '(' | ')' | ' ');
    let tame = |c: char| {
        if c.is_alphanumeric() || is_punctuation(c) {
            c
        } else {
            '_'
        }
    };
    // The end tells more: region, size and extension.
    let excess = text.chars().count().saturating_sub(LONGEST_NAME);
    let mut name = String::with_capacity(text.len());
    name.extend(
        text.chars()
            .skip(excess)
            .map(tame)
            .skip_while(|c| matches!(c, '.' | ' ')),
    );
    name
}

fn ascii(character: char) -> char {
    if character.is_ascii() { character } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tamed() {
        assert_eq!(file_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(file_name(".."), "");
        assert_eq!(file_name("map 1\r\n\"x\".jpg"), "map 1___x_.jpg");
    }

    #[test]
    fn names_beyond_ascii_are_given_twice() {
        let value = header("inline", "Käse.jpg");
        assert_eq!(
            value,
            "inline; filename=\"K_se.jpg\"; filename*=UTF-8''K%C3%A4se.jpg"
        );
    }

    #[test]
    fn the_query_may_name_the_download() {
        assert_eq!(
            download_name("a=b&dl=x%20y.jpg").as_deref(),
            Some("x y.jpg")
        );
        assert_eq!(download_name("dl").as_deref(), Some(""));
        assert_eq!(download_name("dlx=1"), None);
    }
}
