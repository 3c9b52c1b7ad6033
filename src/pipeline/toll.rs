//! What somebody is asked before an image is made for him.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

type Ask = dyn Fn() -> Result<(), Error> + Send + Sync;

/// Asked once, when the image is in no cache and nobody else has begun to make it.
#[derive(Clone)]
pub struct Toll(Arc<Gate>);

struct Gate {
    ask: Box<Ask>,
    is_asked: AtomicBool,
}

impl Toll {
    pub fn new(ask: impl Fn() -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Gate {
            ask: Box::new(ask),
            is_asked: AtomicBool::new(false),
        }))
    }

    /// # Errors
    /// If the image is not to be made.
    pub(super) fn ask(&self) -> Result<(), Error> {
        self.0.is_asked.store(true, Ordering::Relaxed);
        (self.0.ask)()
    }

    /// Who only waited for what another asked for is not refused in his place: he may try again.
    pub(super) fn told(toll: Option<&Self>, error: Error) -> Error {
        let is_own = toll.is_some_and(|toll| toll.0.is_asked.load(Ordering::Relaxed));
        match error {
            Error::TooManyRequests(_) if !is_own => Error::Busy,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_asked_is_told_that_it_is_too_much() {
        let refused = || Err(Error::TooManyRequests(7));
        let (asked, waiting) = (Toll::new(refused), Toll::new(refused));
        let error = asked.ask().unwrap_err();
        let told = |toll: Option<&Toll>| Toll::told(toll, error.clone());
        assert!(matches!(told(Some(&asked)), Error::TooManyRequests(7)));
        assert!(matches!(told(Some(&waiting)), Error::Busy));
        assert!(matches!(told(None), Error::Busy));
    }
}
