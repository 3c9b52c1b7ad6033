//! What the status and the headers of a response mean.

use std::ops::Range;

use futures_util::{StreamExt, stream};
use reqwest::Response;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED,
    RETRY_AFTER,
};

use crate::source::remote::ask::{Answer, Ask, Body, State, Validators};
use crate::source::remote::error::{Failure, RemoteError};
use crate::source::remote::status;

/// # Errors
/// If it is no answer with bytes, nor that the file has not changed.
pub fn answer(ask: &Ask, response: Response) -> Result<Answer, RemoteError> {
    let headers = response.headers();
    match response.status().as_u16() {
        200 | 206 if !is_plain(headers) => {
            Err(RemoteError::Broken("the origin compressed its answer"))
        }
        200 => Ok(Answer::Whole {
            size: text(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            validators: validators(headers),
            body: body(response),
        }),
        206 => part(response),
        304 => Ok(Answer::Unchanged),
        416 if is_empty(ask, headers) => Ok(nothing(headers)),
        status => Err(status::meaning(status, text(headers, &RETRY_AFTER))),
    }
}

/// RFC 9110, section 15.3.7.
fn part(response: Response) -> Result<Answer, RemoteError> {
    const WRONG: RemoteError = RemoteError::Broken("the origin does not say which range it sends");
    let headers = response.headers();
    let content = text(headers, &CONTENT_RANGE).and_then(content_range);
    let (range, size) = content.ok_or(WRONG)?;
    let length = text(headers, &CONTENT_LENGTH).map(str::parse);
    if length.is_some_and(|length| length != Ok(range.end - range.start)) {
        return Err(RemoteError::Broken(
            "the origin's range has another length than it says",
        ));
    }
    let validators = validators(headers);
    Ok(Answer::Part {
        state: State { size, validators },
        range,
        body: body(response),
    })
}

/// Of an empty file there is no range (RFC 9110, section 15.5.17).
fn is_empty(ask: &Ask, headers: &HeaderMap) -> bool {
    let is_start = ask.range.as_ref().is_some_and(|range| range.start == 0);
    is_start && text(headers, &CONTENT_RANGE) == Some("bytes */0")
}

fn nothing(headers: &HeaderMap) -> Answer {
    let validators = validators(headers);
    Answer::Part {
        state: State {
            size: 0,
            validators,
        },
        range: 0..0,
        body: stream::empty().boxed(),
    }
}

fn body(response: Response) -> Body {
    let chunks = stream::unfold(response, |mut response| async {
        let chunk = response.chunk().await.transpose()?;
        Some((chunk.map_err(|_| Failure::BrokenOff.into()), response))
    });
    chunks.boxed()
}

fn validators(headers: &HeaderMap) -> Validators {
    let tag = text(headers, &ETAG).map(str::to_owned);
    let modified = text(headers, &LAST_MODIFIED);
    let modified = modified.and_then(|date| httpdate::parse_http_date(date).ok());
    Validators::new(tag, None, modified)
}

/// `bytes 0-99/1000`: the range and the size.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let size: u64 = size.parse().ok()?;
    let range = first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?;
    (range.start < range.end && range.end <= size).then_some((range, size))
}

fn is_plain(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_ENCODING).is_none_or(|it| it.eq_ignore_ascii_case("identity"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_to_lie_within_the_file() {
        assert_eq!(content_range("bytes 0-99/1000"), Some((0..100, 1000)));
        for wrong in [
            "bytes 0-99/*",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes 0-18446744073709551615/18446744073709551615",
            "items 0-1/2",
            "bytes */10",
            "bytes -1-2/10",
            "",
        ] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }
}
