//! `azulejo pyramid`: builds ahead what the server would build when an image is zoomed into.

mod images;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{iter, thread};

use clap::Args;
use indicatif::HumanBytes;

use self::images::{Image, Images};
use super::progress::progress_bar;
use super::settings::ConfigFile;
use super::{Outcome, print, with_causes};
use crate::config::Config;
use crate::decode;
use crate::pyramid;
use crate::route::FILES;
use crate::source::Source;
use crate::work::Work;

/// Build the pyramids of large images ahead, where they are missing
#[derive(Args)]
pub struct Pyramid {
    /// Directories of images, as given to `azulejo serve`, and files; without any, the directories of the configuration
    paths: Vec<PathBuf>,

    #[command(flatten)]
    config: ConfigFile,
}

impl Pyramid {
    pub fn run(&self) -> Outcome {
        let config = Config::load(&self.config.layers())?.config;
        let work = Work::new(1, 0, config.work.memory_budget());
        let paths = match &self.paths[..] {
            [] => roots(&config),
            paths => paths.to_vec(),
        };
        let images = Images::find(&paths, &config, &work)?;
        let summary = build_all(&images, &config);
        print(&format!("{summary}\n"))?;
        match summary.failures.len() {
            0 => Ok(()),
            failed => Err(Failed(failed, summary.reasons()).into()),
        }
    }
}

/// All directories that rules lead to.
fn roots(config: &Config) -> Vec<PathBuf> {
    let is_used = |name: &str| config.routes.iter().any(|route| route.source == name);
    let general = config.routes.is_empty() || is_used(FILES);
    let general = general.then_some(&config.source);
    let named = config.sources.files.iter();
    let named = named
        .filter(|(name, _)| is_used(name))
        .map(|(_, files)| files);
    let used = general.into_iter().chain(named);
    used.flat_map(|files| iter::once(&files.root).chain(&files.further_roots))
        .cloned()
        .collect()
}

#[derive(Debug, thiserror::Error)]
#[error("{0} failed:\n{1}")]
struct Failed(usize, String);

/// What became of all images.
#[derive(Default)]
struct Summary {
    built: usize,
    bytes: u64,
    stood: usize,
    not_needed: usize,
    /// Name and reason.
    failures: Vec<(String, String)>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            built,
            stood,
            not_needed,
            ..
        } = self;
        let (bytes, failed) = (HumanBytes(self.bytes), self.failures.len());
        write!(
            f,
            "{built} built ({bytes}), {stood} stood already, {not_needed} need none, {failed} failed"
        )
    }
}

impl Summary {
    fn add(&mut self, name: &str, outcome: Result<pyramid::Outcome, String>) {
        match outcome {
            Ok(pyramid::Outcome::Built(bytes)) => {
                self.built += 1;
                self.bytes += bytes;
            }
            Ok(pyramid::Outcome::Stands) => self.stood += 1,
            Ok(pyramid::Outcome::NotNeeded) => self.not_needed += 1,
            Err(reason) => self.failures.push((name.to_owned(), reason)),
        }
    }

    fn reasons(&self) -> String {
        let mut lines: Vec<_> = self
            .failures
            .iter()
            .map(|(name, reason)| format!("  {name}: {reason}"))
            .collect();
        lines.sort();
        lines.join("\n")
    }
}

/// As many images at once as there are threads; where there are fewer images, several threads for each.
fn build_all(images: &Images, config: &Config) -> Summary {
    let threads = config.work.thread_count().max(1);
    let workers = images.all.len().clamp(1, threads);
    let each = NonZeroUsize::new(threads / workers).unwrap_or(NonZeroUsize::MIN);
    let bar = progress_bar(images.all.len(), "images");
    let summary = Mutex::new(Summary::default());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(image) = images.all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = build(image, images, config, each);
                    let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                    summary.add(&image.name, outcome);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn build(
    image: &Image,
    images: &Images,
    config: &Config,
    threads: NonZeroUsize,
) -> Result<pyramid::Outcome, String> {
    let root = &images.roots[image.root];
    let object = root.filesystem.find(image.identifier.as_str());
    let object = object.map_err(|error| with_causes(&error))?;
    let input = root.filesystem.open(&object);
    let input = input.map_err(|error| with_causes(&error))?;
    let decoder = decode::open(input, &config.decode);
    let decoder = Arc::from(decoder.map_err(|error| with_causes(&error))?);
    let outcome = root.pyramids.build(&object, &decoder, threads);
    outcome.map_err(|error| with_causes(&error))
}
