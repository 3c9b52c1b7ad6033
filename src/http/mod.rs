//! HTTP: the only place that knows it.

pub mod config;

use std::io;

use crate::config::Config;

/// Serves until the process is told to stop.
///
/// # Errors
/// If the address cannot be listened on.
pub fn serve(_config: &Config) -> io::Result<()> {
    Err(io::Error::other("serving is not part of this build yet"))
}
