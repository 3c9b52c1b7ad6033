//! What is made once and kept.

pub mod config;
#[cfg(test)]
pub(crate) mod contract;
pub mod disk;
mod entry;
mod failures;
pub mod flights;
mod generations;
pub mod guarded;
mod headers;
mod key;
pub mod layer;
mod layers;
pub mod memory;
pub mod objects;
mod pixels;
mod random;
pub mod redis;
pub mod report;
#[cfg(test)]
mod scripted;
pub mod seal;
mod sightings;

pub use entry::{Entry, EntryKey};
pub use failures::Failures;
pub use generations::Generation;
pub use headers::Headers;
pub use key::CacheKey;
pub use layers::{Found, Layers, Ticket};
pub use pixels::{Pixels, TilesOf};
pub use report::LayerReport;
pub use sightings::Sightings;
