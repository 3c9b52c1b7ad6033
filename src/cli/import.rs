//! `azulejo import`: puts into the registry what an institution has elsewhere. It removes nothing there or here, and what is there
//! already is not put again: after an interruption it is simply run again.

mod desk;
mod from_csv;
mod from_lines;
mod from_manifests;
mod from_redis;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tokio::runtime::Builder;

use self::desk::Desk;
use super::Outcome;
use super::settings::ConfigFile;

/// Put identifiers and the locations of their images into the registry
#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    from: Origin,
}

#[derive(Subcommand)]
enum Origin {
    Csv(from_csv::Csv),
    Json(from_lines::Lines),
    Redis(from_redis::Redis),
    Manifests(from_manifests::Manifests),
}

/// What every import takes.
#[derive(Args)]
struct Options {
    /// Put entries in place of others of the same identifier, which stay in the history; without it, they are failures
    #[arg(long)]
    replace: bool,

    /// Say what would be done, and do not do it
    #[arg(long)]
    dry_run: bool,

    /// File to write a report to, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigFile,
}

/// Of what is read, where nobody is asked whether it is right.
#[derive(Args)]
struct Trust {
    /// Also take identifiers that are UUIDs of version 3, but not of their locations; without it, they are failures
    #[arg(long)]
    unverified: bool,
}

impl Import {
    pub fn run(&self) -> Outcome {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.import())
    }

    async fn import(&self) -> Outcome {
        let mut desk = Desk::open(self.options(), self.trusts()).await?;
        let end = match &self.from {
            Origin::Csv(files) => files.import(&mut desk).await,
            Origin::Json(files) => files.import(&mut desk).await,
            Origin::Redis(redis) => redis.import(&mut desk).await,
            Origin::Manifests(manifests) => manifests.import(&mut desk).await,
        };
        desk.close(end).await
    }

    fn trusts(&self) -> bool {
        match &self.from {
            Origin::Csv(files) => files.trust.unverified,
            Origin::Json(files) => files.trust.unverified,
            Origin::Redis(redis) => redis.trust.unverified,
            Origin::Manifests(_) => false,
        }
    }

    fn options(&self) -> &Options {
        match &self.from {
            Origin::Csv(files) => &files.options,
            Origin::Json(files) => &files.options,
            Origin::Redis(redis) => &redis.options,
            Origin::Manifests(manifests) => &manifests.options,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be read")]
struct Unreadable {
    path: String,
    source: Box<dyn Error>,
}

fn unreadable(path: &Path, source: impl Into<Box<dyn Error>>) -> Unreadable {
    Unreadable {
        path: path.display().to_string(),
        source: source.into(),
    }
}

/// A file, or for `-` the standard input; and how long it is, if that is known.
fn open(path: &Path) -> Result<(Box<dyn Read>, u64), Unreadable> {
    if path == "-" {
        return Ok((Box::new(io::stdin()), 0));
    }
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    Ok((Box::new(file), length))
}
