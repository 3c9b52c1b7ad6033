//! What became of a run: for people a line, for programs a file.

use std::collections::BTreeMap;
use std::fmt;

use indicatif::HumanBytes;
use serde::Serialize;

use super::client::Failure;
use super::job::Part;

/// So many failures are told; the report has all.
const TOLD: usize = 20;

#[derive(Default, Serialize)]
pub struct Report {
    pub server: String,
    pub seconds: f64,
    pub documents: Documents,
    /// Images of the server, each counted once.
    pub images: usize,
    /// Requests that the server answered.
    pub requests: Requests,
    /// Of those answers.
    pub bytes: u64,
    /// Derivatives that a cache had already, the server's or one on the way.
    pub cached: usize,
    /// URLs that were not asked for, because a run before has finished them; an image that is finished counts as one.
    pub finished_before: usize,
    /// Sizes that were wanted and that an image cannot have.
    pub sizes_not_offered: usize,
    /// Images and thumbnails of other servers, by server.
    pub foreign: BTreeMap<String, usize>,
    /// Services that give no images, by what they are.
    pub skipped_services: BTreeMap<String, usize>,
    pub failures: Vec<Problem>,
}

/// Documents that were read.
#[derive(Default, Serialize)]
pub struct Documents {
    pub manifests: usize,
    pub collections: usize,
    /// JSON, but nothing that names images.
    pub others: usize,
}

#[derive(Default, Serialize)]
pub struct Requests {
    pub information: usize,
    pub sizes: usize,
    pub thumbnails: usize,
    pub tiles: usize,
}

#[derive(Serialize)]
pub struct Problem {
    /// Or the path of a file.
    pub url: String,
    pub status: Option<u16>,
    pub error: String,
}

impl Report {
    pub fn answered(&mut self, part: Part, bytes: u64) {
        let count = match part {
            Part::Information => &mut self.requests.information,
            Part::Size => &mut self.requests.sizes,
            Part::Thumbnail => &mut self.requests.thumbnails,
            Part::Tile => &mut self.requests.tiles,
        };
        *count += 1;
        self.bytes += bytes;
    }

    pub fn failed(&mut self, url: &str, failure: &Failure) {
        self.failures.push(Problem {
            url: url.to_owned(),
            status: failure.status(),
            error: failure.told(),
        });
    }

    /// The failures, one a line.
    pub fn reasons(&self) -> String {
        let problems = self.failures.iter().take(TOLD);
        let mut lines: Vec<_> = problems
            .map(|problem| format!("  {}: {}", problem.url, problem.error))
            .collect();
        if let Some(more @ 1..) = self.failures.len().checked_sub(TOLD) {
            lines.push(format!("  and {more} more"));
        }
        lines.join("\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requests {
            information,
            sizes,
            thumbnails,
            tiles,
        } = self.requests;
        writeln!(
            f,
            "{} images: {information} info.json, {sizes} sizes, {thumbnails} thumbnails, {tiles} tiles ({}); \
             {} cached already, {} finished before, {} failed",
            self.images,
            HumanBytes(self.bytes),
            self.cached,
            self.finished_before,
            self.failures.len()
        )?;
        if self.documents.others > 0 {
            let others = self.documents.others;
            writeln!(f, "{others} JSON files are neither manifest nor collection")?;
        }
        for (service, count) in &self.skipped_services {
            writeln!(f, "skipped {count} services that give no images: {service}")?;
        }
        for (server, count) in &self.foreign {
            writeln!(
                f,
                "skipped {count} URLs of another server: {server} (--rewrite makes them this server's)"
            )?;
        }
        Ok(())
    }
}
