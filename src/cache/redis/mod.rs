//! The layer that nodes share.

pub mod config;
mod url;

pub use url::RedisUrl;
