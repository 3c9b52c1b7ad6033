//! The walk of a request from the identifier to the encoded image; the table of its steps is in `ARCHITECTURE.md`.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::cache::{CacheKey, Headers, Pixels};
use crate::config::Config;
use crate::decode::{self, Decoder, Header, Limits, Resolution};
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::iiif::tiling::Tiling;
use crate::iiif::{Format, Identifier, ImageRequest, Information, Quality, SizeLimits};
use crate::input::Input;
use crate::plan::Plan;
use crate::raster::Raster;
use crate::source::{Filesystem, Listing, Object, SourceError};
use crate::transform::{color, extend, orient, quality, rotate, scale};
use crate::work::{Cancelled, Reserved, Work};

/// Headers are read while images are decoded: small reads, so several for each thread.
const READERS_PER_THREAD: usize = 4;

/// Everything that answering needs, for the life of the process.
pub struct Pipeline {
    images: Arc<Images>,
    pixels: Arc<Pixels>,
    sizes: SizeLimits,
    settings: Settings,
    /// Stands for the settings that change the bytes of a derivative.
    settings_tag: String,
    rights: Option<String>,
    attribution: Option<String>,
    readers: Work,
    makers: Work,
}

/// Where images are, and those that are open.
struct Images {
    filesystem: Filesystem,
    limits: Limits,
    headers: Headers,
}

/// A request resolved for its image; no pixel has been read yet.
pub struct Prepared {
    pub identifier: Identifier,
    pub plan: Plan,
    pub validators: Validators,
    decoder: Arc<dyn Decoder>,
    /// Stands for this state of the image.
    image: CacheKey,
}

/// What tells one state of an answer from another (RFC 9110, section 8.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// An opaque tag, without quotes.
    pub etag: String,
    pub modified: SystemTime,
}

/// An encoded image.
pub struct Derivative {
    /// Its memory counts as used until it is dropped.
    pub bytes: Bytes,
    pub format: Format,
}

/// Encoded bytes, and their place in the memory budget.
struct Sent {
    bytes: Vec<u8>,
    _memory: Reserved,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An opened image.
struct Opened {
    object: Object,
    decoder: Arc<dyn Decoder>,
}

impl Opened {
    fn summary(&self, identifier: &Identifier) -> Value {
        json!({
            "identifier": identifier.as_str(),
            "source": { "location": self.object.location, "version": self.object.version },
            "header": self.decoder.header().summary(),
        })
    }
}

impl Pipeline {
    /// # Errors
    /// If the images' directory cannot be opened.
    pub fn new(config: &Config) -> io::Result<Self> {
        let threads = config.work.thread_count();
        let settings = Settings::from(&config.encode);
        Ok(Self {
            images: Arc::new(Images {
                filesystem: Filesystem::new(&config.source)?,
                limits: config.decode,
                headers: Headers::new(),
            }),
            pixels: Arc::new(Pixels::new(config.cache.pixel_bytes())),
            sizes: SizeLimits::from(&config.image),
            settings_tag: format!("{} {settings:?}", env!("CARGO_PKG_VERSION")),
            settings,
            rights: config.image.rights.clone(),
            attribution: config.image.attribution.clone(),
            readers: Work::new(threads * READERS_PER_THREAD, config.work.queue, 0),
            makers: Work::new(threads, config.work.queue, config.work.memory_budget()),
        })
    }

    /// Finds the image, reads its header and resolves the request: all that can fail because of the request.
    ///
    /// # Errors
    /// If the image is not found or not readable, or the request not possible for it.
    pub async fn prepare(&self, request: ImageRequest) -> Result<Prepared, Error> {
        let opened = self.open(request.identifier.clone()).await?;
        let plan = self.plan(&request, opened.decoder.header())?;
        let image = [opened.object.location.as_str(), &opened.object.version];
        let pixels = plan.canonical_pixels.to_string();
        let parts = [image[0], image[1], &pixels, &self.settings_tag];
        Ok(Prepared {
            validators: Validators {
                etag: CacheKey::new(&parts).to_string(),
                modified: opened.object.modified,
            },
            identifier: request.identifier,
            plan,
            image: CacheKey::new(&image),
            decoder: opened.decoder,
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

    /// Makes the image.
    ///
    /// # Errors
    /// If the file is broken, the server busy, or the time up.
    pub async fn render(&self, prepared: Prepared) -> Result<Derivative, Error> {
        let settings = self.settings;
        let format = prepared.plan.format;
        let needed = prepared.plan.bytes(prepared.decoder.header());
        let pixels = Arc::clone(&self.pixels);
        let made = self
            .makers
            .run(needed, move |cancelled| {
                make(&prepared, &pixels, &settings, cancelled)
            })
            .await?;
        let length = made.value.len() as u64;
        let (bytes, _memory) = made.into_parts(length);
        Ok(Derivative {
            bytes: Bytes::from_owner(Sent { bytes, _memory }),
            format,
        })
    }

    /// Runs work that reads little: it has no share in the memory budget.
    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T, Error> + Send + 'static,
    {
        Ok(self.readers.run(0, work).await?.value)
    }

    /// What `info.json` says of an image, and the state of the file that says it.
    ///
    /// # Errors
    /// If the image is not found or not readable.
    pub async fn information(
        &self,
        identifier: Identifier,
    ) -> Result<(Information, SystemTime), Error> {
        let opened = self.open(identifier).await?;
        let information = self.describe(opened.decoder.header());
        Ok((information, opened.object.modified))
    }

    /// Whether there is such an image, without reading its header.
    ///
    /// # Errors
    /// If there is none, or it cannot be told.
    pub async fn locate(&self, identifier: Identifier) -> Result<(), Error> {
        let images = Arc::clone(&self.images);
        self.read(move |_| images.locate(&identifier)).await
    }

    /// The images and folders of one folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&self, folder: String) -> Result<Listing, Error> {
        let images = Arc::clone(&self.images);
        let list = move |_: &Cancelled| {
            images
                .filesystem
                .list(&folder)
                .map_err(|error| match error {
                    SourceError::Unavailable(cause) => Error::StoreUnavailable(cause.into()),
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
        let images = Arc::clone(&self.images);
        let check = move |_: &Cancelled| {
            let checked = images.filesystem.check();
            checked.map_err(|cause| Error::StoreUnavailable(cause.into()))
        };
        self.read(check).await
    }

    /// Where an image is and what its header says, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_information(&self, identifier: &Identifier) -> Result<Value, Error> {
        let opened = self.images.open(identifier)?;
        Ok(opened.summary(identifier))
    }

    /// Every value of the walk up to the plan, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_image(&self, request: &ImageRequest) -> Result<Value, Error> {
        let opened = self.images.open(&request.identifier)?;
        let plan = self.plan(request, opened.decoder.header())?;
        let mut steps = opened.summary(&request.identifier);
        steps["plan"] = plan.summary();
        steps["plan"]["bytes"] = json!(plan.bytes(opened.decoder.header()));
        Ok(steps)
    }

    async fn open(&self, identifier: Identifier) -> Result<Opened, Error> {
        let images = Arc::clone(&self.images);
        self.read(move |_| images.open(&identifier)).await
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

impl Images {
    fn find(&self, identifier: &Identifier) -> Result<Object, Error> {
        let found = self.filesystem.find(identifier);
        found.map_err(|error| not_found(identifier, error))
    }

    fn locate(&self, identifier: &Identifier) -> Result<(), Error> {
        self.find(identifier).map(drop)
    }

    /// Costs one look at the file if it is open already. One that is replaced just now is looked for again.
    fn open(&self, identifier: &Identifier) -> Result<Opened, Error> {
        const ATTEMPTS: usize = 3;
        let mut attempt = 1;
        loop {
            let object = self.find(identifier)?;
            if let Some(decoder) = self.headers.get(&object) {
                return Ok(Opened { object, decoder });
            }
            match self.filesystem.open(&object) {
                Ok(input) => return self.read_header(identifier, object, input),
                Err(SourceError::Replaced(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(not_found(identifier, error)),
            }
        }
    }

    fn read_header(
        &self,
        identifier: &Identifier,
        object: Object,
        input: Input,
    ) -> Result<Opened, Error> {
        let decoder = decode::open(input, &self.limits)
            .map_err(|error| Error::decoding(identifier, error))?;
        let decoder = self.headers.keep(&object, decoder);
        Ok(Opened { object, decoder })
    }
}

fn not_found(identifier: &Identifier, error: SourceError) -> Error {
    match error {
        SourceError::Unavailable(_) | SourceError::Replaced(_) => Error::SourceUnavailable {
            identifier: identifier.clone(),
            cause: error.into(),
        },
        absent => Error::NotFound(absent.to_string()),
    }
}

/// O01: region, size, rotation, quality, format, in this order.
fn make(
    prepared: &Prepared,
    pixels: &Pixels,
    settings: &Settings,
    cancelled: &Cancelled,
) -> Result<Vec<u8>, Error> {
    let plan = &prepared.plan;
    if let Some(stored) = stored(prepared) {
        return Ok(stored);
    }
    let raster = decode(prepared, pixels)?;
    cancelled.check()?;
    let raster = extend::extend(raster, plan.extended);
    let raster = scale::scale(raster, plan.crop, plan.target)?;
    let raster = color::to_srgb(raster, prepared.decoder.header().profile.as_deref())?;
    let raster = orient::orient(raster, plan.orientation);
    cancelled.check()?;
    let raster = turn(raster, plan);
    let raster = render_quality(raster, plan.quality);
    cancelled.check()?;
    Ok(encode::encode(
        raster,
        plan.format,
        plan.resolution,
        settings,
    )?)
}

/// The answer as it lies in the file.
fn stored(prepared: &Prepared) -> Option<Vec<u8>> {
    let Prepared { plan, decoder, .. } = prepared;
    let resolution = plan.resolution.filter(Resolution::is_sensible);
    let stored = plan
        .copied
        .then(|| decoder.stored(&plan.window, resolution));
    stored.flatten()
}

fn decode(prepared: &Prepared, pixels: &Pixels) -> Result<Raster, Error> {
    let Prepared { plan, decoder, .. } = prepared;
    let decoded = if plan.kept {
        pixels.decode(prepared.image, &**decoder, &plan.window, plan.decoded)
    } else {
        decoder.decode(&plan.window)
    };
    decoded.map_err(|error| Error::decoding(&prepared.identifier, error))
}

/// T04: mirrored first, then turned.
fn turn(raster: Raster, plan: &Plan) -> Raster {
    let raster = orient::orient(raster, plan.rotation.orientation());
    match plan.rotation.arbitrary() {
        Some(degrees) => rotate::rotate(raster, degrees),
        None => raster,
    }
}

fn render_quality(raster: Raster, asked: Quality) -> Raster {
    match asked {
        Quality::Default | Quality::Color => raster,
        Quality::Gray => quality::gray(raster),
        Quality::Bitonal => quality::bitonal(raster),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn images(root: &Path) -> Images {
        let mut config = Config::default();
        config.source.root = root.to_owned();
        Images {
            filesystem: Filesystem::new(&config.source).unwrap(),
            limits: config.decode,
            headers: Headers::new(),
        }
    }

    fn opened(images: &Images) -> Arc<dyn Decoder> {
        let identifier = Identifier::new("a.png".to_owned()).unwrap();
        images.open(&identifier).ok().unwrap().decoder
    }

    #[test]
    fn an_image_is_opened_once_and_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        fs::copy("fixtures/images/chart.png", &file).unwrap();
        let images = images(folder.path());
        let first = opened(&images);
        assert!(
            Arc::ptr_eq(&first, &opened(&images)),
            "the same, so nothing was read"
        );
        fs::copy("fixtures/images/png-gray.png", &file).unwrap();
        assert!(!Arc::ptr_eq(&first, &opened(&images)));
        assert!(opened(&images).header().color.is_gray());
    }

    /// Another file of the same size and time.
    #[test]
    fn a_file_that_takes_the_place_of_another_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        let other = folder.path().join("b.png");
        fs::copy("fixtures/images/chart.png", &file).unwrap();
        fs::copy("fixtures/images/chart.png", &other).unwrap();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(&other)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let images = images(folder.path());
        let first = opened(&images);
        fs::rename(&other, &file).unwrap();
        assert!(!Arc::ptr_eq(&first, &opened(&images)));
    }
}
