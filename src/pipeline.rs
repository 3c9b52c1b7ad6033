//! The walk of a request from the identifier to the encoded image; the table of its steps is in `ARCHITECTURE.md`.

mod caching;
mod images;
mod make;
mod render;
mod report;

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::cache::flights::Flights;
use crate::cache::{CacheKey, EntryKey, LayerReport, Layers, Pixels};
use crate::config::Config;
use crate::decode::{Decoder, Header};
use crate::encode::Settings;
use crate::error::{Error, cause};
use crate::geometry::Rect;
use crate::iiif::tiling::Tiling;
use crate::iiif::{Identifier, ImageRequest, Information, SizeLimits};
use crate::plan::Plan;
use crate::pyramid::Pyramids;
use crate::source::{Listing, Object, SourceError};
use crate::work::{Cancelled, Cost, Work};
pub use caching::Caching;
use images::{Images, Opened};
use render::Rendered;
pub use render::{Derivative, Origin};
pub use report::LaneReport;

/// Headers are read while images are decoded: small reads, so several for each thread.
const READERS_PER_THREAD: usize = 2;
/// And they take little time, so that many more may wait: what is in the cache must not be refused.
const LONGER_QUEUE: usize = 16;

/// The largest answer that is copied along with the header, and what is read for it: such a copy takes no longer than the way
/// to another thread.
const MOST_COPIED_PIXELS: u64 = 1 << 20;
const MOST_COPIED_BYTES: u64 = 4 << 20;

/// Everything that answering needs, for the life of the process. Clones share it.
#[derive(Clone)]
pub struct Pipeline {
    walk: Arc<Walk>,
    readers: Work,
    makers: Work,
    layers: Layers,
    /// Images that are being made.
    flights: Flights<EntryKey, Result<Rendered, Error>>,
}

/// What the steps up to the plan need.
struct Walk {
    images: Images,
    pixels: Pixels,
    sizes: SizeLimits,
    settings: Settings,
    /// Stands for the settings that change the bytes of a derivative.
    settings_tag: String,
    rights: Option<String>,
    attribution: Option<String>,
    pyramids: Pyramids,
}

/// A request resolved for its image; no pixel has been read yet.
pub struct Prepared {
    pub identifier: Identifier,
    pub plan: Plan,
    pub validators: Validators,
    /// The canonical request in the spelling of the version asked for, as text.
    pub canonical: String,
    /// The name of the answer in the cache.
    key: EntryKey,
    decoder: Arc<dyn Decoder>,
    /// Stands for this state of the image, if its pixels are kept.
    kept_as: Option<CacheKey>,
    /// The answer, if it lies in the file and was read along with the header.
    copy: Option<Vec<u8>>,
    /// The pyramid that the pixels are to come from, and what was asked for.
    pyramid: Option<(CacheKey, ImageRequest)>,
}

impl Prepared {
    /// Whether the answer is so small that it is read along with the header.
    fn is_copied_along(&self) -> bool {
        self.plan.copied && self.plan.size.area() <= MOST_COPIED_PIXELS
    }

    fn with_copy(mut self) -> Self {
        self.copy = make::stored(&self, MOST_COPIED_BYTES);
        self.plan.copied = self.copy.is_some();
        self
    }
}

/// A plan, and what it is for.
struct Way {
    plan: Plan,
    decoder: Arc<dyn Decoder>,
    pyramid: Option<CacheKey>,
}

/// Finds the way.
type Choose = fn(&Walk, &Opened, &ImageRequest) -> Result<Way, Error>;

impl Way {
    /// From the pyramid, if there is one, unless the stored bytes of the image itself are the answer.
    fn cheapest(walk: &Walk, opened: &Opened, request: &ImageRequest) -> Result<Self, Error> {
        let way = Self::from_source(walk, opened, request)?;
        if way.plan.copied {
            return Ok(way);
        }
        match walk.pyramids.open(&opened.object, opened.decoder.header()) {
            None => Ok(way),
            Some((key, decoder)) => Ok(Self {
                plan: walk.plan(request, decoder.header())?,
                decoder,
                pyramid: Some(key),
            }),
        }
    }

    fn from_source(walk: &Walk, opened: &Opened, request: &ImageRequest) -> Result<Self, Error> {
        Ok(Self {
            plan: walk.plan(request, opened.decoder.header())?,
            decoder: Arc::clone(&opened.decoder),
            pyramid: None,
        })
    }
}

/// What tells one state of an answer from another (RFC 9110, section 8.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// An opaque tag, without quotes.
    pub etag: String,
    pub modified: SystemTime,
}

impl Pipeline {
    /// # Errors
    /// If the images' directory cannot be opened.
    pub fn new(config: &Config) -> io::Result<Self> {
        let threads = config.work.thread_count();
        let settings = Settings::from(&config.encode);
        let makers = Work::new(threads, config.work.queue, config.work.memory_budget());
        Ok(Self {
            walk: Arc::new(Walk {
                images: Images::new(config)?,
                pixels: Pixels::new(config.cache.pixel_bytes()),
                sizes: SizeLimits::from(&config.image),
                settings_tag: format!("{} {settings:?}", env!("CARGO_PKG_VERSION")),
                settings,
                rights: config.image.rights.clone(),
                attribution: config.image.attribution.clone(),
                pyramids: Pyramids::new(config, &makers),
            }),
            readers: Work::new(
                threads * READERS_PER_THREAD,
                config.work.queue * LONGER_QUEUE,
                0,
            ),
            makers,
            layers: config.cache.layers(),
            flights: Flights::default(),
        })
    }

    /// Makes ready what is kept on disk; to be called once, by the process that serves.
    pub fn start(&self) {
        self.walk.pyramids.start();
    }

    /// Finds the image, reads its header and resolves the request: all that can fail because of the request. If stored
    /// bytes are the answer and `is_wanted`, they are read at once.
    ///
    /// # Errors
    /// If the image is not found or not readable, or the request not possible for it.
    pub async fn prepare(&self, request: ImageRequest, is_wanted: bool) -> Result<Prepared, Error> {
        // What is to be found out is often known already: the way to another thread and back takes longer than the rest.
        if let Some(opened) = self.walk.open_at_once(&request.identifier) {
            let prepared = self.walk.resolve(&opened, request, Way::cheapest)?;
            if !is_wanted || !prepared.is_copied_along() {
                return Ok(prepared);
            }
            return self.read(|_| Ok(prepared.with_copy())).await;
        }
        let walk = Arc::clone(&self.walk);
        let prepare = move |_: &Cancelled| {
            let prepared = walk.prepare(request, Way::cheapest)?;
            Ok(if is_wanted && prepared.is_copied_along() {
                prepared.with_copy()
            } else {
                prepared
            })
        };
        self.read(prepare).await
    }

    /// Runs work that reads little: it has no share in the memory budget.
    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        // On the heap: most requests go another way, and should not have to carry the place for this one.
        let run = Box::pin(self.readers.run(Cost::SMALL, work));
        Ok(run.await?.value)
    }

    /// What `info.json` says of an image, and the state of the file that says it.
    ///
    /// # Errors
    /// If the image is not found or not readable.
    pub async fn information(
        &self,
        identifier: Identifier,
    ) -> Result<(Information, SystemTime), Error> {
        let walk = Arc::clone(&self.walk);
        let describe = move |opened: &Opened| {
            let information = walk.describe(opened.decoder.header());
            (information, opened.object.modified)
        };
        if let Some(opened) = self.walk.images.open_at_once(&identifier) {
            return Ok(describe(&opened));
        }
        let walk = Arc::clone(&self.walk);
        let open = move |_: &Cancelled| Ok(describe(&walk.images.open(&identifier)?));
        self.read(open).await
    }

    /// Whether there is such an image, without reading its header.
    ///
    /// # Errors
    /// If there is none, or it cannot be told.
    pub async fn locate(&self, identifier: Identifier) -> Result<(), Error> {
        let walk = Arc::clone(&self.walk);
        self.read(move |_| walk.images.locate(&identifier)).await
    }

    /// The images and folders of one folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&self, folder: String) -> Result<Listing, Error> {
        let walk = Arc::clone(&self.walk);
        let list = move |_: &Cancelled| {
            let listed = walk.images.filesystem.list(&folder);
            listed.map_err(|error| match error {
                SourceError::Unavailable(error) => Error::StoreUnavailable(cause(error)),
                absent => Error::NotFound(absent.to_string()),
            })
        };
        self.read(list).await
    }

    /// Whether the images can be reached.
    ///
    /// # Errors
    /// If they cannot.
    pub async fn check(&self) -> Result<(), Error> {
        let walk = Arc::clone(&self.walk);
        let check = move |_: &Cancelled| {
            let checked = walk.images.filesystem.check();
            checked.map_err(|error| Error::StoreUnavailable(cause(error)))
        };
        self.read(check).await
    }

    /// Forgets all that the caches hold of one image, or of all.
    ///
    /// # Errors
    /// If there is no such image, or a layer of the cache may still hold something.
    pub async fn purge(&self, identifier: Option<Identifier>) -> Result<(), Error> {
        let image = match identifier {
            Some(identifier) => Some(self.image_key(identifier).await?),
            None => None,
        };
        let purged = self.layers.purge(image).await;
        purged.map_err(|layers| Error::CacheUnavailable(layers.join(", ")))
    }

    async fn image_key(&self, identifier: Identifier) -> Result<CacheKey, Error> {
        let walk = Arc::clone(&self.walk);
        let find = move |_: &Cancelled| walk.images.find(&identifier);
        let object = self.read(find).await?;
        Ok(CacheKey::new(&[&object.location]))
    }

    /// What the layers of the cache hold and have done.
    pub fn cache_report(&self) -> Vec<LayerReport> {
        self.layers.report()
    }

    /// Where an image is and what its header says, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_information(&self, identifier: &Identifier) -> Result<Value, Error> {
        let opened = self.walk.images.open(identifier)?;
        let pyramid = self
            .walk
            .pyramids
            .open(&opened.object, opened.decoder.header());
        let mut steps = opened.summary(identifier);
        steps["pyramid"] = json!(pyramid.is_some());
        Ok(steps)
    }

    /// Every value of the walk up to the plan, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_image(&self, request: &ImageRequest) -> Result<Value, Error> {
        let opened = self.walk.images.open(&request.identifier)?;
        let way = Way::cheapest(&self.walk, &opened, request)?;
        let (plan, header) = (way.plan, way.decoder.header());
        let mut steps = opened.summary(&request.identifier);
        steps["pyramid"] = json!(way.pyramid.is_some());
        steps["plan"] = plan.summary();
        steps["plan"]["cost"] = json!({
            "bytes": plan.bytes(header),
            "pixels": plan.pixels(header),
        });
        Ok(steps)
    }
}

impl Walk {
    fn prepare(&self, request: ImageRequest, choose: Choose) -> Result<Prepared, Error> {
        let opened = self.images.open(&request.identifier)?;
        self.resolve(&opened, request, choose)
    }

    /// The image, if it and its pyramid are open, so that resolving a request does not wait for a disk.
    fn open_at_once(&self, identifier: &Identifier) -> Option<Opened> {
        let opened = self.images.open_at_once(identifier)?;
        let header = opened.decoder.header();
        self.pyramids
            .is_at_hand(&opened.object, header)
            .then_some(opened)
    }

    fn resolve(
        &self,
        opened: &Opened,
        request: ImageRequest,
        choose: Choose,
    ) -> Result<Prepared, Error> {
        let way = choose(self, opened, &request)?;
        let plan = way.plan;
        if way.pyramid.is_none() && plan.region != Rect::whole(way.decoder.header().dimensions()) {
            self.pyramids.want(&opened.object, &opened.decoder);
        }
        // The pixels of a pyramid may differ a little from those of the image itself.
        let from = way.pyramid.map_or("source", |_| "pyramid");
        let Object {
            location,
            version,
            stamp,
            ..
        } = &opened.object;
        let canonical = plan.canonical.to_string();
        let pixels = if plan.canonical == plan.canonical_pixels {
            &canonical
        } else {
            &plan.canonical_pixels.to_string()
        };
        let parts = [location, version, from, pixels, &self.settings_tag];
        let key = EntryKey {
            image: CacheKey::new(&[location]),
            entry: CacheKey::new(&parts),
        };
        Ok(Prepared {
            key,
            validators: Validators {
                etag: key.entry.to_string(),
                modified: opened.object.modified,
            },
            identifier: request.identifier.clone(),
            kept_as: plan
                .kept
                .then(|| CacheKey::new(&[location, &format!("{stamp:?}"), from])),
            plan,
            canonical,
            decoder: way.decoder,
            copy: None,
            pyramid: way.pyramid.map(|key| (key, request)),
        })
    }

    fn plan(&self, request: &ImageRequest, header: &Header) -> Result<Plan, Error> {
        let plan = Plan::new(request, header, &self.sizes)?;
        let plan = if self.settings.passthrough {
            plan
        } else {
            plan.without_copying()
        };
        Ok(plan.widened(header, self.pixels.largest()))
    }

    fn describe(&self, header: &Header) -> Information {
        let stored_tile = header.levels[0]
            .tile
            .map(|tile| header.orientation.apply_to(tile));
        Information {
            full: header.dimensions(),
            tiling: Tiling::new(header.dimensions(), stored_tile, &self.sizes),
            limits: self.sizes,
            image_is_gray: header.color.is_gray(),
            rights: self.rights.clone(),
            attribution: self.attribution.clone(),
        }
    }
}
