//! What a derivative depends on, as one value: the cache key and the entity tag.

use std::fmt;

use sha2::{Digest, Sha256};

/// A digest of the source's location and version, the canonical request, and the settings that change bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 16]);

impl CacheKey {
    /// Each part is hashed with its length, so that no two lists of parts are alike.
    pub fn new(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// Stands for the image at this location, in all its versions.
    pub fn of_image(location: &str) -> Self {
        Self::new(&[location])
    }

    /// As given by [`as_bytes`](Self::as_bytes), perhaps on another node.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        let mut text = String::with_capacity(2 * self.0.len());
        for byte in self.0 {
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(CacheKey::new(&["ab", "c"]), CacheKey::new(&["a", "bc"]));
    }

    #[test]
    fn keys_are_written_in_hexadecimal() {
        let mut bytes = [0; 16];
        bytes[..3].copy_from_slice(&[0x01, 0xa0, 0xff]);
        let text = format!("01a0ff{}", "00".repeat(13));
        assert_eq!(CacheKey::from_bytes(bytes).to_string(), text);
    }
}
