//! Conditional requests (RFC 9110, section 13): 304 without touching a pixel (P07).

use axum::http::{HeaderMap, header};

use crate::pipeline::Validators;

/// Whether the client has a copy that may be the current one.
pub fn is_asked(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_MODIFIED_SINCE)
}

/// Whether the client's copy is the current one.
///
/// `If-Modified-Since` counts only where there is no `If-None-Match`, and only if it is the very date that was sent
/// with the copy: a file that is put back from a backup is older than the copy, but not the same.
pub fn is_current(headers: &HeaderMap, validators: &Validators) -> bool {
    let mut tags = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        return tags
            .filter_map(|line| line.to_str().ok())
            .any(|line| names(line, &validators.etag));
    }
    let since = headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|since| since.to_str().ok())
        .and_then(|since| httpdate::parse_http_date(since).ok());
    let (Some(since), Some(modified)) = (since, validators.modified) else {
        return false;
    };
    // HTTP dates have whole seconds.
    httpdate::HttpDate::from(modified) == httpdate::HttpDate::from(since)
}

/// Weak comparison (RFC 9110, section 8.8.3.2): proxies that compress make strong tags weak.
fn names(line: &str, etag: &str) -> bool {
    line.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(etag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;
    use std::time::{Duration, UNIX_EPOCH};

    fn current(name: HeaderName, value: &str) -> bool {
        let validators = Validators {
            etag: "abc".to_owned(),
            modified: Some(UNIX_EPOCH + Duration::from_millis(784_111_777_500)),
        };
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        is_current(&headers, &validators)
    }

    #[test]
    fn p07_tags() {
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(current(header::IF_NONE_MATCH, value), "{value}");
        }
        for value in ["\"abcd\"", "abc", ""] {
            assert!(!current(header::IF_NONE_MATCH, value), "{value}");
        }
    }

    #[test]
    fn p07_dates_count_whole_seconds() {
        let since = |value| current(header::IF_MODIFIED_SINCE, value);
        assert!(since("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert!(!since("Mon, 07 Nov 1994 08:49:37 GMT"));
        assert!(!since("Sun, 06 Nov 1994 08:49:36 GMT"));
        assert!(!since("yesterday"));
    }
}
