//! A server as the source sees it: asked by several at once but not by too many, in time, more than once, and not while it is down.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::ask::{Answer, Ask, Body, Condition, Remote, State};
use super::error::{Failure, RemoteError};
use super::failures::Failures;

/// Attempts for one answer, the first included.
const ATTEMPTS: u32 = 3;
/// Before the second attempt; doubled for each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// An origin that wants to be left alone for longer has failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Bytes a second: an answer that comes more slowly for long is given up, for a trickle would keep its place for ever.
const SLOWEST: u64 = 16 << 10;

/// What an origin may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Without any progress.
    pub stall: Duration,
    /// Requests at once.
    pub connections: usize,
    /// Bytes of one file.
    pub size: u64,
}

impl Limits {
    /// For how long a thread waits for bytes that come, though slowly.
    pub fn patience(&self) -> Duration {
        3 * self.stall
    }
}

pub struct Origin {
    remote: Box<dyn Remote>,
    limits: Limits,
    places: Arc<Semaphore>,
    failures: Failures,
}

impl Origin {
    pub fn new(remote: impl Remote, limits: Limits) -> Self {
        Self {
            remote: Box::new(remote),
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            failures: Failures::default(),
        }
    }

    pub fn remote(&self) -> &dyn Remote {
        &*self.remote
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The result of the first attempt that does not fail. None is begun after the time in which a single one may make no progress. To the
    /// breaker all of them are one.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn attempts<T, F>(&self, key: &str, attempt: impl Fn() -> F) -> Result<T, RemoteError>
    where
        F: Future<Output = Result<T, RemoteError>>,
    {
        if let Some(failure) = self.failures.lately(key) {
            return Err(failure.into());
        }
        let server = self.failures.server(&self.remote.server(key));
        let start = Instant::now();
        if !server.breaker().lets_through() {
            return Err(Failure::LeftAlone.into());
        }
        let mut number = 1;
        loop {
            let result = attempt().await;
            let Err(RemoteError::Failed(failure)) = &result else {
                server.succeeded();
                return result;
            };
            let pause = pause(number, failure).filter(|_| start.elapsed() < self.limits.stall);
            let Some(pause) = pause.filter(|_| server.breaker().is_closed()) else {
                self.failures.note(&server, key, failure);
                return result;
            };
            sleep(pause).await;
            number += 1;
        }
    }

    /// One answer to one request. Its body keeps a place until it is dropped.
    ///
    /// # Errors
    /// Also if it is not the answer to this request, or too large.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, RemoteError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = timeout(self.limits.stall, place).await;
        let place = place
            .map_err(|_| Failure::Busy)?
            .map_err(|_| Failure::Abandoned)?;
        let answer = timeout(self.limits.stall, self.remote.ask(ask)).await;
        self.checked(ask, answer.map_err(|_| Failure::Late)??, place)
    }

    fn checked(
        &self,
        ask: &Ask,
        answer: Answer,
        place: OwnedSemaphorePermit,
    ) -> Result<Answer, RemoteError> {
        match answer {
            Answer::Part { state, range, body } => {
                check_part(ask, &state, range.start..range.end)?;
                self.check_size(state.size)?;
                let length = Some(range.end - range.start);
                let body = self.watched(body, length, place);
                Ok(Answer::Part { state, range, body })
            }
            Answer::Whole {
                size,
                validators,
                body,
            } => {
                self.check_size(size.unwrap_or(0))?;
                let body = self.watched(body, size, place);
                Ok(Answer::Whole {
                    size,
                    validators,
                    body,
                })
            }
            Answer::Unchanged if matches!(ask.condition, Condition::Unless(_)) => {
                Ok(Answer::Unchanged)
            }
            Answer::Unchanged => Err(RemoteError::Broken("the origin's answer was not asked for")),
        }
    }

    fn check_size(&self, size: u64) -> Result<(), RemoteError> {
        if size > self.limits.size {
            return Err(TOO_LARGE);
        }
        Ok(())
    }

    /// A body that comes in time, and has this length, or else one that is not too large.
    fn watched(&self, body: Body, length: Option<u64>, place: OwnedSemaphorePermit) -> Body {
        let watch = Watch {
            limits: self.limits,
            length,
            start: Instant::now(),
            count: 0,
            _place: place,
        };
        let watched = stream::unfold((body, watch), |(mut body, mut watch)| async {
            let next = timeout(watch.limits.stall, body.next()).await;
            let item = match next {
                Ok(next) => watch.look(next)?,
                Err(_) => Err(Failure::Stalled.into()),
            };
            Some((item, (body, watch)))
        });
        watched.boxed()
    }
}

/// What came of a body.
struct Watch {
    limits: Limits,
    length: Option<u64>,
    start: Instant,
    count: u64,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    /// A piece as it is passed on; `None` at an end that is right.
    fn look(
        &mut self,
        next: Option<Result<Bytes, RemoteError>>,
    ) -> Option<Result<Bytes, RemoteError>> {
        let Some(next) = next else {
            let is_short = self.length.is_some_and(|length| self.count < length);
            return is_short.then(|| Err(Failure::BrokenOff.into()));
        };
        Some(next.and_then(|piece| {
            self.count += piece.len() as u64;
            self.check().map(|()| piece)
        }))
    }

    fn check(&self) -> Result<(), RemoteError> {
        if self.length.is_some_and(|length| self.count > length) {
            return Err(RemoteError::Broken("the origin sent more than it said"));
        }
        if self.count > self.limits.size {
            return Err(TOO_LARGE);
        }
        let most = self.limits.patience() + Duration::from_secs(self.count / SLOWEST);
        if self.start.elapsed() > most {
            return Err(Failure::Stalled.into());
        }
        Ok(())
    }
}

const TOO_LARGE: RemoteError =
    RemoteError::Broken("the file is larger than files of this source may be");

/// RFC 9110, section 14.4: a range that is answered may end earlier only where the file ends.
fn check_part(ask: &Ask, state: &State, range: std::ops::Range<u64>) -> Result<(), RemoteError> {
    let Some(asked) = &ask.range else {
        return Err(RemoteError::Broken(
            "the origin answered with a range that was not asked for",
        ));
    };
    if let Condition::Only(expected) = &ask.condition
        && !state.is_same(expected)
    {
        return Err(RemoteError::Changed);
    }
    let expected = asked.start..asked.end.min(state.size).max(asked.start);
    if range != expected {
        return Err(RemoteError::Broken(
            "the origin answered with another range",
        ));
    }
    Ok(())
}

/// The pause before the next attempt: what the origin wants, or half to all of a time that doubles. `None` if there is none.
fn pause(number: u32, failure: &Failure) -> Option<Duration> {
    if number >= ATTEMPTS {
        return None;
    }
    if let Failure::Status {
        after: Some(after), ..
    } = failure
    {
        return (*after <= LONGEST_PAUSE).then_some(*after);
    }
    let pause = FIRST_PAUSE * 2_u32.pow(number - 1);
    let share = RandomState::new().hash_one(number) as u32;
    Some(pause.mul_f64(0.5 + 0.5 * f64::from(share) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_vary_and_end() {
        for number in 1..ATTEMPTS {
            let whole = FIRST_PAUSE * 2_u32.pow(number - 1);
            let pauses: Vec<_> = (0..50)
                .map(|_| pause(number, &Failure::Late).unwrap())
                .collect();
            assert!(
                pauses
                    .iter()
                    .all(|pause| (whole / 2..=whole).contains(pause))
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
        assert_eq!(pause(ATTEMPTS, &Failure::Late), None);
    }

    fn watch(length: Option<u64>, places: &Arc<Semaphore>) -> Watch {
        Watch {
            limits: Limits {
                stall: Duration::from_secs(1),
                connections: 1,
                size: 100_000,
            },
            length,
            start: Instant::now(),
            count: 0,
            _place: Arc::clone(places).try_acquire_owned().unwrap(),
        }
    }

    fn piece(length: usize) -> Option<Result<Bytes, RemoteError>> {
        Some(Ok(Bytes::from(vec![0; length])))
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_given_up() {
        let mut watch = watch(Some(50_000), &Arc::new(Semaphore::new(1)));
        for _ in 0..3 {
            tokio::time::advance(Duration::from_millis(990)).await;
            assert!(watch.look(piece(1)).unwrap().is_ok());
        }
        tokio::time::advance(Duration::from_millis(990)).await;
        assert_eq!(watch.look(piece(1)).unwrap(), Err(Failure::Stalled.into()));
        assert!(watch.look(piece(20_000)).unwrap().is_ok(), "fast enough");
    }

    #[tokio::test]
    async fn a_body_has_the_length_that_was_said() {
        let places = Arc::new(Semaphore::new(3));
        let mut right = watch(Some(10), &places);
        assert!(right.look(piece(10)).unwrap().is_ok());
        assert!(right.look(None).is_none());
        assert!(right.look(piece(1)).unwrap().is_err());
        let mut short = watch(Some(10), &places);
        assert!(short.look(piece(9)).unwrap().is_ok());
        assert!(short.look(None).unwrap().is_err());
        let mut unknown = watch(None, &places);
        assert!(unknown.look(piece(100_000)).unwrap().is_ok());
        assert_eq!(unknown.look(piece(1)), Some(Err(TOO_LARGE)));
    }

    #[test]
    fn the_origin_says_how_long_a_pause_is_unless_it_is_too_long() {
        let status = |seconds| Failure::Status {
            status: 503,
            after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(pause(1, &status(1)), Some(Duration::from_secs(1)));
        assert_eq!(pause(1, &status(3)), None);
    }
}
