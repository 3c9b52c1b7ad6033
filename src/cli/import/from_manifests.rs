//! Manifests and the service that still resolves what they name: nothing in a manifest says where an image comes from.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};

use clap::Args;
use futures_util::{StreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Options;
use super::desk::Desk;
use crate::cli::Usage;
use crate::cli::warm::client::{Client, Failure};
use crate::cli::warm::crew::{DEEPEST, MOST_LINKS};
use crate::cli::warm::inputs::{self, Input};
use crate::cli::warm::job::Source;
use crate::cli::warm::place::{normal, origin};
use crate::iiif::Identifier;
use crate::presentation::{Document, Kind};
use crate::registry::{Answer, Details, NewEntry, contradicts};

const LONGEST_LOCATION: usize = 4096;
/// A run that is interrupted has to ask for so many again.
const COMMIT_AFTER: usize = 20;

/// From manifests and the TAMU IR IIIF service that still knows the images they name. An identifier that is a UUID of version 3 is taken
/// only if it is that of the location
#[derive(Args)]
pub struct Manifests {
    /// Folders of manifests and collections, such files or their URLs, identifiers, or - for one identifier or URL a line on standard
    /// input
    #[arg(required = true, value_name = "WHAT")]
    inputs: Vec<String>,

    /// The service, which is asked for SERVICE/resources/IDENTIFIER
    #[arg(long, value_name = "URL")]
    service: String,

    /// What published URLs of images begin with, before the identifier; can be repeated. Without it, the identifier is what follows the
    /// last slash
    #[arg(long = "base", value_name = "URL")]
    bases: Vec<String>,

    /// How many requests at a time
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN.saturating_add(3))]
    concurrency: NonZeroUsize,

    /// How many requests a second at most
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,

    #[command(flatten)]
    pub options: Options,
}

impl Manifests {
    pub async fn import(&self, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
        let service = normal(&self.service)
            .ok_or_else(|| Usage(format!("--service: {:?} is no http URL", self.service)))?;
        let client = Client::new(self.rate)?;
        let named = self.gather(&client, desk).await?;
        let unknown = unknown(named, desk).await?;
        desk.bar.inc_length(unknown.len() as u64);
        let asking = stream::iter(unknown).map(|identifier| ask(&client, &service, identifier));
        let mut answers = asking.buffer_unordered(self.concurrency.get());
        let mut taken = 0;
        while let Some((identifier, location)) = answers.next().await {
            let entry = entry(&identifier, location, &service);
            desk.take(identifier, entry).await?;
            desk.bar.inc(1);
            taken += 1;
            if taken % COMMIT_AFTER == 0 {
                desk.commit().await?;
            }
        }
        Ok(())
    }

    /// The identifiers that are named, each once, in the order in which they are found.
    async fn gather(
        &self,
        client: &Client,
        desk: &mut Desk,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let mut found = Gathered::default();
        for input in inputs::resolve(&self.inputs, io::stdin().lock())? {
            match input {
                Input::File(path) => found.add_document(Source::File(path), 0),
                Input::Url(url) => found.add_document(Source::Url(url), 0),
                Input::Identifier(identifier) => found.add(identifier),
            }
        }
        while let Some((source, depth)) = found.waiting.pop() {
            match source.read(client).await {
                Ok(document) => self.take_document(document, depth, &mut found, desk),
                Err(failure) => {
                    let entry: Result<NewEntry, _> = Err(failure.told());
                    desk.take(source.subject(), entry).await?;
                }
            }
        }
        Ok(found.identifiers)
    }

    fn take_document(
        &self,
        document: Document,
        depth: usize,
        found: &mut Gathered,
        desk: &mut Desk,
    ) {
        match document.kind {
            Kind::Manifest => desk.summary.manifests += 1,
            Kind::Collection => desk.summary.collections += 1,
            Kind::Other => desk.summary.other_documents += 1,
            Kind::Information => {}
        }
        for service in document.other_services {
            *desk.summary.skipped_services.entry(service).or_default() += 1;
        }
        for uri in document.images {
            match self.identifier(&uri) {
                Some(identifier) => found.add(identifier),
                None => *desk.summary.foreign.entry(origin(&uri)).or_default() += 1,
            }
        }
        for url in document.members {
            found.add_document(Source::Url(url), depth + 1);
        }
    }

    /// What the URI of an image service names, without page and scale: `identifier;2`.
    fn identifier(&self, uri: &str) -> Option<String> {
        let segment = if self.bases.is_empty() {
            uri.rsplit('/').next()
        } else {
            self.bases.iter().find_map(|base| {
                let rest = uri.strip_prefix(base.trim_end_matches('/'))?;
                rest.strip_prefix('/')
            })
        }?;
        let identifier = Identifier::decode(segment).ok()?;
        let document = identifier.clone().with_suffixes().unwrap_or(identifier);
        Some(document.as_str().to_owned())
    }
}

#[derive(Default)]
struct Gathered {
    waiting: Vec<(Source, usize)>,
    documents: HashSet<String>,
    identifiers: Vec<String>,
    seen: HashSet<String>,
}

impl Gathered {
    /// Collections that lead to themselves, or on for ever, come to an end.
    fn add_document(&mut self, source: Source, depth: usize) {
        let is_near = depth <= DEEPEST && self.documents.len() < MOST_LINKS;
        if is_near && self.documents.insert(source.name()) {
            self.waiting.push((source, depth));
        }
    }

    fn add(&mut self, identifier: String) {
        if self.seen.insert(identifier.clone()) {
            self.identifiers.push(identifier);
        }
    }
}

/// Those that are not in the registry. A tombstone is told of: somebody published what was removed.
async fn unknown(named: Vec<String>, desk: &mut Desk) -> Result<Vec<String>, Box<dyn Error>> {
    let mut unknown = Vec::new();
    for identifier in named {
        match desk.find(&identifier).await? {
            Answer::Found(_) => desk.summary.known += 1,
            Answer::Unknown => unknown.push(identifier),
            Answer::Gone => {
                let entry: Result<NewEntry, _> = Err("it was removed from the registry");
                desk.take(identifier, entry).await?;
            }
        }
    }
    Ok(unknown)
}

async fn ask(
    client: &Client,
    service: &str,
    identifier: String,
) -> (String, Result<Vec<u8>, Failure>) {
    let segment = utf8_percent_encode(&identifier, NON_ALPHANUMERIC);
    let url = format!("{service}/resources/{segment}");
    let answer = client.read_anywhere(&url, LONGEST_LOCATION).await;
    (identifier, answer)
}

fn entry(
    identifier: &str,
    location: Result<Vec<u8>, Failure>,
    service: &str,
) -> Result<NewEntry, String> {
    let location =
        location.map_err(|failure| format!("asked of the service: {}", failure.told()))?;
    let location = String::from_utf8(location).map_err(|error| error.to_string())?;
    let location = location.trim();
    if contradicts(identifier, location) {
        return Err(format!(
            "the service says {location}, of which it is not the UUID"
        ));
    }
    let provenance = format!("import manifests, of {service}");
    let entry = NewEntry::new(identifier, location, Details::default(), &provenance);
    entry.map_err(|error| format!("the service says {location:?}: {error}"))
}
