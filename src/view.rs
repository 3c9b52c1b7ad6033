//! What is shown of an image to those who may not see all of it as it is.

mod redaction;

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::geometry::Dimensions;
use crate::iiif::{Identifier, Scale};
use crate::overlay::Overlay;
pub use redaction::{RedactedRegion, Redaction};

/// What is shown of an image. By default all of it, as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// It seems to be no larger: pixels of its longer side. It is an image of its own, of which there is nothing finer: whatever
    /// is asked of it is made from its pixels.
    pub largest: Option<NonZeroU32>,
    /// What nobody may see of it, in pixels of the underlying image.
    pub redactions: Vec<Redaction>,
    /// What is drawn on each answer, in this order.
    pub overlays: Vec<Arc<Overlay>>,
}

static WHOLE: LazyLock<Arc<View>> = LazyLock::new(Arc::default);

impl View {
    /// All of an image, as it is.
    pub fn whole() -> Arc<Self> {
        Arc::clone(&WHOLE)
    }

    /// All of an image, and no larger than that.
    pub fn of(largest: Option<NonZeroU32>) -> Arc<Self> {
        Arc::new(Self {
            largest,
            ..Self::default()
        })
    }

    /// Whether all is shown as it is.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Stands for all of it that changes what is seen of an image that otherwise seems to be so large; empty if nothing does.
    pub fn tag_for(&self, dimensions: Dimensions) -> String {
        let largest = self.largest.filter(|_| self.is_confined(dimensions));
        self.tag_with(largest)
    }

    /// Stands for all of it that may change what is seen; empty if nothing does.
    pub fn tag(&self) -> String {
        self.tag_with(self.largest)
    }

    fn tag_with(&self, largest: Option<NonZeroU32>) -> String {
        let largest = largest.map(|largest| format!("max{largest}"));
        let redactions = self.redactions.iter().map(|it| format!(" {it}"));
        let overlays = self.overlays.iter().map(|it| format!(" {}", it.digest()));
        let parts = largest.into_iter().chain(redactions).chain(overlays);
        parts.collect()
    }

    /// For people.
    pub fn summary(&self) -> Value {
        let overlays = self.overlays.iter().map(|it| it.name());
        json!({
            "largest": self.largest,
            "redactions": self.redactions.iter().map(Redaction::to_string).collect::<Vec<_>>(),
            "overlays": overlays.collect::<Vec<_>>(),
        })
    }

    /// How large an image of these dimensions seems to be: the only place where that is computed.
    pub fn apparent(&self, identifier: &Identifier, dimensions: Dimensions) -> Dimensions {
        let scale = self.scale(identifier, dimensions);
        scale.map_or(dimensions, |scale| scale.of(dimensions))
    }

    /// The part of its sides that such an image seems to have: what its identifier says, unless that is more than may be seen.
    pub fn scale(&self, identifier: &Identifier, dimensions: Dimensions) -> Option<Scale> {
        let named = identifier.apparent(dimensions);
        match self.confining(named) {
            Some(_) => self.confining(dimensions),
            None => identifier.scale(),
        }
    }

    /// Whether less may be seen than such an image has.
    pub fn is_confined(&self, dimensions: Dimensions) -> bool {
        self.confining(dimensions).is_some()
    }

    fn confining(&self, dimensions: Dimensions) -> Option<Scale> {
        Scale::confining(dimensions, self.largest?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, largest: Option<u32>, width: u32, height: u32) -> (u32, u32) {
        let identifier = Identifier::new(text.to_owned()).unwrap();
        let identifier = identifier.with_suffixes().unwrap();
        let view = View::of(largest.and_then(NonZeroU32::new));
        let dimensions = Dimensions::new(width, height).unwrap();
        view.apparent(&identifier, dimensions).into()
    }

    #[test]
    fn the_longer_side_is_confined_and_the_other_rounded() {
        assert_eq!(seen("a", Some(400), 8_001, 5_999), (400, 300));
        assert_eq!(seen("a", Some(400), 5_999, 8_001), (300, 400));
        assert_eq!(seen("a", Some(3), 1_000, 1), (3, 1));
        assert_eq!(seen("a", Some(1), u32::MAX, u32::MAX), (1, 1));
    }

    #[test]
    fn nothing_is_enlarged() {
        assert_eq!(seen("a", Some(400), 400, 300), (400, 300));
        assert_eq!(seen("a", Some(401), 400, 300), (400, 300));
        assert_eq!(seen("a", None, 400, 300), (400, 300));
    }

    #[test]
    fn the_smaller_of_both_counts() {
        assert_eq!(seen("a;1:2", Some(400), 8_001, 5_999), (400, 300));
        assert_eq!(seen("a;1:40", Some(400), 8_001, 5_999), (200, 150));
        assert_eq!(seen("a;1:2", Some(400), 800, 600), (400, 300));
    }

    #[test]
    fn a_whole_view_has_no_tag_and_two_sizes_have_two() {
        let tag = |largest| View::of(NonZeroU32::new(largest)).tag();
        assert_eq!(tag(0), "");
        assert_ne!(tag(40), tag(400));
        assert!(View::default().is_whole());
    }
}
