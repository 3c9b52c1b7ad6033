//! A single image: looked at where it is.

use std::sync::Arc;

use super::failure::{of_content, of_source};
use crate::decode::{self, Limits};
use crate::ingest::asset::Place;
use crate::ingest::origin;
use crate::queue::Failure;
use crate::source::Source;
use crate::source::remote::RemoteError;

/// Where the image of an origin is, and how large. Its bytes stay where they are.
///
/// # Errors
/// If it cannot be read, or is no image.
pub fn look(source: &dyn Source, limits: &Limits, origin: &str) -> Result<Place, Failure> {
    let refused = RemoteError::Refused("the server is not among those that may be asked");
    let (file, page) = origin::parts(origin).ok_or_else(no_page)?;
    let key = source.key_of(file);
    let key = key.ok_or_else(|| super::failure::of_origin(&refused))?;
    // What was known of it is not asked for.
    source.forget(Some(&key));
    let found = source.find(&key).map_err(|error| of_source(&error))?;
    let input = source.open(&found).map_err(|error| of_source(&error))?;
    let decoder =
        decode::open_page(Arc::clone(&input), limits, page).map_err(|error| of_content(&error))?;
    let dimensions = decoder.header().dimensions();
    Ok(Place {
        location: file.to_owned(),
        page,
        resolution: None,
        cut: None,
        width: dimensions.width(),
        height: dimensions.height(),
    })
}

fn no_page() -> Failure {
    Failure::Permanent("the origin has another fragment than that of a page (#page=3)".to_owned())
}
