//! What a file says of all that it holds.

use super::{DecodeError, Header};
use crate::geometry::Dimensions;

/// A document as a whole: what a manifest is made of.
#[derive(Debug)]
pub struct Contents {
    /// What the file calls itself.
    pub title: Option<String>,
    /// Width and height of each page, upright: what `info.json` declares of it. A page that cannot be opened says why.
    pub pages: Vec<Result<Dimensions, DecodeError>>,
    /// There are pages beyond those that are looked for.
    pub has_more: bool,
}

impl Contents {
    /// Of a file with one image.
    pub fn of_one(header: &Header) -> Self {
        Self {
            title: None,
            pages: vec![Ok(header.dimensions())],
            has_more: false,
        }
    }
}
