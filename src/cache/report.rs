//! What a layer has done since the start, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::layer::Usage;

/// Upper bounds of the classes of [`Latency`], in microseconds; the last class has none.
pub const LATENCY_BOUNDS: [u64; 10] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000,
];

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counted while a layer is used.
#[derive(Debug, Default)]
pub struct Counts {
    pub hits: Count,
    pub misses: Count,
    pub stored: Count,
    pub errors: Count,
    pub corrupt: Count,
    pub skipped: Count,
    pub dropped: Count,
    latency: [Count; LATENCY_BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

/// A snapshot of one layer.
#[derive(Clone, Debug)]
pub struct LayerReport {
    /// `memory`, `disk`, `redis`, `objects`.
    pub name: &'static str,
    /// Whether it is asked at all; not for a while after failures.
    pub is_up: bool,
    pub usage: Usage,
    pub hits: u64,
    pub misses: u64,
    /// Entries that were put into it.
    pub stored: u64,
    /// Operations that failed or took too long.
    pub errors: u64,
    /// Records that were torn, changed or of another entry.
    pub corrupt: u64,
    /// Operations that were not tried, because the layer was down.
    pub skipped: u64,
    /// Entries that were not put into it, because too many were waiting.
    pub dropped: u64,
    pub latency: Latency,
}

/// A snapshot of what is kept in memory beside the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `headers`, `pixels`.
    pub name: &'static str,
    pub entries: u64,
    pub bytes: u64,
    pub hits: u64,
    pub misses: u64,
}

/// How long looking an entry up took.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// Look-ups in each class of [`LATENCY_BOUNDS`].
    pub classes: [u64; LATENCY_BOUNDS.len() + 1],
    /// All together.
    pub total: Duration,
}

impl Counts {
    /// Notes how long a look-up took.
    pub fn took(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let class = LATENCY_BOUNDS.partition_point(|bound| *bound < time);
        self.latency[class].add_one();
        self.microseconds.fetch_add(time, Ordering::Relaxed);
    }

    pub fn report(&self, name: &'static str, is_up: bool, usage: Usage) -> LayerReport {
        let mut latency = Latency {
            total: Duration::from_micros(self.microseconds.load(Ordering::Relaxed)),
            ..Latency::default()
        };
        for (class, count) in latency.classes.iter_mut().zip(&self.latency) {
            *class = count.get();
        }
        LayerReport {
            name,
            is_up,
            usage,
            hits: self.hits.get(),
            misses: self.misses.get(),
            stored: self.stored.get(),
            errors: self.errors.get(),
            corrupt: self.corrupt.get(),
            skipped: self.skipped.get(),
            dropped: self.dropped.get(),
            latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_the_first_class_that_holds_it() {
        let counts = Counts::default();
        for microseconds in [0, 50, 51, 100_000, 100_001] {
            counts.took(Duration::from_micros(microseconds));
        }
        let latency = counts.report("memory", true, Usage::default()).latency;
        assert_eq!(latency.classes, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(latency.total, Duration::from_micros(200_102));
    }
}
