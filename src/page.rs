//! Pages: the images of a file that holds several.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

/// The number of a page, counted from one. The first is the image that a file without a page number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Page(NonZeroU32);

impl Page {
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for zero.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// For a name: nothing on the first page.
    pub fn suffix(self) -> Cow<'static, str> {
        match self {
            Self::FIRST => Cow::Borrowed(""),
            other => Cow::Owned(other.to_string()),
        }
    }

    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<NonZeroU32> for Page {
    fn from(number: NonZeroU32) -> Self {
        Self(number)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
