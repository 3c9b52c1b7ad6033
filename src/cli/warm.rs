//! `azulejo warm`: asks a running server for what viewers will ask it for, so that its caches hold it. It is a client as
//! they are, so what is warmed is found by the same keys.

pub(super) mod client;
pub(super) mod crew;
mod information;
pub(super) mod inputs;
pub(super) mod job;
mod pace;
pub(super) mod place;
mod report;
mod state;
mod viewer;

use std::error::Error;
use std::fs;
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tokio::runtime::Builder;

use self::client::Client;
use self::crew::{Crew, List};
use self::place::Place;
use self::report::Report;
use self::state::State;
use self::viewer::Wanted;
use super::progress::progress_bar;
use super::settings::{ConfigFile, reachable};
use super::{Outcome, Usage, print};
use crate::config::Config;
use crate::iiif::{Size, Version};

/// Fill the caches of a running server with what viewers will ask for
#[derive(Args)]
pub struct Warm {
    /// Identifiers, URLs of images, manifests or collections, manifest files, folders of them, or - for one identifier or
    /// URL a line on standard input
    #[arg(required = true, value_name = "WHAT")]
    inputs: Vec<String>,

    /// The server to ask; without it the one at the configured address
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// What published URLs begin with, and the URL or path on the server that takes its place; can be repeated
    #[arg(long, value_name = "OLD=NEW")]
    rewrite: Vec<String>,

    /// Version of the Image API that identifiers are asked for by
    #[arg(long, value_name = "VERSION", default_value = "3", value_parser = PossibleValuesParser::new(["2", "3"]))]
    api: String,

    /// Size of the whole image, such as !100,100; can be repeated. Without it those of the info.json up to 512 pixels
    #[arg(long = "size", value_name = "SIZE")]
    sizes: Vec<String>,

    /// How many levels of tiles, from the lowest
    #[arg(long, value_name = "N", default_value_t = 2)]
    levels: usize,

    /// How many requests at a time
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN.saturating_add(3))]
    concurrency: NonZeroUsize,

    /// How many requests a second at most
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,

    /// Print the URLs instead of asking the server. Tiles are not among them: only the server's info.json tells them
    #[arg(long)]
    dry_run: bool,

    /// File of the URLs that are finished, which are skipped when it is given again
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// File to write a report to, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} failed:\n{1}")]
struct Failed(usize, String);

#[derive(Debug, thiserror::Error)]
#[error("the {what} {path} cannot be written")]
struct Unwritable {
    what: &'static str,
    path: String,
    source: io::Error,
}

impl Warm {
    pub fn run(&self) -> Outcome {
        let start = std::time::Instant::now();
        let mut crew = self.crew()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let end = runtime.block_on(crew.run(self.concurrency));
        crew.bar.finish_and_clear();
        crew.report.seconds = start.elapsed().as_secs_f64();
        // Also of a run that ended early.
        self.write_report(&crew.report)?;
        end.map_err(|source| unwritable("state", self.state.as_ref(), source))?;
        for url in crew.planned.iter().flatten() {
            print(&format!("{url}\n"))?;
        }
        if self.dry_run {
            eprint!("{}", crew.report);
        } else {
            print(&crew.report.to_string())?;
        }
        match crew.report.failures.len() {
            0 => Ok(()),
            failed => Err(Failed(failed, crew.report.reasons()).into()),
        }
    }

    fn crew(&self) -> Result<Crew, Box<dyn Error>> {
        self.check_sizes()?;
        let config = Config::load(&self.config.layers())?.config;
        let place = self.place(&config)?;
        let mut crew = Crew {
            client: Arc::new(Client::new(self.rate)?),
            wanted: Arc::new(Wanted {
                sizes: self.sizes.clone(),
                levels: self.levels,
            }),
            version: if self.api == "2" {
                Version::V2
            } else {
                Version::V3
            },
            state: self.state()?,
            report: Report {
                server: place.base().to_owned(),
                ..Report::default()
            },
            place,
            bar: progress_bar(0, "requests"),
            planned: self.dry_run.then(Vec::new),
            list: List::default(),
        };
        let inputs = inputs::resolve(&self.inputs, io::stdin().lock())?;
        inputs.into_iter().for_each(|input| crew.add(input));
        Ok(crew)
    }

    fn place(&self, config: &Config) -> Result<Place, Usage> {
        let server = match &self.server {
            Some(url) => url.clone(),
            None => format!("http://{}", reachable(config.server.listen)),
        };
        let place = Place::new(&server, config.server.slash_substitute.clone())?;
        let mut place = place.with_rules(&self.rewrite)?;
        if let Some(url) = &config.server.public_url {
            place.add_alias(url.as_str());
        }
        Ok(place)
    }

    fn check_sizes(&self) -> Result<(), Usage> {
        for size in &self.sizes {
            let parsed = Size::parse(size, Version::V3).or_else(|_| Size::parse(size, Version::V2));
            parsed.map_err(|error| Usage(format!("--size: {error}")))?;
        }
        Ok(())
    }

    /// An image is finished with these sizes and levels, not with others.
    fn state(&self) -> Result<State, state::StateError> {
        let is_of_use = |path: &&PathBuf| !self.dry_run || path.exists();
        let Some(path) = self.state.as_ref().filter(is_of_use) else {
            return Ok(State::none());
        };
        let (sizes, levels) = (self.sizes.join(" "), self.levels);
        State::open(
            path,
            &format!("azulejo warm: sizes [{sizes}], {levels} levels"),
        )
    }

    fn write_report(&self, report: &Report) -> Outcome {
        if let Some(path) = &self.report {
            let text = format!("{}\n", serde_json::to_string_pretty(report)?);
            let written = fs::write(path, text);
            written.map_err(|source| unwritable("report", Some(path), source))?;
        }
        Ok(())
    }
}

fn unwritable(what: &'static str, path: Option<&PathBuf>, source: io::Error) -> Unwritable {
    Unwritable {
        what,
        path: path
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        source,
    }
}
