//! The pool that decodes and encodes.

pub mod config;
