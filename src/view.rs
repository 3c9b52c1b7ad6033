//! What is shown of an image to those who may not see all of it as it is.

use std::num::NonZeroU32;

/// What is shown of an image. By default all of it, as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// It seems to be no larger: pixels of its longer side.
    pub largest: Option<NonZeroU32>,
}

impl View {
    /// Whether all is shown as it is.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}
