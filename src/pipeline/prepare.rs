//! From an image to a plan for its pixels.

use std::sync::Arc;
use std::time::SystemTime;

use super::images::{Glance, Image};
use super::{Caching, Pipeline, Toll, Walk, make};
use crate::cache::{CacheKey, EntryKey};
use crate::decode::{Decoder, Header, Unit};
use crate::error::Error;
use crate::geometry::Rect;
use crate::iiif::{Identifier, ImageRequest};
use crate::plan::{Kept, Plan};
use crate::route::Terms;
use crate::source::Object;
use crate::view::View;
use crate::work::Cancelled;

/// The largest answer that is copied along with the header, and what is read for it: such a copy takes no longer than the way
/// to another thread.
const MOST_COPIED_PIXELS: u64 = 1 << 20;
const MOST_COPIED_BYTES: u64 = 4 << 20;

/// What is asked for, and what is shown of it to the one who asks.
#[derive(Clone)]
pub(super) struct Asked {
    pub request: ImageRequest,
    pub view: Arc<View>,
}

/// A request resolved for its image; no pixel has been read yet.
pub struct Prepared {
    pub request: ImageRequest,
    pub(super) view: Arc<View>,
    pub plan: Plan,
    pub validators: Validators,
    pub terms: Arc<Terms>,
    /// The canonical request in the spelling of the version asked for, as text.
    pub canonical: String,
    /// The name of the answer in the cache.
    pub(super) key: EntryKey,
    pub(super) object: Object,
    /// What the pixels are to come from. `None` if only the header of the image is known: if the answer is not in the cache,
    /// the image has to be opened, and the request to be prepared again.
    pub(super) decoder: Option<Arc<dyn Decoder>>,
    /// The pyramid that the decoder reads.
    pub(super) pyramid: Option<CacheKey>,
    /// What has to be asked before it is made, and not only copied.
    pub toll: Option<Toll>,
    /// The answer, if it lies in the file and was read along with the header.
    pub(super) copy: Option<Vec<u8>>,
    /// Whether the answer is a file of this machine as it is, if nothing is missing at its end.
    pub(super) may_be_file: bool,
}

impl Prepared {
    /// Whether the answer is so small that it is read along with the header.
    fn is_copied_along(&self) -> bool {
        self.plan.copied && self.plan.size.area() <= MOST_COPIED_PIXELS
    }

    /// For preparing it again.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            request: self.request.clone(),
            view: Arc::clone(&self.view),
        }
    }

    /// Stands for this state of the image, if its pixels are to be kept.
    pub(super) fn kept_as(&self) -> Option<CacheKey> {
        let stamp = || format!("{:?}", self.object.stamp);
        let key = || {
            let Object { location, page, .. } = &self.object;
            CacheKey::new(&[location, &page.suffix(), &stamp(), origin(self.pyramid)])
        };
        (self.plan.kept != Kept::Nothing).then(key)
    }
}

/// The pixels of a pyramid may differ a little from those of the image itself.
fn origin(pyramid: Option<CacheKey>) -> &'static str {
    pyramid.map_or("source", |_| "pyramid")
}

/// What tells one state of an answer from another (RFC 9110, section 8.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// An opaque tag, without quotes.
    pub etag: String,
    /// `None` for what may change without a later date.
    pub modified: Option<SystemTime>,
}

/// A plan, and what it is for.
pub(super) struct Way {
    pub plan: Plan,
    pub decoder: Option<Arc<dyn Decoder>>,
    pub pyramid: Option<CacheKey>,
}

impl Way {
    /// From the pyramid, if there is one, unless the stored bytes of the image itself are the answer.
    pub fn cheapest(walk: &Walk, image: &Image, asked: &Asked) -> Result<Self, Error> {
        let way = Self::from_source(walk, image, asked)?;
        if way.plan.copied {
            return Ok(way);
        }
        match walk.pyramids.open(&image.object, image.header()) {
            None => Ok(way),
            Some((key, decoder)) => Ok(Self {
                plan: walk.plan(asked, image, decoder.header())?,
                decoder: Some(decoder),
                pyramid: Some(key),
            }),
        }
    }

    fn from_source(walk: &Walk, image: &Image, asked: &Asked) -> Result<Self, Error> {
        Ok(Self {
            plan: walk.plan(asked, image, image.header())?,
            decoder: image.decoder().cloned(),
            pyramid: None,
        })
    }
}

/// What came of preparing with what is at hand.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
enum Attempt {
    Done(Prepared),
    Unknown(Asked, Object),
}

impl Pipeline {
    /// Finds the image, learns its header and resolves the request for what is shown of it: all that can fail because of the
    /// request. If stored bytes are the answer and `is_wanted`, they are read at once.
    ///
    /// # Errors
    /// If the image is not found or not readable, or the request not possible for it.
    pub async fn prepare(
        &self,
        request: ImageRequest,
        view: Arc<View>,
        caching: Caching,
        is_wanted: bool,
    ) -> Result<Prepared, Error> {
        let asked = Asked { request, view };
        if caching != Caching::Use {
            return self.prepare_opened(asked, is_wanted).await;
        }
        // What is to be found out is often known already: the way to another thread and back takes longer than the rest.
        if let Some(image) = self.walk.at_once(&asked.request.identifier) {
            let prepared = self.walk.resolve(image, asked)?;
            if !is_wanted || !prepared.is_copied_along() {
                return Ok(prepared);
            }
            let walk = Arc::clone(&self.walk);
            let identifier = prepared.request.identifier.clone();
            let copy = move |_: &Cancelled| walk.with_copy(prepared);
            return self.read(&identifier, copy).await;
        }
        let walk = Arc::clone(&self.walk);
        let identifier = asked.request.identifier.clone();
        let attempt = move |_: &Cancelled| walk.attempt(asked, is_wanted);
        match self.read(&identifier, attempt).await? {
            Attempt::Done(prepared) => Ok(prepared),
            Attempt::Unknown(asked, object) => {
                let image = self.known(identifier.clone(), object).await?;
                let walk = Arc::clone(&self.walk);
                let prepare = move |_: &Cancelled| walk.prepare(image, asked, is_wanted);
                self.read(&identifier, prepare).await
            }
        }
    }

    pub(super) async fn prepare_opened(
        &self,
        asked: Asked,
        is_wanted: bool,
    ) -> Result<Prepared, Error> {
        let walk = Arc::clone(&self.walk);
        let identifier = asked.request.identifier.clone();
        let image = self.open(&identifier).await?;
        let prepare = move |_: &Cancelled| walk.prepare(image, asked, is_wanted);
        self.read(&identifier, prepare).await
    }

    /// As if there were no pyramid.
    pub(super) async fn prepare_from_source(&self, asked: Asked) -> Result<Prepared, Error> {
        let walk = Arc::clone(&self.walk);
        let identifier = asked.request.identifier.clone();
        let image = self.open(&identifier).await?;
        let prepare = move |_: &Cancelled| {
            let way = Way::from_source(&walk, &image, &asked)?;
            Ok(walk.prepared(image, asked, way))
        };
        self.read(&identifier, prepare).await
    }

    /// With what the pixels come from. If the image has to be opened for it, it may be another one by now.
    pub(super) async fn opened(
        &self,
        mut prepared: Prepared,
    ) -> Result<(Prepared, Arc<dyn Decoder>), Error> {
        loop {
            match prepared.decoder.clone() {
                Some(decoder) => return Ok((prepared, decoder)),
                None => {
                    let opened = self.prepare_opened(prepared.asked(), false).await?;
                    let toll = prepared.toll.take();
                    prepared = Prepared { toll, ..opened };
                }
            }
        }
    }
}

impl Walk {
    fn attempt(&self, asked: Asked, is_wanted: bool) -> Result<Attempt, Error> {
        Ok(match self.images.glance(&asked.request.identifier)? {
            Glance::Known(image) => Attempt::Done(self.prepare(image, asked, is_wanted)?),
            Glance::Found(object) => Attempt::Unknown(asked, object),
        })
    }

    /// The image, if it is known and its pyramid is open, so that resolving a request does not wait for a disk.
    fn at_once(&self, identifier: &Identifier) -> Option<Image> {
        let image = self.images.at_once(identifier)?;
        let is_at_hand = self.pyramids.is_at_hand(&image.object, image.header());
        is_at_hand.then_some(image)
    }

    fn prepare(&self, image: Image, asked: Asked, is_wanted: bool) -> Result<Prepared, Error> {
        let prepared = self.resolve(image, asked)?;
        if is_wanted && prepared.is_copied_along() {
            self.with_copy(prepared)
        } else {
            Ok(prepared)
        }
    }

    fn with_copy(&self, mut prepared: Prepared) -> Result<Prepared, Error> {
        let Some(decoder) = &prepared.decoder else {
            let image = self.images.open(&prepared.request.identifier)?;
            return self.prepare(image, prepared.asked(), true);
        };
        // What cannot be fetched is told, or tried again, by those who make the image.
        if prepared.object.is_remote() && decoder.read_ahead(&prepared.plan.window).is_err() {
            prepared.plan.copied = false;
            return Ok(prepared);
        }
        prepared.copy = make::stored(&prepared.plan, &**decoder, MOST_COPIED_BYTES);
        let is_large_file = || decoder.file(&prepared.plan.window).is_some();
        prepared.may_be_file &= prepared.copy.is_none() && is_large_file();
        prepared.plan.copied = prepared.copy.is_some() || prepared.may_be_file;
        Ok(prepared)
    }

    fn resolve(&self, image: Image, asked: Asked) -> Result<Prepared, Error> {
        let way = Way::cheapest(self, &image, &asked)?;
        Ok(self.prepared(image, asked, way))
    }

    fn prepared(&self, image: Image, asked: Asked, way: Way) -> Prepared {
        let Way {
            plan,
            decoder,
            pyramid,
        } = way;
        if let (None, Some(decoder)) = (pyramid, &decoder)
            && plan.region != Rect::whole(plan.full)
        {
            self.pyramids.want(&image.object, decoder);
        }
        let canonical = plan.canonical.to_string();
        let pixels = if plan.canonical == plan.canonical_pixels {
            &canonical
        } else {
            &plan.canonical_pixels.to_string()
        };
        // A stored level that is one unit is all that the file holds.
        let may_be_file = plan.copied
            && pyramid.is_none()
            && !image.object.is_remote()
            && image.header().levels[plan.window.level].unit == Unit::Level;
        // What `max` is depends on the limits, which differ between routes and change with the configuration.
        let pixels = &format!("{} {pixels}", plan.size);
        let key = self.key(&image, &asked, pixels, pyramid);
        Prepared {
            validators: Validators {
                etag: key.entry.to_string(),
                modified: Some(image.object.modified),
            },
            key,
            terms: Arc::clone(self.images.routes.terms(&image.object)),
            object: image.object,
            request: asked.request,
            view: asked.view,
            plan,
            canonical,
            decoder,
            pyramid,
            toll: None,
            copy: None,
            may_be_file,
        }
    }

    /// `pixels` is the canonical request as it is spelled for the cache.
    fn key(
        &self,
        image: &Image,
        asked: &Asked,
        pixels: &str,
        pyramid: Option<CacheKey>,
    ) -> EntryKey {
        let Object {
            location, version, ..
        } = &image.object;
        // Of most images there is neither, and nothing to be written.
        let page = image.object.page.suffix();
        let identifier = &asked.request.identifier;
        let scale = identifier.scale().map(|scale| scale.to_string());
        // A smaller version that is not smaller is not kept once more.
        let seen = identifier.apparent(image.header().dimensions());
        let parts = [
            location,
            version,
            &*page,
            scale.as_deref().unwrap_or_default(),
            &asked.view.tag_for(seen),
            origin(pyramid),
            pixels,
            &self.settings_tag,
        ];
        EntryKey {
            image: CacheKey::of_image(location),
            entry: CacheKey::new(&parts),
        }
    }

    /// For the pixels of the image, or of what stands in its place.
    fn plan(&self, asked: &Asked, image: &Image, header: &Header) -> Result<Plan, Error> {
        let limits = &self.images.routes.terms(&image.object).limits;
        let plan = Plan::new(&asked.request, &asked.view, header, limits)?;
        // Whoever may not see all of it sees nothing, if it is not known what to hide.
        let plan = plan.as_seen(&asked.view, header);
        let plan = plan.map_err(Error::internal)?;
        let plan = if self.settings.passthrough {
            plan
        } else {
            plan.without_copying()
        };
        Ok(plan.widened(header, self.pixels.largest()))
    }
}
