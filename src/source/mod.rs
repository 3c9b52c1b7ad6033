//! Where underlying images are stored.

pub mod config;
pub mod file;
