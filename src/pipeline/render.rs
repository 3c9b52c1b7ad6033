//! The encoded image: from the cache, or made.

use std::sync::Arc;

use bytes::Bytes;

use super::{Caching, Pipeline, Prepared, Way, make};
use crate::cache::Found;
use crate::decode::DecodeError;
use crate::error::{Cause, Error};
use crate::iiif::Format;
use crate::work::{Cancelled, Cost, Reserved};

/// An encoded image.
pub struct Derivative {
    /// Their memory counts as used until they are dropped.
    pub bytes: Bytes,
    pub format: Format,
    pub origin: Origin,
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
    /// What those who wait keep in the memory budget; the cache has a bound of its own.
    memory: Option<Arc<Reserved>>,
    origin: Origin,
}

impl From<Found> for Rendered {
    fn from(found: Found) -> Self {
        Self {
            bytes: found.body,
            memory: None,
            origin: Origin::Cached(found.layer),
        }
    }
}

impl Rendered {
    fn into_derivative(self, format: Format) -> Derivative {
        let bytes = match self.memory {
            Some(memory) => Bytes::from_owner(Sent {
                bytes: self.bytes,
                _memory: memory,
            }),
            None => self.bytes,
        };
        Derivative {
            bytes,
            format,
            origin: self.origin,
        }
    }
}

/// Encoded bytes, and their place in the memory budget.
struct Sent {
    bytes: Bytes,
    _memory: Arc<Reserved>,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether a file is damaged, and not only too large or out of reach.
fn is_damage(cause: &Cause) -> bool {
    matches!(
        cause.downcast_ref::<DecodeError>(),
        Some(DecodeError::Malformed { .. })
    )
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
        if let Some(copy) = prepared.copy.take() {
            return Ok(Derivative {
                bytes: Bytes::from(copy),
                format,
                origin: Origin::Copied,
            });
        }
        let rendered = match caching {
            Caching::Use => self.find_or_join(prepared).await?,
            // Those who are joined may have found theirs in the cache.
            Caching::Bypass | Caching::Renew => {
                Box::pin(self.find_or_make(prepared, caching)).await?
            }
        };
        Ok(rendered.into_derivative(format))
    }

    async fn find_or_join(&self, prepared: Prepared) -> Result<Rendered, Error> {
        let key = prepared.key;
        if let Some(found) = self.layers.near(&key) {
            return Ok(found.into());
        }
        let pipeline = self.clone();
        let work = async move { pipeline.find_or_make(prepared, Caching::Use).await };
        self.flights.join(key, work).await
    }

    /// From its source if its pyramid turns out to be broken.
    async fn find_or_make(
        &self,
        mut prepared: Prepared,
        caching: Caching,
    ) -> Result<Rendered, Error> {
        let pyramid = prepared.pyramid.take();
        match (self.find_or_make_once(prepared, caching).await, pyramid) {
            (Err(Error::SourceBroken { cause, .. }), Some((key, request))) if is_damage(&cause) => {
                self.walk.pyramids.discard(&key);
                let walk = Arc::clone(&self.walk);
                let prepare = move |_: &Cancelled| walk.prepare(request, Way::from_source);
                self.find_or_make_once(self.read(prepare).await?, caching)
                    .await
            }
            (result, _) => result,
        }
    }

    async fn find_or_make_once(
        &self,
        prepared: Prepared,
        caching: Caching,
    ) -> Result<Rendered, Error> {
        let ticket = match caching {
            Caching::Use => match self.layers.far(prepared.key).await {
                Ok(found) => return Ok(found.into()),
                Err(ticket) => Some(ticket),
            },
            Caching::Renew => Some(self.layers.ticket(prepared.key)),
            Caching::Bypass => None,
        };
        let rendered = self.make(prepared).await?;
        if let Some(ticket) = ticket {
            self.layers.keep(ticket, rendered.bytes.clone());
        }
        Ok(rendered)
    }

    async fn make(&self, prepared: Prepared) -> Result<Rendered, Error> {
        let cost = Cost {
            bytes: prepared.plan.bytes(prepared.decoder.header()),
            pixels: prepared.plan.pixels(prepared.decoder.header()),
        };
        let (walk, makers) = (Arc::clone(&self.walk), self.makers.clone());
        let make = move |cancelled: &Cancelled| {
            make::make(&prepared, &walk.pixels, &walk.settings, &makers, cancelled)
        };
        let made = self.makers.run(cost, make).await?;
        let length = made.value.len() as u64;
        let (bytes, memory) = made.into_parts(length);
        Ok(Rendered {
            bytes: bytes.into(),
            memory: Some(Arc::new(memory)),
            origin: Origin::Made,
        })
    }
}
