//! The encoded image: from the cache, or made.

use std::sync::Arc;

use bytes::Bytes;

use super::make::{self, Job};
use super::{Caching, Pipeline, Prepared, Toll, Validators, WholeFile};
use crate::cache::{EntryKey, Found};
use crate::decode::{DecodeError, Decoder, SourceFormat};
use crate::error::{Cause, Error};
use crate::iiif::Format;
use crate::plan::Copied;
use crate::source::is_replaced;
use crate::work::{Cancelled, Cost, Turn};

/// An encoded image.
pub struct Derivative {
    pub content: Content,
    pub format: Format,
    pub origin: Origin,
    /// Of the state of the image that it was made from: perhaps another one than was prepared for.
    pub validators: Option<Validators>,
}

pub enum Content {
    Bytes(Bytes),
    /// The file of the image as it is.
    File(WholeFile),
}

/// Where the bytes of an answer come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A layer of the cache.
    Cached(&'static str),
    /// Bytes of the source, which are not kept twice.
    Copied,
    Made,
}

/// Encoded bytes that several may wait for.
#[derive(Clone)]
pub(super) struct Rendered {
    bytes: Bytes,
    origin: Origin,
    validators: Option<Validators>,
}

/// What was made, and the name under which it is kept.
struct Made {
    bytes: Bytes,
    key: EntryKey,
    validators: Validators,
}

impl From<Made> for Rendered {
    fn from(made: Made) -> Self {
        Self {
            bytes: made.bytes,
            origin: Origin::Made,
            validators: Some(made.validators),
        }
    }
}

impl From<Found> for Rendered {
    fn from(found: Found) -> Self {
        Self {
            bytes: found.body,
            origin: Origin::Cached(found.layer),
            validators: None,
        }
    }
}

impl Derivative {
    fn copied(content: Content, format: Format, validators: Option<Validators>) -> Self {
        Self {
            content,
            format,
            origin: Origin::Copied,
            validators,
        }
    }
}

impl Rendered {
    fn into_derivative(self, format: Format) -> Derivative {
        Derivative {
            content: Content::Bytes(self.bytes),
            format,
            origin: self.origin,
            validators: self.validators,
        }
    }
}

/// Whether a file is damaged, and not only too large or out of reach.
fn is_damage(cause: &Cause) -> bool {
    matches!(
        cause.downcast_ref::<DecodeError>(),
        Some(DecodeError::Malformed { .. })
    )
}

/// Whether a file became another one while it was read.
fn is_change(cause: &Cause) -> bool {
    match cause.downcast_ref::<DecodeError>() {
        Some(DecodeError::Io(error)) => is_replaced(error),
        _ => cause.downcast_ref().is_some_and(is_replaced),
    }
}

impl Pipeline {
    /// Finds the image in the cache, or makes it: once, however many ask for it at the same time.
    ///
    /// # Errors
    /// If the file is broken, the server busy, or the time up.
    pub async fn render(
        &self,
        mut prepared: Prepared,
        caching: Caching,
    ) -> Result<Derivative, Error> {
        let format = prepared.plan.format;
        if let Some(content) = prepared.copy.take() {
            return Ok(Derivative::copied(content, format, None));
        }
        let mut opened_for = None;
        if prepared.plan.copied == Copied::File {
            // On the heap: most requests go another way, and should not have to carry the place for this one.
            let (file, opened) = Box::pin(self.file_of(prepared)).await?;
            opened_for = Some(opened.validators.clone());
            if let Some(file) = file {
                return Ok(Derivative::copied(Content::File(file), format, opened_for));
            }
            prepared = opened;
        }
        let rendered = match caching {
            Caching::Use => self.find_or_join(prepared).await?,
            // Those who are joined may have found theirs in the cache.
            Caching::Bypass | Caching::Renew => {
                Box::pin(self.find_or_make(prepared, caching)).await?
            }
        };
        let mut derivative = rendered.into_derivative(format);
        derivative.validators = derivative.validators.or(opened_for);
        Ok(derivative)
    }

    /// The file, if it is the answer as it is, and the request prepared for what was opened.
    async fn file_of(&self, prepared: Prepared) -> Result<(Option<WholeFile>, Prepared), Error> {
        let (mut prepared, decoder) = self.opened(prepared).await?;
        let file = self.whole_file(&prepared, decoder).await?;
        if file.is_none() && prepared.plan.copied == Copied::File {
            prepared.plan.copied = Copied::No;
        }
        Ok((file, prepared))
    }

    async fn find_or_join(&self, prepared: Prepared) -> Result<Rendered, Error> {
        let key = prepared.key;
        if let Some(found) = self.layers.near(&key) {
            return Ok(found.into());
        }
        let identifier = prepared.request.identifier.clone();
        let images = &self.walk.images;
        if let Some(failure) = images.failure(key, &prepared.object, &identifier) {
            return Err(failure);
        }
        let toll = prepared.toll.clone();
        let pipeline = self.clone();
        let work = async move { pipeline.find_or_make(prepared, Caching::Use).await };
        let generation = self.layers.generation(&key.image);
        let rendered = self.flights.join((key, generation), work).await;
        rendered.map_err(|error| Toll::told(toll.as_ref(), error).told_to(&identifier))
    }

    async fn find_or_make(&self, prepared: Prepared, caching: Caching) -> Result<Rendered, Error> {
        let key = prepared.key;
        let ticket = match caching {
            Caching::Use => match self.layers.far(key).await {
                Ok(found) => return Ok(found.into()),
                Err(ticket) => Some(ticket),
            },
            Caching::Renew => Some(self.layers.ticket(key)),
            Caching::Bypass => None,
        };
        // What is copied costs next to nothing.
        let toll = prepared
            .toll
            .as_ref()
            .filter(|_| !prepared.plan.is_copied());
        toll.map_or(Ok(()), Toll::ask)?;
        let made = self.make_soundly(prepared).await?;
        if let Some(ticket) = ticket.filter(|_| made.key == key) {
            self.layers.keep(ticket, made.bytes.clone());
        }
        Ok(made.into())
    }

    /// From its source if its pyramid turns out to be broken; anew if the image changes meanwhile.
    async fn make_soundly(&self, prepared: Prepared) -> Result<Made, Error> {
        let (prepared, decoder) = self.opened(prepared).await?;
        let (pyramid, asked) = (prepared.pyramid, prepared.asked());
        match (self.make(prepared, decoder).await, pyramid) {
            (Err(Error::SourceBroken { cause, .. }), Some(key)) if is_damage(&cause) => {
                self.walk.pyramids.discard(&key);
                let source = self.prepare_from_source(asked).await?;
                let (prepared, decoder) = self.opened(source).await?;
                self.make(prepared, decoder).await
            }
            (Err(Error::SourceUnavailable { cause, .. }), None) if is_change(&cause) => {
                let anew = self.prepare_opened(asked, false).await?;
                let (prepared, decoder) = self.opened(anew).await?;
                self.make(prepared, decoder).await
            }
            (result, _) => result,
        }
    }

    async fn make(&self, prepared: Prepared, decoder: Arc<dyn Decoder>) -> Result<Made, Error> {
        self.fetch_window(&prepared, &decoder).await?;
        let turn = self.turn(&prepared, &decoder).await?;
        let cost = Cost {
            bytes: prepared.plan.bytes(decoder.header()),
            pixels: prepared.plan.pixels(decoder.header()),
        };
        let job = Job {
            kept_as: prepared.kept_as(),
            identifier: prepared.request.identifier,
            view: prepared.view,
            plan: prepared.plan,
            decoder,
        };
        let (walk, makers) = (Arc::clone(&self.walk), self.makers.clone());
        let make = move |cancelled: &Cancelled| {
            let _turn = turn;
            make::make(&job, &walk.pixels, &walk.settings, &makers, cancelled)
        };
        let made = self.makers.run(cost, make).await;
        if prepared.pyramid.is_none() {
            let images = &self.walk.images;
            images.recount(&prepared.object);
            if let Err(error) = &made {
                images.keep_failure(prepared.key, &prepared.object, error);
            }
        }
        Ok(Made {
            bytes: made?.into(),
            key: prepared.key,
            validators: prepared.validators,
        })
    }

    /// Of a document, of which any page may take all the time that it is allowed.
    async fn turn(
        &self,
        prepared: &Prepared,
        decoder: &Arc<dyn Decoder>,
    ) -> Result<Option<Turn>, Error> {
        if decoder.header().format != SourceFormat::Pdf {
            return Ok(None);
        }
        let turn = self.rendering.wait(prepared.key.image).await?;
        Ok(Some(turn))
    }
}
