//! JSON lines: the entries of `GET /resources`, or what another program writes in that form.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use super::desk::Desk;
use super::{Options, Trust, open, unreadable};
use crate::registry::NewEntry;

/// From JSON, an object with a location and perhaps an identifier, page, title, checksum and checked on each line
#[derive(Args)]
pub struct Lines {
    /// The files, or - for standard input. Where there is no identifier, it is the UUID of version 3 of the location
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    pub trust: Trust,

    #[command(flatten)]
    pub options: Options,
}

impl Lines {
    pub async fn import(&self, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
        for path in &self.files {
            import(path, desk).await?;
        }
        Ok(())
    }
}

async fn import(path: &Path, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
    let (file, length) = open(path)?;
    desk.bar.inc_length(length);
    let provenance = format!("import json {}", path.display());
    for (number, line) in (1..).zip(BufReader::new(file).split(b'\n')) {
        let line = line.map_err(|error| unreadable(path, error))?;
        desk.bar.inc(line.len() as u64 + 1);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = format!("{}, line {number}", path.display());
        desk.take(place, NewEntry::from_json(&line, &provenance))
            .await?;
    }
    Ok(())
}
