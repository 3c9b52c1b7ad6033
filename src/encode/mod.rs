//! From pixels to the bytes of a derivative.

pub mod config;
