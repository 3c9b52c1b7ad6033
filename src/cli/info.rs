//! `azulejo info`: what Azulejo knows of an image file.

mod fitness;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use self::report::Report;
use super::settings::ConfigFile;
use super::{Outcome, print};
use crate::config::Config;
use crate::decode::{self, DecodeError};
use crate::source::FileInput;

/// Show what is known of an image file, and whether it can be served fast
#[derive(Args)]
pub struct Info {
    file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be served")]
struct Unreadable {
    path: String,
    source: DecodeError,
}

impl Info {
    pub fn run(&self) -> Outcome {
        let limits = Config::load(&self.config.layers())?.config.decode;
        let report = inspect(&self.file, &limits).map_err(|source| Unreadable {
            path: self.file.display().to_string(),
            source,
        })?;
        if self.json {
            return print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
        }
        print(&report.to_string())
    }
}

fn inspect(path: &Path, limits: &decode::Limits) -> Result<Report, DecodeError> {
    let input = FileInput::open(path)?;
    let decoder = decode::open(Arc::new(input), limits)?;
    Ok(Report::new(path, decoder.header()))
}
