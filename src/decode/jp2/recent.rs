//! What was used last, within a number of bytes.

use std::collections::HashMap;
use std::hash::Hash;

/// Values of which the younger of two generations takes the place of the older one when it has half of the bytes.
pub struct Recent<K, V> {
    most: u64,
    young: Generation<K, V>,
    old: Generation<K, V>,
}

struct Generation<K, V> {
    values: HashMap<K, (V, u64)>,
    bytes: u64,
}

impl<K, V> Default for Generation<K, V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Recent<K, V> {
    /// At most so many bytes are kept.
    pub fn new(most: u64) -> Self {
        Self {
            most,
            young: Generation::default(),
            old: Generation::default(),
        }
    }

    pub fn get(&mut self, key: K) -> Option<V> {
        if let Some((value, _)) = self.young.values.get(&key) {
            return Some(value.clone());
        }
        let (value, bytes) = self.old.values.remove(&key)?;
        self.old.bytes -= bytes;
        self.put(key, value.clone(), bytes);
        Some(value)
    }

    /// Keeps a value of so many bytes, unless it alone is more than a generation.
    pub fn put(&mut self, key: K, value: V, bytes: u64) {
        if bytes > self.most / 2 {
            return;
        }
        if self.young.bytes + bytes > self.most / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += bytes;
        if let Some((_, before)) = self.young.values.insert(key, (value, bytes)) {
            self.young.bytes -= before;
        }
    }

    pub fn bytes(&self) -> u64 {
        self.young.bytes + self.old.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept() {
        let mut recent = Recent::new(1000);
        for number in 0..1000 {
            recent.put(number, number, 10);
            assert_eq!(recent.get(0), Some(0), "it is used all the time");
            assert!(recent.bytes() <= 1000);
        }
        assert_eq!(recent.get(960), Some(960));
        assert_eq!(recent.get(1), None);
    }

    #[test]
    fn a_value_takes_the_place_of_the_one_before() {
        let mut recent = Recent::new(1000);
        recent.put('a', 1, 300);
        recent.put('a', 2, 200);
        assert_eq!((recent.get('a'), recent.bytes()), (Some(2), 200));
    }

    #[test]
    fn one_that_is_too_large_drives_nothing_out() {
        let mut recent = Recent::new(1000);
        recent.put('a', 1, 300);
        recent.put('b', 2, 501);
        assert_eq!((recent.get('a'), recent.get('b')), (Some(1), None));
    }
}
