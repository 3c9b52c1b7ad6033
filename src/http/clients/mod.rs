//! Who asks, as the network tells it.

pub mod address;
pub mod config;
