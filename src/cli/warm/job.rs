//! One thing to do, and what is found by doing it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::client::{Answered, Client, Failure};
use super::information::Information;
use super::place;
use super::viewer::Wanted;
use crate::presentation::Document;

/// The largest manifest that is read.
const LARGEST_DOCUMENT: usize = 64 << 20;
const LARGEST_INFORMATION: usize = 1 << 20;
const LARGEST_DERIVATIVE: usize = 256 << 20;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Information,
    Size,
    Thumbnail,
    Tile,
}

#[derive(Clone, Debug)]
pub enum Job {
    /// Read a manifest or collection, so many links away from what was given.
    Document { source: Source, depth: usize },
    /// Ask for an `info.json`; the index tells which image's.
    Information { url: String, image: usize },
    /// Ask for a derivative; of an image, if it was found by its `info.json`.
    Derivative {
        url: String,
        part: Part,
        image: Option<usize>,
    },
}

#[derive(Clone, Debug)]
pub enum Source {
    File(PathBuf),
    Url(String),
}

/// What is found by a job that went well.
pub enum Found {
    Document(Document),
    Information { more: More, bytes: u64 },
    Derivative(Answered),
}

/// What else is to be asked for of an image: URLs.
pub struct More {
    pub derivatives: Vec<(Part, String)>,
    pub sizes_not_offered: usize,
    pub levels_left_out: usize,
}

impl Job {
    /// What it is about, for people.
    pub fn subject(&self) -> String {
        match self {
            Self::Document { source, .. } => source.subject(),
            Self::Information { url, .. } | Self::Derivative { url, .. } => url.clone(),
        }
    }

    /// # Errors
    /// If it cannot be read or is not what it should be.
    pub async fn perform(&self, client: &Client, wanted: &Wanted) -> Result<Found, Failure> {
        match self {
            Self::Document { source, .. } => Ok(Found::Document(source.read(client).await?)),
            Self::Information { url, .. } => {
                let bytes = client.read(url, LARGEST_INFORMATION).await?;
                Ok(Found::Information {
                    more: More::new(url, &Information::read(&bytes)?, wanted),
                    bytes: bytes.len() as u64,
                })
            }
            Self::Derivative { url, .. } => {
                let answered = client.discard(url, LARGEST_DERIVATIVE).await?;
                Ok(Found::Derivative(answered))
            }
        }
    }
}

impl Source {
    /// For people.
    pub fn subject(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.clone(),
        }
    }

    /// The same for every way to write it.
    pub fn name(&self) -> String {
        match self {
            Self::File(_) => self.subject(),
            Self::Url(url) => place::normal(url).unwrap_or_else(|| url.clone()),
        }
    }

    /// # Errors
    /// If it cannot be read or is no JSON.
    pub async fn read(&self, client: &Client) -> Result<Document, Failure> {
        let bytes = match self {
            Self::File(path) => read_file(path)?,
            Self::Url(url) => client.read_anywhere(url, LARGEST_DOCUMENT).await?,
        };
        Ok(Document::read(&bytes)?)
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path)?.take(LARGEST_DOCUMENT as u64 + 1);
    { file }.read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST_DOCUMENT {
        return Err(Failure::TooLarge(LARGEST_DOCUMENT));
    }
    Ok(bytes)
}

impl More {
    /// Below the address of the `info.json`, whatever that calls itself: behind a proxy it names another host.
    fn new(url: &str, information: &Information, wanted: &Wanted) -> Self {
        let base = url.trim_end_matches("/info.json");
        let sizes = wanted.sizes(information);
        let sizes_not_offered = wanted.sizes.len().saturating_sub(sizes.len());
        let sizes = sizes.into_iter().map(|path| (Part::Size, path));
        let (tiles, levels_left_out) = wanted.tiles(information);
        let tiles = tiles.into_iter().map(|path| (Part::Tile, path));
        let below = |(part, path)| (part, format!("{base}/{path}"));
        Self {
            derivatives: sizes.chain(tiles).map(below).collect(),
            sizes_not_offered,
            levels_left_out,
        }
    }
}
