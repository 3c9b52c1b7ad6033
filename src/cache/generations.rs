//! How often an image was purged: what was made before is not kept afterwards.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::CacheKey;

/// A state of an image between two purges. Never repeated for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(u64);

/// The generations of all images, in this process.
#[derive(Default)]
pub struct Generations(RwLock<Purges>);

#[derive(Default)]
struct Purges {
    count: u64,
    /// When everything was purged for the last time.
    all: u64,
    images: HashMap<CacheKey, u64>,
}

impl Generations {
    pub fn of(&self, image: &CacheKey) -> Generation {
        let purges = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let last = purges.images.get(image).copied();
        Generation(last.unwrap_or(purges.all))
    }

    /// Begins a new generation of an image.
    pub fn end(&self, image: CacheKey) {
        let mut purges = self.0.write().unwrap_or_else(PoisonError::into_inner);
        purges.count += 1;
        let count = purges.count;
        purges.images.insert(image, count);
    }

    /// Begins a new generation of every image.
    pub fn end_all(&self) {
        let mut purges = self.0.write().unwrap_or_else(PoisonError::into_inner);
        purges.count += 1;
        purges.all = purges.count;
        purges.images.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_end_and_never_come_again() {
        let generations = Generations::default();
        let (a, b) = (CacheKey::new(&["a"]), CacheKey::new(&["b"]));
        let first = [generations.of(&a), generations.of(&b)];
        generations.end(a);
        let second = [generations.of(&a), generations.of(&b)];
        assert!(second[0] != first[0] && second[1] == first[1]);
        generations.end_all();
        let third = [generations.of(&a), generations.of(&b)];
        assert!(
            third
                .iter()
                .all(|now| !first.contains(now) && !second.contains(now))
        );
    }
}
