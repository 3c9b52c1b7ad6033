//! The IIIF Image API as types: pure, without I/O and without HTTP.

pub mod config;
pub mod format;
