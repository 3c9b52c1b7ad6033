//! A database that does not answer is left alone for a moment. Requests wait on threads that others need, too: if each waited its
//! whole time, images of which the registry knows nothing would wait with them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One slow answer says little.
const MOST_MISSED: u32 = 3;
const MOMENT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Silence(Mutex<State>);

#[derive(Default)]
struct State {
    /// Answers that did not come, one after the other.
    missed: u32,
    /// Until when nobody asks.
    until: Option<Instant>,
}

impl Silence {
    /// Whether the database may be asked. When the moment has passed one may, and the others know by what becomes of it; `limit` is how
    /// long that can take.
    pub fn may_ask(&self, now: Instant, limit: Duration) -> bool {
        let mut state = self.lock();
        match state.until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                state.until = Some(now + limit + MOMENT);
                true
            }
        }
    }

    pub fn answered(&self) {
        *self.lock() = State::default();
    }

    pub fn missed(&self, now: Instant) {
        let mut state = self.lock();
        state.missed = state.missed.saturating_add(1);
        if state.missed >= MOST_MISSED {
            state.until = Some(now + MOMENT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_three_answers_that_did_not_come_one_asks_at_a_time() {
        let (silence, start) = (Silence::default(), Instant::now());
        let limit = Duration::from_millis(100);
        let may_ask =
            |milliseconds| silence.may_ask(start + Duration::from_millis(milliseconds), limit);
        for _ in 0..3 {
            assert!(may_ask(0));
            silence.missed(start);
        }
        assert!(!may_ask(1));
        assert!(!may_ask(999));
        assert!(may_ask(1000), "one");
        assert!(!may_ask(1001), "and no other");
        silence.missed(start + Duration::from_millis(1100));
        assert!(!may_ask(2099));
        assert!(may_ask(2100));
        silence.answered();
        assert!(may_ask(2101) && may_ask(2101));
    }

    #[test]
    fn slow_answers_between_others_count_for_nothing() {
        let (silence, now) = (Silence::default(), Instant::now());
        for _ in 0..10 {
            silence.missed(now);
            silence.missed(now);
            silence.answered();
        }
        assert!(silence.may_ask(now, MOMENT));
    }
}
