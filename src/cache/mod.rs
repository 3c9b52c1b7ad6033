//! What is made once and kept.

mod key;

pub use key::CacheKey;
