//! Threads for images that are found and read over a network.

use super::LaneReport;
use crate::route::Far;
use crate::work::Work;

/// One source that is slow must not keep those waiting who want another: each has a pool, shared only where there are more. The first one
/// is for those of whom it is not known yet which source will be asked.
const POOLS: usize = 8;
/// Who waits for a network needs no core.
const THREADS: usize = 16;
/// Of all pools.
pub const FETCHERS: usize = POOLS * THREADS;

#[derive(Clone)]
pub struct Fetchers {
    unknown: Work,
    of_sources: Vec<Work>,
}

impl Fetchers {
    /// With so many that wait, for each pool.
    pub fn new(queue: usize) -> Self {
        let pool = || Work::new(THREADS, queue, 0);
        Self {
            unknown: pool(),
            of_sources: (1..POOLS).map(|_| pool()).collect(),
        }
    }

    pub fn of(&self, far: Far) -> &Work {
        match far {
            Far::Unknown => &self.unknown,
            Far::Source(number) => &self.of_sources[number % self.of_sources.len()],
        }
    }

    /// Of all pools together.
    pub fn report(&self) -> LaneReport {
        let [first, _] = self.unknown.report();
        let others = self.of_sources.iter().map(|pool| pool.report()[0]);
        others.fold(first, |sum, pool| LaneReport {
            running: sum.running + pool.running,
            places: sum.places + pool.places,
            waiting: sum.waiting + pool.waiting,
            ..sum
        })
    }
}
