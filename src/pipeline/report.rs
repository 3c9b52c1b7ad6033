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

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::iiif::{Identifier, ImageRequest, Version};
    use crate::pipeline::{Caching, Pipeline};
    use crate::view::View;

    /// Packets and code-blocks of JPEG 2000 take thousands of times what its header does.
    #[tokio::test]
    async fn what_the_first_answer_found_out_of_an_image_counts() {
        let mut config = Config::default();
        config.source.root = "fixtures/images".into();
        config.pyramids.enabled = false;
        let pipeline = Pipeline::new(&config, None, None).unwrap();
        let identifier = Identifier::new("sample-azulejo.jp2".to_owned()).unwrap();
        let segments = ["full", "500,", "0", "default.jpg"];
        let request = ImageRequest::parse(Version::V3, identifier, segments).unwrap();
        let prepared = pipeline.prepare(request, View::whole(), Caching::Use, true);
        let prepared = prepared.await.unwrap();
        let (prepared, decoder) = pipeline.opened(prepared).await.unwrap();
        let headers = || pipeline.kept_report()[0].bytes;
        let before = headers();
        pipeline.render(prepared, Caching::Use).await.unwrap();
        assert!(decoder.memory() > 2 * before, "it has learnt little");
        assert_eq!(headers(), decoder.memory());
    }
}
