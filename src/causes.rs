//! An error and what led to it.

use std::error::Error;
use std::iter::successors;

/// The error, its cause, the cause of that, and so on.
pub fn all<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// Their texts in one line, each after what it is the cause of.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let texts = all(error).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}
