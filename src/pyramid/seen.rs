//! Images whose pyramids wait, are being built, or failed: each once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Outcome;
use super::writer::BuildError;
use crate::cache::CacheKey;
use crate::decode::DecodeError;

/// When there are so many, all are forgotten.
const MOST: usize = 10_000;
/// After which an image that could not be read may be tried again.
const PAUSE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Seen {
    /// With the time at which one that failed may be tried again.
    images: Mutex<HashMap<CacheKey, Option<Instant>>>,
}

impl Seen {
    /// Whether it is to be tried: it is new, or its pause is over.
    pub fn note(&self, key: CacheKey, now: Instant) -> bool {
        let mut images = self.lock();
        let is_seen = match images.get(&key) {
            None => false,
            Some(again) => again.is_none_or(|again| now < again),
        };
        if is_seen {
            return false;
        }
        if images.len() >= MOST {
            images.clear();
        }
        images.insert(key, None);
        true
    }

    /// Of what was built a later try would find that it stands; what is broken stays so.
    pub fn settle(&self, key: &CacheKey, built: &Result<Outcome, BuildError>, now: Instant) {
        match built {
            Ok(_) => self.forget(key),
            // A network that fails, or bytes that are still on their way: no damage of the image.
            Err(BuildError::Decode(DecodeError::Io(_))) => {
                self.lock().insert(*key, Some(now + PAUSE));
            }
            Err(_) => {}
        }
    }

    pub fn forget(&self, key: &CacheKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CacheKey, Option<Instant>>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_could_not_be_read_is_tried_again_after_a_while_and_what_is_broken_never() {
        let (seen, now) = (Seen::default(), Instant::now());
        let [far, broken, full, built] = ["a", "b", "c", "d"].map(|name| CacheKey::new(&[name]));
        for key in [far, broken, full, built] {
            assert!(seen.note(key, now));
            assert!(!seen.note(key, now + 9 * PAUSE), "it is under way");
        }
        let late = DecodeError::Io(io::ErrorKind::TimedOut.into());
        seen.settle(&far, &Err(late.into()), now);
        let malformed = DecodeError::malformed("a test image", "broken");
        seen.settle(&broken, &Err(malformed.into()), now);
        seen.settle(&full, &Err(io::Error::other("panic").into()), now);
        seen.settle(&built, &Ok(Outcome::Stands), now);
        assert!(seen.note(built, now));
        assert!(!seen.note(far, now + PAUSE / 2));
        assert!(seen.note(far, now + PAUSE));
        assert!(!seen.note(far, now + 2 * PAUSE), "it is under way again");
        assert!(!seen.note(broken, now + 9 * PAUSE) && !seen.note(full, now + 9 * PAUSE));
    }
}
