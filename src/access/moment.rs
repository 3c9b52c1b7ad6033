//! Points in time in the configuration.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::config::formats::Invalid;

/// A date and a time of day with its distance from UTC (RFC 3339): `2030-01-01T00:00:00+01:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(DateTime<Utc>);

impl Moment {
    pub fn is_over(self, now: SystemTime) -> bool {
        DateTime::<Utc>::from(now) >= self.0
    }
}

impl FromStr for Moment {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parsed = DateTime::parse_from_rfc3339(text);
        let parsed = parsed.map_err(|_| Invalid("it is no date with a time and a zone"))?;
        Ok(Self(parsed.to_utc()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl TryFrom<String> for Moment {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_moment_is_over_from_its_second_on() {
        let moment: Moment = "2000-03-01T01:00:00+01:00".parse().unwrap();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(!moment.is_over(at(951_868_799)));
        assert!(moment.is_over(at(951_868_800)));
        assert_eq!(moment.to_string(), "2000-03-01T00:00:00Z");
    }

    #[test]
    fn a_date_without_a_zone_is_none() {
        for wrong in ["2030-01-01", "2030-01-01T00:00:00", "tomorrow", ""] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
