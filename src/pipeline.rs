//! The walk of a request from the identifier to the encoded image; the table of its steps is in `ARCHITECTURE.md`.

mod caching;
mod contents;
mod fetch;
mod fetchers;
mod headers;
mod images;
mod make;
mod original;
mod parts;
mod prepare;
mod render;
mod report;
#[cfg(test)]
mod testing;
mod toll;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::access::{Subject, is_spelling};
use crate::cache::flights::Flights;
use crate::cache::{CacheKey, EntryKey, Generation, LayerReport, Layers, Pixels};
use crate::config::Config;
use crate::decode::Header;
use crate::encode::Settings;
use crate::error::{Error, cause};
use crate::iiif::tiling::Tiling;
use crate::iiif::{Identifier, ImageRequest, Information, SizeLimits};
use crate::ingest::Store;
use crate::pyramid::Pyramids;
use crate::registry::Registry;
pub use crate::route::Terms;
use crate::route::config::COMPOSITES;
use crate::route::{Far, Routes};
use crate::source::{Listing, Object, SourceError, Stamp};
use crate::view::View;
pub use crate::work::Transfer;
use crate::work::{Cancelled, Cost, Transfers, Turns, Work};
pub use caching::Caching;
pub use contents::{Contents, Count, Document, MOST_PAGES, Pages, Shown, Written};
pub use fetchers::FETCHERS;
use fetchers::Fetchers;
use images::{Image, Images};
pub use original::Original;
pub use parts::WholeFile;
use prepare::{Asked, Way};
pub use prepare::{Prepared, Validators};
use render::Rendered;
pub use render::{Content, Derivative, Origin};
pub use report::LaneReport;
pub use toll::Toll;

/// Headers are read while images are decoded: small reads, so several for each thread.
const READERS_PER_THREAD: usize = 2;
/// And they take little time, so that many more may wait: what is in the cache must not be refused.
const LONGER_QUEUE: usize = 16;

/// How often images that nobody asks for are closed.
const CLOSING: Duration = Duration::from_secs(30);

/// Everything that answering needs, for the life of the process. Clones share it.
#[derive(Clone)]
pub struct Pipeline {
    walk: Arc<Walk>,
    readers: Work,
    fetchers: Fetchers,
    makers: Work,
    transfers: Transfers,
    /// Documents that are opened, among the readers.
    opening: Turns<EntryKey>,
    /// Documents whose pages are rendered, among the makers.
    rendering: Turns<CacheKey>,
    layers: Layers,
    /// Images that are being opened.
    openings: Flights<(EntryKey, Stamp), Result<Image, Error>>,
    /// Documents that are asked for their pages.
    askings: Flights<(EntryKey, Stamp), contents::Outcome>,
    /// Images that are being made: what was purged meanwhile is made again.
    flights: Flights<(EntryKey, Generation), Result<Rendered, Error>>,
}

/// What `info.json` says of an image, and whence.
pub struct Described {
    pub information: Information,
    /// Of the state of the file that says it.
    pub modified: SystemTime,
    pub terms: Arc<Terms>,
}

/// What the steps up to the plan need.
struct Walk {
    images: Images,
    pixels: Pixels,
    settings: Settings,
    /// Stands for the settings that change the bytes of a derivative.
    settings_tag: String,
    rights: Option<String>,
    attribution: Option<String>,
    tells_page_count: bool,
    /// What holds for images of no rule.
    terms: Arc<Terms>,
    /// Whether identifiers have a place for a page (`compatibility.meta_identifiers`).
    has_page_places: bool,
    pyramids: Pyramids,
}

impl Pipeline {
    /// # Errors
    /// If the images' directory cannot be opened, or another source cannot be used.
    pub fn new(
        config: &Config,
        registry: Option<&Registry>,
        composites: Option<&Store>,
    ) -> io::Result<Self> {
        let threads = config.work.thread_count();
        let settings = Settings::from(&config.encode);
        let makers = Work::new(threads, config.work.queue, config.work.memory_budget());
        let layers = config.cache.layers();
        Ok(Self {
            walk: Arc::new(Walk {
                images: Images::new(
                    config,
                    Routes::new(config, registry, composites)?,
                    layers.clone(),
                ),
                pixels: Pixels::new(config.cache.pixel_bytes()),
                settings_tag: format!(
                    "{} {settings:?} {}",
                    env!("CARGO_PKG_VERSION"),
                    config.decode.tag()
                ),
                settings,
                rights: config.image.rights.clone(),
                attribution: config.image.attribution.clone(),
                tells_page_count: config.compatibility.page_count,
                terms: Arc::new(Terms {
                    limits: SizeLimits::from(&config.image),
                    ..Terms::default()
                }),
                has_page_places: config.compatibility.meta_identifiers,
                pyramids: Pyramids::new(config, &makers),
            }),
            readers: Work::new(
                threads * READERS_PER_THREAD,
                config.work.queue * LONGER_QUEUE,
                0,
            ),
            opening: Turns::new(1, threads * READERS_PER_THREAD / 2),
            rendering: Turns::new(threads / 2, threads - threads.div_ceil(4).min(threads - 1)),
            fetchers: Fetchers::new(config.work.queue * LONGER_QUEUE),
            transfers: Transfers::new(&makers),
            makers,
            layers,
            openings: Flights::default(),
            askings: Flights::default(),
            flights: Flights::default(),
        })
    }

    /// Makes ready what is kept on disk, and closes from now on what is not used; to be called once, by the process that serves.
    pub fn start(&self) {
        self.walk.pyramids.start();
        let walk = Arc::downgrade(&self.walk);
        // A document that is open is a process, and a file that was deleted takes its space on the disk as long as it is open.
        thread::spawn(move || {
            while let Some(walk) = walk.upgrade() {
                walk.images.close_unused();
                drop(walk);
                thread::sleep(CLOSING);
            }
        });
    }

    /// Where images are made: what is made ahead takes its memory there, too.
    pub fn makers(&self) -> &Work {
        &self.makers
    }

    /// Runs work that reads little of one image: it has no share in the memory budget.
    async fn read<T, F>(&self, identifier: &Identifier, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        self.read_of(self.walk.images.routes.far(identifier), work)
            .await
    }

    /// Such work on bytes that one who is far is asked for, if they are not here.
    async fn read_of<T, F>(&self, far: Option<Far>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        // On the heap: most requests go another way, and should not have to carry the place for this one.
        Box::pin(self.readers_of(far).run(Cost::SMALL, work)).await
    }

    fn readers_of(&self, far: Option<Far>) -> &Work {
        far.map_or(&self.readers, |far| self.fetchers.of(far))
    }

    /// Such work that waits for a disk of this machine.
    async fn read_here<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        self.read_of(None, work).await
    }

    /// Such work that waits for a network.
    async fn fetch<T, F>(&self, far: Far, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        self.read_of(Some(far), work).await
    }

    /// What `info.json` says of an image of which this is shown.
    ///
    /// # Errors
    /// If the image is not found or not readable.
    pub async fn information(
        &self,
        identifier: Identifier,
        view: &View,
        caching: Caching,
    ) -> Result<Described, Error> {
        let image = self.image(identifier.clone(), caching).await?;
        let terms = Arc::clone(self.walk.images.routes.terms(&image.object));
        Ok(Described {
            information: self
                .walk
                .describe(&identifier, view, image.header(), &terms.limits),
            modified: image.object.modified,
            terms,
        })
    }

    /// The URI of the licence of all images.
    pub fn rights(&self) -> Option<&String> {
        self.walk.rights.as_ref()
    }

    /// The text that viewers must show with any image.
    pub fn attribution(&self) -> Option<&String> {
        self.walk.attribution.as_ref()
    }

    /// What holds for an image, if there is one; without reading its header.
    ///
    /// # Errors
    /// If there is none, or it cannot be told.
    pub async fn locate(&self, identifier: Identifier) -> Result<Arc<Terms>, Error> {
        let walk = Arc::clone(&self.walk);
        let wanted = identifier.clone();
        let locate = move |_: &Cancelled| {
            let object = walk.images.find(&wanted)?;
            Ok(Arc::clone(walk.images.routes.terms(&object)))
        };
        self.read(&identifier, locate).await
    }

    /// An image as the rules of who may see it know it.
    ///
    /// # Errors
    /// If there is none, or it cannot be told.
    pub async fn subject(&self, identifier: &Identifier) -> Result<Subject, Error> {
        if let Some(object) = self.walk.images.find_at_once(identifier) {
            return Ok(self.walk.subject(identifier, &object));
        }
        let (walk, wanted) = (Arc::clone(&self.walk), identifier.clone());
        let find = move |_: &Cancelled| {
            let object = walk.images.find(&wanted)?;
            Ok(walk.subject(&wanted, &object))
        };
        self.read(identifier, find).await
    }

    /// What is known of an image by its identifier alone, if it is not found.
    pub fn unfound(&self, identifier: &Identifier) -> Subject {
        let routes = &self.walk.images.routes;
        let mut subject = Subject::named(identifier.as_str());
        for name in routes.possible_names(identifier) {
            subject.add_place(&name);
        }
        for source in routes.possible_sources(identifier) {
            subject.lies_in(source);
        }
        subject
    }

    /// The image of a customer, and where its file lies.
    pub fn ingested(&self, identifier: &str, place: Option<&str>) -> Subject {
        let mut subject = Subject::named(identifier);
        for name in self.walk.images.routes.of_customers(identifier) {
            subject.add(&name);
        }
        if let Some(place) = place {
            subject.add_place(place);
        }
        subject.lies_in(COMPOSITES.to_owned());
        subject
    }

    /// The images and folders of one folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&self, folder: String) -> Result<Listing, Error> {
        let walk = Arc::clone(&self.walk);
        let list = move |_: &Cancelled| {
            let listed = walk.images.routes.list(&folder);
            listed.map_err(|error| match error {
                SourceError::Unavailable(error) => Error::StoreUnavailable(cause(error)),
                _ => no_folder(&folder),
            })
        };
        self.read_here(list).await
    }

    /// Whether the images can be reached.
    ///
    /// # Errors
    /// If they cannot.
    pub async fn check(&self) -> Result<(), Error> {
        let walk = Arc::clone(&self.walk);
        let check = move |_: &Cancelled| {
            let checked = walk.images.routes.check();
            checked.map_err(|error| Error::StoreUnavailable(cause(error)))
        };
        self.fetch(Far::Unknown, check).await
    }

    /// Forgets all that the caches hold of one image, which may be gone, or of all.
    ///
    /// # Errors
    /// If several images could be meant, the source cannot say, or a layer of the cache may still hold something.
    pub async fn purge(&self, identifier: Option<Identifier>) -> Result<(), Error> {
        self.walk.images.routes.forget(identifier.as_ref());
        let image = match identifier {
            Some(identifier) => {
                let walk = Arc::clone(&self.walk);
                let wanted = identifier.clone();
                let key = move |_: &Cancelled| walk.images.key(&wanted);
                Some(self.read(&identifier, key).await?)
            }
            None => None,
        };
        self.walk.images.forget_failures();
        let purged = self.layers.purge(image).await;
        purged.map_err(|layers| Error::CacheUnavailable(layers.join(", ")))
    }

    /// Waits until everything that was to be kept is written.
    pub async fn settle(&self) {
        self.layers.settle().await;
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
        let image = self.walk.images.open(identifier)?;
        let pyramid = self.walk.pyramids.open(&image.object, image.header());
        let mut steps = image.summary();
        steps["pyramid"] = json!(pyramid.is_some());
        Ok(steps)
    }

    /// An image as the rules of who may see it know it, if it is found.
    pub fn explain_subject(&self, identifier: &Identifier) -> Option<Subject> {
        let object = self.walk.images.find(identifier).ok()?;
        Some(self.walk.subject(identifier, &object))
    }

    /// Which rules match an identifier, why the others do not, and what came of it, as JSON.
    pub fn explain_routes(&self, identifier: &Identifier) -> Value {
        self.walk.images.routes.explain(identifier)
    }

    /// Every value of the walk up to the plan, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_image(&self, request: ImageRequest, view: Arc<View>) -> Result<Value, Error> {
        let asked = Asked { request, view };
        let image = self.walk.images.open(&asked.request.identifier)?;
        let way = Way::cheapest(&self.walk, &image, &asked)?;
        let header = way
            .decoder
            .as_ref()
            .map_or(image.header(), |it| it.header());
        let mut steps = image.summary();
        steps["pyramid"] = json!(way.pyramid.is_some());
        steps["view"] = asked.view.summary();
        steps["plan"] = way.plan.summary();
        steps["plan"]["cost"] = json!({
            "bytes": way.plan.bytes(header),
            "pixels": way.plan.pixels(header),
        });
        Ok(steps)
    }
}

/// What is said of a folder that is not there.
pub fn no_folder(folder: &str) -> Error {
    Error::NotFound(SourceError::NoFolder(folder.to_owned()).to_string())
}

impl Walk {
    fn subject(&self, identifier: &Identifier, object: &Object) -> Subject {
        let routes = &self.images.routes;
        let mut subject = Subject::named(&self.one_name(identifier, object));
        for name in routes.names(identifier, object) {
            subject.add(&name);
        }
        subject.add_place(&object.location);
        subject.add_place(&object.key);
        for source in routes.sources(object) {
            subject.lies_in(source);
        }
        subject
    }

    /// The one that all spellings of an identifier, and those of its pages, have in common: the place of the file, if they say that, or
    /// else the identifier without a page.
    fn one_name(&self, identifier: &Identifier, object: &Object) -> String {
        let text = identifier.as_str();
        let files = self.images.routes.files(identifier, object);
        let mut spellings = std::iter::once(text).chain(files.iter().map(String::as_str));
        if spellings.any(|name| is_spelling(name, &object.key)) {
            return object.key.clone();
        }
        let file = files.into_iter().next().filter(|_| !object.is_one_page);
        file.unwrap_or_else(|| text.to_owned())
    }

    fn describe(
        &self,
        identifier: &Identifier,
        view: &View,
        header: &Header,
        limits: &SizeLimits,
    ) -> Information {
        let full = view.apparent(identifier, header.dimensions());
        let stored_tile = header.levels[0]
            .tile
            .map(|tile| header.orientation.apply_to(tile));
        Information {
            full,
            tiling: Tiling::new(full, stored_tile, limits),
            limits: *limits,
            image_is_gray: header.color.is_gray(),
            rights: self.rights.clone(),
            attribution: self.attribution.clone(),
            page_count: (self.tells_page_count && header.pages > 1).then_some(header.pages),
        }
    }
}
