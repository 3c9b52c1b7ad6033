//! What is made once and kept.

pub mod config;
#[cfg(test)]
pub(crate) mod contract;
pub mod disk;
mod entry;
mod headers;
mod key;
pub mod layer;
pub mod memory;
pub mod objects;
mod pixels;
pub mod report;
pub mod seal;

pub use entry::{Entry, EntryKey};
pub use headers::Headers;
pub use key::CacheKey;
pub use pixels::Pixels;
