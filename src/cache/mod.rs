//! What is made once and kept.

pub mod config;
mod headers;
mod key;
mod pixels;

pub use headers::Headers;
pub use key::CacheKey;
pub use pixels::Pixels;
