//! Numbers that nobody else has.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 bits: a hash of nothing, with keys that the standard library takes from the system.
pub fn random() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_le_bytes()
}
