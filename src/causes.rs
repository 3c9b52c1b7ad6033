//! An error and what led to it, in one line.

use std::error::Error;
use std::iter::successors;

/// Their texts, each after what it is the cause of.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let all = successors(Some(error), |&error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
