//! When a server has failed several times, it is left alone for a while.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which it is left alone.
const PATIENCE: u32 = 3;
/// For how long; doubled with every trial that fails, up to the second.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Closed: asked. Open: not asked, but for one trial after each pause.
pub struct Breaker {
    /// What is left alone, for the log.
    server: Cow<'static, str>,
    operation: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    open: Option<Open>,
}

struct Open {
    until: Instant,
    pause: Duration,
    /// Whether a trial has been let through since the pause began.
    is_tried: bool,
}

impl Breaker {
    pub fn new(server: impl Into<Cow<'static, str>>, operation: &'static str) -> Self {
        Self {
            server: server.into(),
            operation,
            state: Mutex::default(),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.state().open.is_none()
    }

    /// Whether [`lets_through`](Self::lets_through) would, if it were asked now.
    pub fn would_let_through(&self) -> bool {
        let state = self.state();
        let is_over = |open: &Open| open.until <= Instant::now();
        state.open.as_ref().is_none_or(is_over)
    }

    /// Whether to try now. The first to ask after a pause is the trial; the others wait for how it ends.
    pub fn lets_through(&self) -> bool {
        let mut state = self.state();
        let Some(open) = &mut state.open else {
            return true;
        };
        let now = Instant::now();
        let is_over = open.until <= now;
        if is_over {
            open.until = now + open.pause;
            open.is_tried = true;
        }
        is_over
    }

    pub fn succeeded(&self) {
        let mut state = self.state();
        state.failures = 0;
        if state.open.take().is_some() {
            let (server, operation) = (&*self.server, self.operation);
            tracing::info!(server, operation, "it works again");
        }
    }

    pub fn failed(&self, error: &dyn Display) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let now = Instant::now();
        if let Some(open) = &mut state.open {
            // Others were under way already when it opened.
            if open.is_tried {
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.until = now + open.pause;
                open.is_tried = false;
            }
        } else if state.failures >= PATIENCE {
            let pause = SHORTEST_PAUSE;
            let until = now + pause;
            let is_tried = false;
            state.open = Some(Open {
                until,
                pause,
                is_tried,
            });
            let (server, operation) = (&*self.server, self.operation);
            tracing::warn!(server, operation, %error, "it fails and is left alone for a while");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Breaker {
        let breaker = Breaker::new("test", "read");
        for _ in 0..PATIENCE {
            assert!(breaker.lets_through());
            breaker.failed(&"no answer");
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_one_trial_closes_it() {
        let breaker = broken();
        assert!(!breaker.lets_through() && !breaker.is_closed());
        tokio::time::advance(SHORTEST_PAUSE).await;
        assert!(breaker.lets_through());
        assert!(!breaker.lets_through(), "one trial at a time");
        breaker.succeeded();
        assert!(breaker.lets_through() && breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn trials_become_rarer_but_do_not_end() {
        let breaker = broken();
        let mut trials = 0;
        for _ in 0..600 {
            tokio::time::advance(Duration::from_millis(100)).await;
            if breaker.lets_through() {
                trials += 1;
                breaker.failed(&"no answer");
            }
        }
        assert!((7..=12).contains(&trials), "{trials} in a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_under_way_when_it_opened_makes_the_pause_no_longer() {
        let breaker = broken();
        for _ in 0..100 {
            breaker.failed(&"no answer");
        }
        assert!(!breaker.would_let_through());
        tokio::time::advance(SHORTEST_PAUSE).await;
        assert!(breaker.would_let_through() && breaker.lets_through());
    }

    #[tokio::test]
    async fn single_failures_do_no_harm() {
        let breaker = Breaker::new("test", "read");
        for _ in 0..100 {
            breaker.failed(&"no answer");
            breaker.failed(&"no answer");
            breaker.succeeded();
        }
        assert!(breaker.is_closed());
    }
}
