//! Taking in many entries, in chunks.

use std::mem;

use serde::Serialize;

use super::Registry;
use super::entry::NewEntry;
use super::error::RegistryError;
use super::write::{Over, Put};

/// As many are committed at once: all of them or none.
const CHUNK: usize = 500;
/// So many problems are told one by one.
const TOLD: usize = 1000;

/// Puts what it is given, and counts.
pub struct Intake {
    registry: Registry,
    over: Over,
    is_dry: bool,
    chunk: Vec<(String, NewEntry)>,
    report: Report,
}

/// What became of the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub new: u64,
    /// They were there already.
    pub same: u64,
    /// They stand now in place of another one.
    pub replaced: u64,
    /// They stand now in place of a tombstone.
    pub revived: u64,
    pub failed: u64,
    /// Of those that failed, the first thousand.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where it was given: `line 7`, or a URL.
    pub place: String,
    pub problem: String,
}

impl Intake {
    /// If it is dry, nothing is written.
    pub fn new(registry: Registry, over: Over, is_dry: bool) -> Self {
        Self {
            registry,
            over,
            is_dry,
            chunk: Vec::new(),
            report: Report::default(),
        }
    }

    /// Takes an entry. It may be committed only with [`finish`](Self::finish).
    ///
    /// # Errors
    /// If the registry does not answer: of the chunk, nothing is written.
    pub async fn take(&mut self, place: String, entry: NewEntry) -> Result<(), RegistryError> {
        self.chunk.push((place, entry));
        if self.chunk.len() < CHUNK {
            return Ok(());
        }
        self.finish().await
    }

    /// Counts something that is no entry.
    pub fn refuse(&mut self, place: String, problem: String) {
        self.report.failed += 1;
        if self.report.problems.len() < TOLD {
            self.report.problems.push(Problem { place, problem });
        }
    }

    /// Puts what is left.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn finish(&mut self) -> Result<(), RegistryError> {
        let (places, entries): (Vec<_>, Vec<_>) = mem::take(&mut self.chunk).into_iter().unzip();
        let outcomes = if self.is_dry {
            self.registry.preview(&entries, self.over).await?
        } else {
            self.registry.put_all(&entries, self.over).await?
        };
        for ((place, entry), outcome) in places.into_iter().zip(&entries).zip(outcomes) {
            self.count(place, entry, outcome);
        }
        Ok(())
    }

    fn count(&mut self, place: String, entry: &NewEntry, outcome: Put) {
        let identifier = entry.identifier();
        match outcome {
            Put::New => self.report.new += 1,
            Put::Same => self.report.same += 1,
            Put::Replaced(_) => self.report.replaced += 1,
            Put::Revived => self.report.revived += 1,
            Put::Kept(_) => self.refuse(
                place,
                format!("{identifier:?} has another entry, which stays"),
            ),
            Put::Gone => self.refuse(place, format!("{identifier:?} was removed, and stays so")),
        }
    }

    pub fn report(&self) -> &Report {
        &self.report
    }
}
