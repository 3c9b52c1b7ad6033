//! What is shown of an image to those who may not see all of it as it is.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

/// What is shown of an image. By default all of it, as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// It seems to be no larger: pixels of its longer side.
    pub largest: Option<NonZeroU32>,
}

static WHOLE: LazyLock<Arc<View>> = LazyLock::new(Arc::default);

impl View {
    /// All of an image, as it is.
    pub fn whole() -> Arc<Self> {
        Arc::clone(&WHOLE)
    }

    /// Whether all is shown as it is.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}
