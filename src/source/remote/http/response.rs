//! What the status and the headers of a response mean.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use reqwest::Response;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED,
    RETRY_AFTER,
};

use crate::source::remote::ask::{Answer, Ask, Body, State, Validators};
use crate::source::remote::error::{Failure, RemoteError};

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
        404 | 410 => Err(RemoteError::Absent),
        401 | 403 | 407 | 451 => Err(RemoteError::Refused("the origin does not give the file")),
        412 => Err(RemoteError::Changed),
        416 => unsatisfied(ask, headers),
        status @ (408 | 425 | 429 | 500 | 502..=504 | 507..=599) => {
            let after = text(headers, &RETRY_AFTER).and_then(pause);
            Err(Failure::Status { status, after }.into())
        }
        _ => Err(RemoteError::Broken(
            "the origin's answer has a status that means nothing here",
        )),
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

/// Where no byte of the range exists (RFC 9110, section 15.5.17): an empty file, or one that has become shorter.
fn unsatisfied(ask: &Ask, headers: &HeaderMap) -> Result<Answer, RemoteError> {
    let size = text(headers, &CONTENT_RANGE).and_then(|it| it.strip_prefix("bytes */"));
    match (&ask.range, size) {
        (Some(range), Some("0")) if range.start == 0 => Ok(Answer::Part {
            state: State {
                size: 0,
                validators: validators(headers),
            },
            range: 0..0,
            body: stream::empty().boxed(),
        }),
        _ => Err(RemoteError::Changed),
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

/// Seconds or a date.
fn pause(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
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

    #[test]
    fn pauses_are_seconds_or_dates() {
        assert_eq!(pause("3"), Some(Duration::from_secs(3)));
        let then = SystemTime::now() + Duration::from_secs(100);
        let wanted = pause(&httpdate::fmt_http_date(then)).unwrap();
        assert!((90..=100).contains(&wanted.as_secs()));
        assert_eq!(pause("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("soon"), None);
    }
}
