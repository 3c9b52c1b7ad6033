//! Where images were seen last, for when their source cannot say.

use std::time::Duration;

use moka::sync::Cache;

use super::report::Count;
use crate::iiif::Identifier;
use crate::source::{Object, SourceError};

const MOST: u64 = 20_000;

/// Lets images be served from the cache while their source cannot be reached, for a bounded time.
pub struct Sightings {
    seen: Option<Cache<Identifier, Object>>,
    stale: Count,
}

impl Sightings {
    /// Each counts for so long; zero is not at all.
    pub fn new(ttl: Duration) -> Self {
        let seen = Cache::builder().max_capacity(MOST).time_to_live(ttl);
        Self {
            seen: (!ttl.is_zero()).then(|| seen.build()),
            stale: Count::default(),
        }
    }

    /// What the source says, or what it said last if it says nothing and that `may_be` so still.
    ///
    /// # Errors
    /// As the source.
    pub fn or_last(
        &self,
        identifier: &Identifier,
        answer: Result<Object, SourceError>,
        may_be: impl Fn(&Object) -> bool,
    ) -> Result<Object, SourceError> {
        let Some(seen) = &self.seen else {
            return answer;
        };
        match answer {
            Ok(object) => {
                seen.insert(identifier.clone(), object.clone());
                Ok(object)
            }
            Err(SourceError::Unavailable(error)) => {
                match seen.get(identifier).filter(|seen| may_be(seen)) {
                    Some(object) => {
                        self.stale.add_one();
                        Ok(object)
                    }
                    None => Err(error.into()),
                }
            }
            Err(absent) => {
                seen.invalidate(identifier);
                Err(absent)
            }
        }
    }

    /// How often the source was asked, said nothing, and the last answer was taken.
    pub fn stale(&self) -> u64 {
        self.stale.get()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::thread::sleep;

    use super::*;
    use crate::config::Config;
    use crate::source::{Filesystem, Source};

    fn object(identifier: &Identifier) -> Object {
        let mut config = Config::default();
        config.source.root = "fixtures/images".into();
        let files = Filesystem::new(&config.source).unwrap();
        files.find(identifier.as_str()).unwrap()
    }

    fn unreachable() -> Result<Object, SourceError> {
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    }

    #[test]
    fn an_answer_counts_until_the_source_says_otherwise() {
        let identifier = Identifier::new("chart.png".to_owned()).unwrap();
        let sightings = Sightings::new(Duration::from_secs(60));
        let or_last = |answer| sightings.or_last(&identifier, answer, |_| true);
        assert!(or_last(unreachable()).is_err(), "never seen");
        let seen = or_last(Ok(object(&identifier))).unwrap();
        assert_eq!(or_last(unreachable()).unwrap().version, seen.version);
        assert_eq!(sightings.stale(), 1);
        let moved = sightings.or_last(&identifier, unreachable(), |_| false);
        assert!(moved.is_err(), "it is known to be elsewhere");
        let absent = || Err(SourceError::NotFound("chart.png".to_owned()));
        assert!(or_last(absent()).is_err());
        assert!(or_last(unreachable()).is_err(), "it is gone");
        assert_eq!(sightings.stale(), 1);
    }

    #[test]
    fn it_counts_for_its_time_and_not_if_that_is_zero() {
        let identifier = Identifier::new("chart.png".to_owned()).unwrap();
        for ttl in [0, 1] {
            let sightings = Sightings::new(Duration::from_millis(ttl));
            sightings
                .or_last(&identifier, Ok(object(&identifier)), |_| true)
                .unwrap();
            sleep(Duration::from_millis(5));
            assert!(
                sightings
                    .or_last(&identifier, unreachable(), |_| true)
                    .is_err()
            );
        }
    }
}
