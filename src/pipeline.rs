//! The walk of a request from the identifier to the encoded image; the table of its steps is in `ARCHITECTURE.md`.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::cache::CacheKey;
use crate::config::Config;
use crate::decode::{self, Decoder, Header, Limits};
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::geometry::Rect;
use crate::iiif::tiling::Tiling;
use crate::iiif::{Format, Identifier, ImageRequest, Information, Quality, SizeLimits};
use crate::plan::Plan;
use crate::pyramid::Pyramids;
use crate::raster::Raster;
use crate::source::{Filesystem, Listing, Object, SourceError};
use crate::transform::{color, extend, orient, quality, rotate, scale};
use crate::work::{Cancelled, Reserved, Work};

/// Headers are read while images are decoded: small reads, so several for each thread.
const READERS_PER_THREAD: usize = 4;

/// Everything that answering needs, for the life of the process.
pub struct Pipeline {
    filesystem: Arc<Filesystem>,
    limits: Limits,
    sizes: SizeLimits,
    settings: Settings,
    /// Stands for the settings that change the bytes of a derivative.
    settings_tag: String,
    rights: Option<String>,
    attribution: Option<String>,
    readers: Work,
    makers: Work,
    pyramids: Pyramids,
}

/// A request resolved for its image; no pixel has been read yet.
pub struct Prepared {
    pub identifier: Identifier,
    pub plan: Plan,
    pub validators: Validators,
    decoder: Arc<dyn Decoder>,
    /// The pyramid that the pixels are to come from, and what was asked for.
    pyramid: Option<(CacheKey, ImageRequest)>,
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
    /// Set if the decoder is that of the image's pyramid.
    pyramid: Option<CacheKey>,
}

impl Opened {
    fn summary(&self, identifier: &Identifier) -> Value {
        json!({
            "identifier": identifier.as_str(),
            "source": { "location": self.object.location, "version": self.object.version },
            "pyramid": self.pyramid.is_some(),
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
        let makers = Work::new(threads, config.work.queue, config.work.memory_budget());
        Ok(Self {
            filesystem: Arc::new(Filesystem::new(&config.source)?),
            limits: config.decode,
            sizes: SizeLimits::from(&config.image),
            settings_tag: format!("{} {settings:?}", env!("CARGO_PKG_VERSION")),
            settings,
            rights: config.image.rights.clone(),
            attribution: config.image.attribution.clone(),
            readers: Work::new(threads * READERS_PER_THREAD, config.work.queue, 0),
            pyramids: Pyramids::new(config, &makers),
            makers,
        })
    }

    /// Makes ready what is kept on disk; to be called once, by the process that serves.
    pub fn start(&self) {
        self.pyramids.start();
    }

    /// Finds the image, reads its header and resolves the request: all that can fail because of the request.
    ///
    /// # Errors
    /// If the image is not found or not readable, or the request not possible for it.
    pub async fn prepare(&self, request: ImageRequest) -> Result<Prepared, Error> {
        let opened = self.open(request.identifier.clone()).await?;
        let plan = Plan::new(&request, opened.decoder.header(), &self.sizes)?;
        if opened.pyramid.is_none()
            && plan.region != Rect::whole(opened.decoder.header().dimensions())
        {
            self.pyramids.want(&opened.object, &opened.decoder);
        }
        let parts = [
            opened.object.location.as_str(),
            &opened.object.version,
            // Its pixels may differ a little from those of the image itself.
            if opened.pyramid.is_some() {
                "pyramid"
            } else {
                ""
            },
            &plan.canonical_pixels.to_string(),
            &self.settings_tag,
        ];
        Ok(Prepared {
            validators: Validators {
                etag: CacheKey::new(&parts).to_string(),
                modified: opened.object.modified,
            },
            identifier: request.identifier.clone(),
            plan,
            decoder: opened.decoder,
            pyramid: opened.pyramid.map(|key| (key, request)),
        })
    }

    /// Makes the image; from its source if its pyramid turns out to be broken.
    ///
    /// # Errors
    /// If the file is broken, the server busy, or the time up.
    pub async fn render(&self, mut prepared: Prepared) -> Result<Derivative, Error> {
        let pyramid = prepared.pyramid.take();
        match (self.render_once(prepared).await, pyramid) {
            (
                Err(Error::SourceBroken { .. } | Error::SourceUnavailable { .. }),
                Some((key, request)),
            ) => {
                self.pyramids.discard(&key);
                self.render_once(self.prepare(request).await?).await
            }
            (result, _) => result,
        }
    }

    async fn render_once(&self, prepared: Prepared) -> Result<Derivative, Error> {
        let settings = self.settings;
        let format = prepared.plan.format;
        let needed = prepared.plan.bytes(prepared.decoder.header());
        let made = self
            .makers
            .run(needed, move |cancelled| {
                make(&prepared, &settings, cancelled)
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
        let filesystem = Arc::clone(&self.filesystem);
        let find = move |_: &Cancelled| find(&filesystem, &identifier).map(|_| ());
        self.read(find).await
    }

    /// The images and folders of one folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&self, folder: String) -> Result<Listing, Error> {
        let filesystem = Arc::clone(&self.filesystem);
        let list = move |_: &Cancelled| {
            filesystem.list(&folder).map_err(|error| match error {
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
        let filesystem = Arc::clone(&self.filesystem);
        let check = move |_: &Cancelled| {
            let checked = filesystem.check();
            checked.map_err(|cause| Error::StoreUnavailable(cause.into()))
        };
        self.read(check).await
    }

    /// Where an image is and what its header says, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_information(&self, identifier: &Identifier) -> Result<Value, Error> {
        let opened = open(&self.filesystem, &self.pyramids, &self.limits, identifier)?;
        Ok(opened.summary(identifier))
    }

    /// Every value of the walk up to the plan, as JSON.
    ///
    /// # Errors
    /// Where the walk ends early.
    pub fn explain_image(&self, request: &ImageRequest) -> Result<Value, Error> {
        let opened = open(
            &self.filesystem,
            &self.pyramids,
            &self.limits,
            &request.identifier,
        )?;
        let plan = Plan::new(request, opened.decoder.header(), &self.sizes)?;
        let mut steps = opened.summary(&request.identifier);
        steps["plan"] = plan.summary();
        steps["plan"]["bytes"] = json!(plan.bytes(opened.decoder.header()));
        Ok(steps)
    }

    async fn open(&self, identifier: Identifier) -> Result<Opened, Error> {
        let filesystem = Arc::clone(&self.filesystem);
        let pyramids = self.pyramids.clone();
        let limits = self.limits;
        self.read(move |_| open(&filesystem, &pyramids, &limits, &identifier))
            .await
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

fn find(filesystem: &Filesystem, identifier: &Identifier) -> Result<Object, Error> {
    filesystem.open(identifier).map_err(|error| match error {
        SourceError::Unavailable(cause) => Error::SourceUnavailable {
            identifier: identifier.clone(),
            cause: cause.into(),
        },
        absent => Error::NotFound(absent.to_string()),
    })
}

fn open(
    filesystem: &Filesystem,
    pyramids: &Pyramids,
    limits: &Limits,
    identifier: &Identifier,
) -> Result<Opened, Error> {
    let object = find(filesystem, identifier)?;
    if let Some((key, decoder)) = pyramids.open(&object) {
        return Ok(Opened {
            object,
            decoder,
            pyramid: Some(key),
        });
    }
    let decoder = decode::open(Arc::clone(&object.input), limits)
        .map_err(|error| Error::decoding(identifier, error))?;
    Ok(Opened {
        object,
        decoder: Arc::from(decoder),
        pyramid: None,
    })
}

/// O01: region, size, rotation, quality, format, in this order.
fn make(prepared: &Prepared, settings: &Settings, cancelled: &Cancelled) -> Result<Vec<u8>, Error> {
    let plan = &prepared.plan;
    let raster = decode(prepared)?;
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

fn decode(prepared: &Prepared) -> Result<Raster, Error> {
    prepared
        .decoder
        .decode(&prepared.plan.window)
        .map_err(|error| Error::decoding(&prepared.identifier, error))
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
