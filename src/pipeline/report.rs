//! What the pipeline holds and does at the moment, for those who run the server.

use super::Pipeline;
use crate::cache::report::Kept;
use crate::pyramid::Built;
pub use crate::work::LaneReport;

impl Pipeline {
    /// What is kept in memory besides: opened images, decoded pixels.
    pub fn kept_report(&self) -> [Kept; 2] {
        [self.walk.images.headers(), self.walk.pixels.report()]
    }

    /// The lanes, each with the name of its pool.
    pub fn lanes(&self) -> [(&'static str, LaneReport); 4] {
        let [all, large] = self.makers.report();
        let [readers, _] = self.readers.report();
        [
            ("make", all),
            ("make", large),
            ("read", readers),
            ("fetch", self.fetchers.report()),
        ]
    }

    /// How often an image was looked up and its source could not be reached, so that the last answer was taken.
    pub fn stale(&self) -> u64 {
        self.walk.images.stale()
    }

    /// What has been built in the background.
    pub fn built(&self) -> Built {
        self.walk.pyramids.built()
    }
}
