//! From an image to a plan for its pixels.

use std::sync::Arc;
use std::time::SystemTime;

use super::images::{Glance, Image};
use super::{Caching, Content, Pipeline, Toll, Walk, WholeFile, make};
use crate::cache::{CacheKey, EntryKey};
use crate::decode::{Decoder, Header};
use crate::error::Error;
use crate::geometry::Rect;
use crate::iiif::{Identifier, ImageRequest};
use crate::input::{Input, read_up_to};
use crate::plan::{Copied, Plan};
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
    pub(super) copy: Option<Content>,
}

impl Prepared {
    /// Whether the answer is so small that it is read along with the header.
    fn is_copied_along(&self) -> bool {
        self.plan.is_copied() && self.plan.size.area() <= MOST_COPIED_PIXELS
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
        self.plan.is_kept().then(key)
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
        if way.plan.is_copied() {
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
            let mut prepared = self.walk.resolve(image, asked)?;
            // Files are kept nowhere: this one turned out not to be the answer, so that one was made.
            if prepared.plan.copied == Copied::File && self.layers.peek(&prepared.key).is_some() {
                prepared.plan.copied = Copied::No;
            }
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
            prepared.plan.copied = Copied::No;
            return Ok(prepared);
        }
        prepared.copy = match prepared.plan.copied {
            Copied::File => match decoder.file(&prepared.plan.window) {
                Some(file) => content(&prepared.request.identifier, file)?,
                None => None,
            },
            _ => {
                let stored = make::stored(&prepared.plan, &**decoder, MOST_COPIED_BYTES);
                stored.map(|bytes| Content::Bytes(bytes.into()))
            }
        };
        if prepared.copy.is_none() {
            prepared.plan.copied = Copied::No;
        }
        Ok(prepared)
    }

    fn resolve(&self, image: Image, asked: Asked) -> Result<Prepared, Error> {
        let way = Way::cheapest(self, &image, &asked)?;
        Ok(self.prepared(image, asked, way))
    }

    fn prepared(&self, image: Image, asked: Asked, way: Way) -> Prepared {
        let Way {
            mut plan,
            decoder,
            pyramid,
        } = way;
        // Only files of this machine are sent as they are.
        if plan.copied == Copied::File && image.object.is_remote() {
            plan.copied = Copied::Bytes;
        }
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

/// A file that is the answer: in memory if it is small. `None` if that cannot be read.
///
/// # Errors
/// If somebody is writing to it.
fn content(identifier: &Identifier, file: Input) -> Result<Option<Content>, Error> {
    if file.size() > MOST_COPIED_BYTES {
        let file = WholeFile::unchanged(identifier.clone(), file)?;
        return Ok(Some(Content::File(file)));
    }
    let bytes = read_up_to(&*file, 0, MOST_COPIED_BYTES as usize).ok();
    Ok(bytes.map(|bytes| Content::Bytes(bytes.into())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::config::Config;
    use crate::iiif::Version;
    use crate::pipeline::testing::block_readers;
    use crate::pipeline::{Derivative, Origin};

    /// With two threads that read, and no place to wait for one.
    fn pipeline(root: &Path) -> Pipeline {
        let mut config = Config::default();
        config.source.root = root.to_owned();
        config.pyramids.enabled = false;
        config.work.threads = 1;
        config.work.queue = 0;
        Pipeline::new(&config, None, None).unwrap()
    }

    async fn answer(pipeline: &Pipeline, name: &str) -> Result<Derivative, Error> {
        let identifier = Identifier::new(name.to_owned()).unwrap();
        let segments = ["full", "max", "0", "default.jpg"];
        let request = ImageRequest::parse(Version::V3, identifier, segments).unwrap();
        let prepared = pipeline.prepare(request, View::whole(), Caching::Use, true);
        pipeline.render(prepared.await?, Caching::Use).await
    }

    /// The file is not looked at again: neither one that is so small that it would be read with its header, nor a larger one.
    #[tokio::test]
    async fn what_only_looks_like_the_answer_keeps_nobody_from_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["jpeg-420.jpg", "sample-azulejo.jpg"];
        let pipeline = pipeline(folder.path());
        for name in names {
            let mut file = fs::read(Path::new("fixtures/images").join(name)).unwrap();
            file.extend_from_slice(b"more");
            fs::write(folder.path().join(name), file).unwrap();
            let made = answer(&pipeline, name).await.unwrap();
            assert_eq!(made.origin, Origin::Made, "{name}");
            let identifier = Identifier::new(name.to_owned()).unwrap();
            if pipeline.walk.at_once(&identifier).is_none() {
                return; // The file system is one of which nothing is told without waiting.
            }
        }
        let (release, wait) = channel::<()>();
        let found = async {
            let found = [
                answer(&pipeline, names[0]).await,
                answer(&pipeline, names[1]).await,
            ];
            drop(release);
            found
        };
        let ((), found) = tokio::join!(block_readers(&pipeline, wait), found);
        for found in found {
            assert_eq!(found.ok().unwrap().origin, Origin::Cached("memory"));
        }
    }
}
