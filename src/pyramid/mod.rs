//! Pyramids for images that have none: tiled copies with levels, made in the background or ahead of time, kept on disk.
//!
//! [`Pyramids`] is asked for the pyramid of an image before its file is opened, and told of images that would be served
//! better from one. Losing a pyramid, or all of them, makes answers slower and nothing else.

mod bands;
mod builder;
mod coding;
pub mod config;
mod halve;
mod need;
mod seen;
mod tiff;
mod writer;

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use self::builder::{Builder, Job};
use self::writer::Options;
use crate::cache::CacheKey;
use crate::config::Config;
use crate::decode::{self, Decoder, Header, Limits};
use crate::files::store::{Kind, Store};
use crate::geometry::Dimensions;
use crate::source::{FileInput, Object};
use crate::work::Work;

pub use writer::BuildError;

/// Changes with the way pyramids are made, so that older ones are not used.
const FORMAT: &str = "pyramid 1";
const KIND: Kind = Kind {
    name: "pyramid",
    extension: "tif",
    seal: b"azulejo pyramid\n",
};
/// Decoding a band needs no more than this, if a row of tiles allows.
const MOST_BAND_BYTES: u64 = 512 << 20;

/// The tiles of pyramids that are nobody's copies.
const TILE: u32 = 512;

/// Writes the pyramid of an image to a file of the caller's, which is a TIFF like any other. It waits for memory, and stops when it is told to.
///
/// # Errors
/// If the image cannot be decoded, the file not be written, or it is to stop.
pub fn write(
    decoder: &dyn Decoder,
    file: File,
    work: &Work,
    limits: &Limits,
    stopped: &dyn Fn() -> bool,
) -> Result<(), BuildError> {
    let too_large = io::Error::from(io::ErrorKind::InvalidInput);
    let options = Options {
        tile: Dimensions::new(TILE, TILE).ok_or(too_large)?,
        band_bytes: band_bytes(work, limits),
        threads: NonZeroUsize::MIN,
    };
    builder::write_alone(decoder, file, &options, work, stopped)
}

/// What decoding a band may need: a share of the memory for all requests.
fn band_bytes(work: &Work, limits: &Limits) -> u64 {
    let share = [work.budget() / 4, limits.decoded_bytes / 2];
    share.into_iter().fold(MOST_BAND_BYTES, u64::min)
}

/// The pyramids of the images below one root; off if the configuration says so.
#[derive(Clone)]
pub struct Pyramids {
    parts: Option<Arc<Parts>>,
    /// Why there are none, if not because the configuration says so.
    problem: Option<&'static str>,
}

struct Parts {
    /// The directory of the images: pyramids of several servers may be in one store.
    root: PathBuf,
    limits: Limits,
    least_pixels: u64,
    band_bytes: u64,
    store: Arc<Store>,
    /// Those that were used last.
    opened: Cache<CacheKey, Arc<dyn Decoder>>,
    builder: Builder,
}

/// Each is an open file.
const MOST_OPENED: u64 = 100;
/// Then they are opened anew, which the store takes for a use.
const OPENED_FOR: Duration = Duration::from_secs(600);

/// What was done for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is served well as it is.
    NotNeeded,
    /// Its pyramid was there.
    Stands,
    /// Its pyramid was made, of so many bytes.
    Built(u64),
}

/// What has been built in the background since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Built {
    pub pyramids: u64,
    pub bytes: u64,
    pub failed: u64,
}

impl Pyramids {
    /// `work` has the memory that building takes its share of. Nothing is read or written yet.
    pub fn new(config: &Config, work: &Work) -> Self {
        let off = |problem| Self {
            parts: None,
            problem,
        };
        if !config.pyramids.enabled {
            return off(None);
        }
        let Some(directory) = config.pyramids.resolved_directory() else {
            return off(Some(
                "there is no directory for them: set pyramids.directory",
            ));
        };
        let root = &config.source.root;
        let store = Arc::new(Store::new(&KIND, directory, config.pyramids.size));
        let parts = Parts {
            root: fs::canonicalize(root).unwrap_or_else(|_| root.clone()),
            limits: config.decode,
            least_pixels: config.pyramids.least_pixels(),
            band_bytes: band_bytes(work, &config.decode),
            builder: Builder::new(Arc::clone(&store), work.clone()),
            store,
            opened: Cache::builder()
                .max_capacity(MOST_OPENED)
                .time_to_live(OPENED_FOR)
                .build(),
        };
        Self {
            parts: Some(Arc::new(parts)),
            problem: None,
        }
    }

    /// Makes the directory ready. Where it cannot be written to, pyramids that stand are used all the same.
    pub fn start(&self) {
        if let Some(problem) = self.problem {
            tracing::warn!("no pyramids are built: {problem}");
        }
        let Some(parts) = &self.parts else {
            return;
        };
        if let Err(error) = parts.store.prepare() {
            let directory = parts.store.directory().display();
            tracing::warn!("no pyramids are built: {directory} cannot be written to: {error}");
            parts.builder.stop();
        }
    }

    /// As [`start`](Self::start), for a command that is there to build.
    ///
    /// # Errors
    /// If there can be no pyramids.
    pub fn prepare(&self) -> Result<(), BuildError> {
        let parts = self.parts()?;
        Ok(parts.store.prepare()?)
    }

    /// The pyramid of this state of an image, if it would be of use and stands.
    pub fn open(&self, object: &Object, header: &Header) -> Option<(CacheKey, Arc<dyn Decoder>)> {
        let parts = self.parts.as_ref()?;
        need::needed_tile(header, parts.least_pixels)?;
        let key = parts.key(object);
        if let Some(decoder) = parts.opened.get(&key) {
            return Some((key, decoder));
        }
        let kept = parts.store.open(key)?;
        let input = Arc::new(FileInput::new(kept.file, kept.length));
        match decode::open(input, &parts.limits) {
            Ok(decoder) => {
                let decoder: Arc<dyn Decoder> = Arc::from(decoder);
                parts.opened.insert(key, Arc::clone(&decoder));
                Some((key, decoder))
            }
            Err(_) => {
                parts.store.remove(key);
                None
            }
        }
    }

    /// Whether [`open`](Self::open) need not look at the disk.
    pub fn is_at_hand(&self, object: &Object, header: &Header) -> bool {
        self.parts.as_ref().is_none_or(|parts| {
            need::needed_tile(header, parts.least_pixels).is_none()
                || parts.opened.contains_key(&parts.key(object))
        })
    }

    /// Removes a pyramid that could not be decoded.
    pub fn discard(&self, key: &CacheKey) {
        if let Some(parts) = &self.parts {
            parts.opened.invalidate(key);
            parts.store.remove(key);
        }
    }

    /// Says that a part of an image was asked for: if a pyramid would help, it is built in the background, sooner or
    /// later.
    pub fn want(&self, object: &Object, decoder: &Arc<dyn Decoder>) {
        if let Some(parts) = &self.parts
            && let Some(job) = parts.job(object, decoder, NonZeroUsize::MIN)
        {
            parts.builder.enqueue(job);
        }
    }

    /// Builds the pyramid of an image now, if it needs one and has none.
    ///
    /// # Errors
    /// If that fails.
    pub fn build(
        &self,
        object: &Object,
        decoder: &Arc<dyn Decoder>,
        threads: NonZeroUsize,
    ) -> Result<Outcome, BuildError> {
        let parts = self.parts()?;
        match parts.job(object, decoder, threads) {
            None => Ok(Outcome::NotNeeded),
            Some(job) => parts.builder.build(&job),
        }
    }

    pub fn built(&self) -> Built {
        let parts = self.parts.as_ref();
        parts.map_or_else(Built::default, |parts| parts.builder.built())
    }

    fn parts(&self) -> Result<&Parts, BuildError> {
        let reason = self.problem.unwrap_or("pyramids.enabled is false");
        self.parts.as_deref().ok_or(BuildError::Off(reason))
    }
}

impl Parts {
    fn key(&self, object: &Object) -> CacheKey {
        let path = self.root.join(&object.location);
        let page = object.page.suffix();
        CacheKey::new(&[FORMAT, &path.to_string_lossy(), &object.version, &page])
    }

    fn job(
        &self,
        object: &Object,
        decoder: &Arc<dyn Decoder>,
        threads: NonZeroUsize,
    ) -> Option<Job> {
        let tile = need::needed_tile(decoder.header(), self.least_pixels)?;
        Some(Job {
            key: self.key(object),
            location: object.location.clone(),
            decoder: Arc::clone(decoder),
            options: Options {
                tile,
                band_bytes: self.band_bytes,
                threads,
            },
        })
    }
}
