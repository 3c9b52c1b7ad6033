//! How fast requests follow each other, all workers together.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

pub struct Pace(Mutex<Schedule>);

impl Pace {
    /// So many requests a second, or as fast as they are answered.
    pub fn new(rate: Option<NonZeroU32>) -> Self {
        Self(Mutex::new(Schedule::new(rate, Instant::now())))
    }

    /// Waits until it is the caller's turn.
    pub async fn turn(&self) {
        let turn = self.schedule().turn(Instant::now());
        sleep_until(turn.into()).await;
    }

    /// Nobody begins to ask for so long: the server is busy for all.
    pub fn pause(&self, time: Duration) {
        self.schedule().pause_until(Instant::now() + time);
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Schedule {
    /// Between two requests.
    interval: Duration,
    /// Before that, none begins.
    next: Instant,
}

impl Schedule {
    fn new(rate: Option<NonZeroU32>, now: Instant) -> Self {
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get());
        Self {
            interval,
            next: now,
        }
    }

    fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + self.interval;
        turn
    }

    fn pause_until(&mut self, time: Instant) {
        self.next = self.next.max(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second_and_none_saved_up() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut schedule = Schedule::new(NonZeroU32::new(10), start);
        let turns = [0, 0, 0, 150, 1_000, 1_000].map(|now| schedule.turn(at(now)));
        assert_eq!(turns, [0, 100, 200, 300, 1_000, 1_100].map(at));

        let mut schedule = Schedule::new(None, start);
        assert_eq!(
            [0, 0, 5].map(|now| schedule.turn(at(now))),
            [0, 0, 5].map(at)
        );
    }

    #[test]
    fn a_pause_holds_for_everyone_and_the_longest_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(NonZeroU32::new(1), start);
        schedule.pause_until(at(7));
        schedule.pause_until(at(3));
        assert_eq!(
            [0, 1, 20].map(|now| schedule.turn(at(now))),
            [7, 8, 20].map(at)
        );
    }
}
