//! What the pipeline holds and does at the moment, for those who run the server.

use super::Pipeline;
use crate::cache::report::{Kept, LayerReport};
use crate::error::Error;
use crate::iiif::Identifier;
use crate::pyramid::Built;
pub use crate::work::LaneReport;

impl Pipeline {
    /// The layers of the cache, the nearest first.
    pub fn cache_report(&self) -> Vec<LayerReport> {
        Vec::new()
    }

    /// Forgets the derivatives of one image, or of all.
    ///
    /// # Errors
    /// If a layer could not be reached.
    pub async fn purge(&self, _image: Option<Identifier>) -> Result<(), Error> {
        Ok(())
    }

    /// What is kept in memory besides: opened images, decoded pixels.
    pub fn kept_report(&self) -> [Kept; 2] {
        [self.walk.images.headers(), self.walk.pixels.report()]
    }

    /// The lanes, each with the name of its pool.
    pub fn lanes(&self) -> [(&'static str, LaneReport); 3] {
        let [all, large] = self.makers.report();
        let [readers, _] = self.readers.report();
        [("make", all), ("make", large), ("read", readers)]
    }

    /// What has been built in the background.
    pub fn built(&self) -> Built {
        self.walk.pyramids.built()
    }
}
