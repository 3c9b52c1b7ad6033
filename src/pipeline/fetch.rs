//! What has to come over a network comes before a thread that decodes is taken.

use std::sync::Arc;

use super::{Pipeline, Prepared};
use crate::decode::{Decoder, Window};
use crate::error::Error;
use crate::plan::Kept;
use crate::route::Far;
use crate::work::Cancelled;

impl Pipeline {
    /// Has all bytes at hand that making the image will read.
    pub(super) async fn fetch_window(
        &self,
        prepared: &Prepared,
        decoder: &Arc<dyn Decoder>,
    ) -> Result<(), Error> {
        let Some(window) = self.window_to_fetch(prepared, &**decoder) else {
            return Ok(());
        };
        let identifier = prepared.request.identifier.clone();
        let decoder = Arc::clone(decoder);
        let read_ahead = move |_: &Cancelled| {
            let announced = decoder.read_ahead(&window);
            announced.map_err(|error| Error::decoding(&identifier, error))
        };
        let far = self.walk.images.routes.far_of(&prepared.object);
        self.fetch(far.unwrap_or(Far::Unknown), read_ahead).await
    }

    /// `None` if nothing is read, or only from this machine.
    fn window_to_fetch(&self, prepared: &Prepared, decoder: &dyn Decoder) -> Option<Window> {
        let Prepared { object, plan, .. } = prepared;
        if !object.is_remote() || prepared.pyramid.is_some() {
            return None;
        }
        let Some(image) = prepared.kept_as() else {
            return Some(plan.window);
        };
        let on_level = |rect| Window {
            rect,
            ..plan.window
        };
        let has = |rect| self.walk.pixels.has(image, on_level(rect));
        let is_kept = match plan.kept {
            Kept::Tiles => {
                let level = &decoder.header().levels[plan.window.level];
                let mut tiles = level.unit.touching(plan.window.rect, level.dimensions);
                tiles.all(has)
            }
            Kept::Whole | Kept::Nothing => has(plan.decoded),
        };
        (!is_kept).then(|| on_level(plan.decoded))
    }
}
