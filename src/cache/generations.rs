//! How often an image was purged: what was made before is not kept afterwards.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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
    /// What is being purged at the moment; `None` is everything.
    under_way: Vec<Option<CacheKey>>,
}

impl Purges {
    fn of(&self, image: &CacheKey) -> Generation {
        let last = self.images.get(image).copied();
        Generation(last.unwrap_or(self.all))
    }

    /// Begins a new generation.
    fn end(&mut self, image: Option<CacheKey>) {
        self.count += 1;
        match image {
            Some(image) => {
                self.images.insert(image, self.count);
            }
            None => {
                self.all = self.count;
                self.images.clear();
            }
        }
    }
}

impl Generations {
    pub fn of(&self, image: &CacheKey) -> Generation {
        self.read().of(image)
    }

    /// Whether what belongs to this generation may be kept where others find it: not while the image is being purged,
    /// because layers that have not been purged yet would bring old entries back to those that have.
    pub fn is_current(&self, image: &CacheKey, generation: Generation) -> bool {
        let purges = self.read();
        let is_meant = |purged: &Option<CacheKey>| purged.is_none_or(|purged| purged == *image);
        purges.of(image) == generation && !purges.under_way.iter().any(is_meant)
    }

    /// Begins a new generation of an image, or of all, and another one when this purge is over.
    pub fn purge(&self, image: Option<CacheKey>) -> Purging<'_> {
        let mut purges = self.write();
        purges.end(image);
        purges.under_way.push(image);
        Purging {
            generations: self,
            image,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Purges> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Purges> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A purge under way, until it is dropped.
pub struct Purging<'a> {
    generations: &'a Generations,
    image: Option<CacheKey>,
}

impl Drop for Purging<'_> {
    fn drop(&mut self) {
        let mut purges = self.generations.write();
        // What was read from a layer before it was purged belongs to the generation that ends here.
        purges.end(self.image);
        let place = purges.under_way.iter().position(|it| *it == self.image);
        place.map(|place| purges.under_way.swap_remove(place));
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
        drop(generations.purge(Some(a)));
        let second = [generations.of(&a), generations.of(&b)];
        assert!(second[0] != first[0] && second[1] == first[1]);
        drop(generations.purge(None));
        let third = [generations.of(&a), generations.of(&b)];
        let is_new = |now| !first.contains(now) && !second.contains(now);
        assert!(third.iter().all(is_new));
    }

    #[test]
    fn nothing_is_current_while_it_is_purged_nor_afterwards() {
        let generations = Generations::default();
        let (a, b) = (CacheKey::new(&["a"]), CacheKey::new(&["b"]));
        let is_current = |image, generation| generations.is_current(&image, generation);
        for purged in [Some(a), None] {
            let before = generations.of(&a);
            assert!(is_current(a, before));
            let purging = generations.purge(purged);
            let meanwhile = generations.of(&a);
            assert!(!is_current(a, before) && !is_current(a, meanwhile));
            assert_eq!(is_current(b, generations.of(&b)), purged.is_some());
            drop(purging);
            assert!(!is_current(a, before) && !is_current(a, meanwhile));
            assert!(is_current(a, generations.of(&a)));
        }
    }
}
