//! What the status of a response means when it has no bytes of a file.

use std::time::{Duration, SystemTime};

use super::error::{Failure, RemoteError};

/// `retry_after` is the header of that name.
pub fn meaning(status: u16, retry_after: Option<&str>) -> RemoteError {
    match status {
        404 | 410 => RemoteError::Absent,
        401 | 403 | 407 | 451 => RemoteError::Refused("the origin does not give the file"),
        // Of a range that does not exist any more, too.
        412 | 416 => RemoteError::Changed,
        408 | 425 | 429 | 500 | 502..=504 | 507..=599 => {
            let after = retry_after.and_then(pause);
            Failure::Status { status, after }.into()
        }
        _ => RemoteError::Broken("the origin's answer has a status that means nothing here"),
    }
}

/// Seconds or a date (RFC 9110, section 10.2.3).
fn pause(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

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
