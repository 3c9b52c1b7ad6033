//! Where entries are handed in, whatever they are imported from.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use indicatif::ProgressBar;
use serde::Serialize;

use super::{Options, Outcome};
use crate::cli::progress::progress_bar;
use crate::cli::{Usage, print};
use crate::config::Config;
use crate::registry::{Answer, Intake, NewEntry, Over, Registry, Report, contradicts};

/// So many are told one by one.
const TOLD: usize = 20;
const LISTED: usize = 1000;

pub struct Desk {
    registry: Registry,
    intake: Intake,
    pub bar: ProgressBar,
    pub summary: Summary,
    report: Option<PathBuf>,
    /// Whether identifiers are taken that are UUIDs of version 3, but not of their locations.
    trusts: bool,
}

/// What an import has done: its report.
#[derive(Default, Serialize)]
pub struct Summary {
    pub dry_run: bool,
    #[serde(flatten)]
    entries: Report,
    /// Identifiers that are UUIDs of version 3, but not of their locations: the first thousand. With `--unverified` they are
    /// imported as they are, else they failed.
    unverified: Vec<String>,
    /// Of the images that manifests name, those that were not asked for, because the registry has them.
    pub known: u64,
    pub manifests: u64,
    pub collections: u64,
    /// JSON, but nothing that names images.
    pub other_documents: u64,
    /// Image services elsewhere than below `--base`, by server.
    pub foreign: BTreeMap<String, u64>,
    /// Services that give no images, by what they are.
    pub skipped_services: BTreeMap<String, u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} failed:\n{1}")]
struct Failed(u64, String);

impl Desk {
    pub async fn open(options: &Options, trusts: bool) -> Result<Self, Box<dyn Error>> {
        let config = Config::load(&options.config.layers())?.config;
        let registry = if options.dry_run {
            Registry::open_unchanged(&config.registry).await?
        } else {
            Registry::open(&config.registry).await?
        };
        let registry = registry.ok_or_else(|| {
            Usage(
                "which registry is meant? Say so with registry.url or AZULEJO_REGISTRY__URL"
                    .to_owned(),
            )
        })?;
        let over = Over {
            entry: options.replace,
            tombstone: false,
        };
        Ok(Self {
            intake: Intake::new(registry.clone(), over, options.dry_run),
            registry,
            bar: progress_bar(0, "read"),
            summary: Summary {
                dry_run: options.dry_run,
                ..Summary::default()
            },
            report: options.report.clone(),
            trusts,
        })
    }

    /// Takes an entry, or why there is none.
    ///
    /// # Errors
    /// If the registry does not answer.
    pub async fn take(
        &mut self,
        place: String,
        entry: Result<NewEntry, impl ToString>,
    ) -> Result<(), Box<dyn Error>> {
        let entry = entry.map_err(|reason| reason.to_string());
        match entry.and_then(|entry| self.verified(entry)) {
            Ok(entry) => Ok(self.intake.take(place, entry).await?),
            Err(reason) => {
                self.intake.refuse(place, reason);
                Ok(())
            }
        }
    }

    fn verified(&mut self, entry: NewEntry) -> Result<NewEntry, String> {
        let identifier = entry.identifier();
        if !contradicts(identifier, entry.location()) {
            return Ok(entry);
        }
        let unverified = &mut self.summary.unverified;
        if unverified.len() < LISTED {
            unverified.push(identifier.to_owned());
        }
        if self.trusts {
            return Ok(entry);
        }
        Err(format!(
            "{identifier} is not the UUID of its location, though of that form: --unverified takes it"
        ))
    }

    /// What the registry knows of an identifier.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn find(&self, identifier: &str) -> Result<Answer, Box<dyn Error>> {
        Ok(self.registry.find(identifier).await?)
    }

    /// Commits what was taken.
    ///
    /// # Errors
    /// If the registry does not answer.
    pub async fn commit(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.intake.finish().await?)
    }

    /// Commits the rest and tells what was done, also by an import that ended early.
    pub async fn close(mut self, end: Outcome) -> Outcome {
        let end = end.and(self.commit().await);
        self.bar.finish_and_clear();
        self.summary.entries = self.intake.report().clone();
        if let Some(path) = &self.report {
            let text = serde_json::to_string_pretty(&self.summary)?;
            let written = fs::write(path, format!("{text}\n"));
            written.map_err(|error| {
                format!("the report {} cannot be written: {error}", path.display())
            })?;
        }
        print(&self.summary.to_string())?;
        end?;
        match self.summary.entries.failed {
            0 => Ok(()),
            failed => Err(Failed(failed, self.summary.reasons()).into()),
        }
    }
}

impl Summary {
    fn reasons(&self) -> String {
        let told = self.entries.problems.iter().take(TOLD);
        let lines = told.map(|problem| format!("  {}: {}\n", problem.place, problem.problem));
        let more = self.entries.failed.saturating_sub(TOLD as u64);
        let rest = (more > 0).then(|| format!("  and {more} more"));
        lines.chain(rest).collect::<String>().trim_end().to_owned()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            new,
            same,
            replaced,
            failed,
            ..
        } = self.entries;
        let would = if self.dry_run { "it would be: " } else { "" };
        let there = same + self.known;
        writeln!(
            f,
            "{would}{new} new, {there} there already, {replaced} replaced, {failed} failed"
        )?;
        if self.other_documents > 0 {
            writeln!(
                f,
                "{} JSON files are neither manifest nor collection",
                self.other_documents
            )?;
        }
        for (service, count) in &self.skipped_services {
            writeln!(f, "skipped {count} services that give no images: {service}")?;
        }
        for (server, count) in &self.foreign {
            writeln!(
                f,
                "skipped {count} images of another server: {server} (--base makes them known)"
            )?;
        }
        match self.unverified.len() {
            0 => Ok(()),
            count => writeln!(
                f,
                "{count} identifiers are not the UUIDs of their locations, though of that form"
            ),
        }
    }
}
