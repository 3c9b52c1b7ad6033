//! How fast requests follow each other, all workers together.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

pub struct Pace {
    /// Between two requests.
    interval: Duration,
    /// Before that, none begins.
    next: Mutex<Instant>,
}

impl Pace {
    /// So many requests a second, or as fast as they are answered.
    pub fn new(rate: Option<NonZeroU32>) -> Self {
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get());
        Self {
            interval,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until it is the caller's turn.
    pub async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + self.interval;
            turn
        };
        sleep_until(turn).await;
    }

    /// Nobody asks again for so long: the server is busy for all.
    pub async fn pause(&self, time: Duration) {
        let mut next = self.next.lock().await;
        *next = (*next).max(Instant::now() + time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn turns(pace: &Pace, count: usize) -> Duration {
        let start = Instant::now();
        for _ in 0..count {
            pace.turn().await;
        }
        start.elapsed()
    }

    /// In the time of the test runtime, which jumps to where the next sleeper wakes.
    #[tokio::test(start_paused = true)]
    async fn so_many_a_second() {
        let pace = Pace::new(NonZeroU32::new(10));
        let time = turns(&pace, 21).await;
        assert!(
            time.abs_diff(Duration::from_secs(2)) < Duration::from_millis(30),
            "{time:?}"
        );
        assert_eq!(turns(&Pace::new(None), 1_000).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_everyone() {
        let pace = Pace::new(None);
        pace.pause(Duration::from_secs(7)).await;
        pace.pause(Duration::from_secs(3)).await;
        let time = turns(&pace, 2).await;
        assert!(
            time.abs_diff(Duration::from_secs(7)) < Duration::from_millis(30),
            "{time:?}"
        );
    }
}
