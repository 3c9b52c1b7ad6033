//! What the process tells of itself.

use std::env;
use std::io::{self, IsTerminal};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::formats::Invalid;

/// What is logged, and how. The log goes to the standard error stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// One line of text for each event, or one JSON object.
    pub format: LogFormat,

    /// The least important level that is logged: off, error, warn, info, debug or trace; parts of the program can
    /// differ, as in `info,azulejo::http=debug`. The environment variable `RUST_LOG` goes before it.
    #[schemars(extend("format" = "log-filter"))]
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

// The variants have no doc comments: with them the schema would be a list of schemas instead of a list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Starts logging; to be called once, first.
pub fn init(config: &LogConfig) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(config))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
}

/// A part of `RUST_LOG` that cannot be understood is named on the standard error stream and left out: a leftover
/// variable should not keep a server from starting.
fn filter(config: &LogConfig) -> EnvFilter {
    let filter = match env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => filter,
        _ => config.level.clone(),
    };
    EnvFilter::new(filter)
}

/// Whether this says what to log. A word without `=` must be a level: otherwise a misspelt level would be taken for
/// the name of a part of the program, and everything else would fall silent.
///
/// # Errors
/// What is wrong with it.
pub fn check_filter(text: &str) -> Result<(), Invalid> {
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    let understood = |part: &str| part.contains('=') || is_level(part.trim());
    if !text.split(',').all(understood) {
        return Err(Invalid("a word in it is not a level"));
    }
    EnvFilter::try_new(text).map_err(|_| Invalid("a part of it is not `part=level`"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_found() {
        for right in ["info", "WARN", "off", "info,azulejo::http=debug"] {
            assert!(check_filter(right).is_ok(), "{right}");
        }
        for wrong in ["", "inof", "info,azulejo=lots", "azulejo::http"] {
            assert!(check_filter(wrong).is_err(), "{wrong}");
        }
    }
}
