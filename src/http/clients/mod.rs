//! Who asks, as the network tells it, and how much he may ask for.

pub(super) mod address;
pub mod config;
pub(super) mod limits;
pub(super) mod unread;
