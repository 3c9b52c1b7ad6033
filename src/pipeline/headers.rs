//! Headers in the cache: what an image is like, known without opening it.

use std::sync::Arc;

use bytes::Bytes;

use super::images::{Glance, Image, Opening};
use super::{Caching, Pipeline};
use crate::cache::{CacheKey, EntryKey};
use crate::decode::Header;
use crate::error::Error;
use crate::iiif::Identifier;
use crate::source::Object;
use crate::work::Cancelled;

/// Changes with what is written of a header.
const FORMAT: &str = concat!("header ", env!("CARGO_PKG_VERSION"));

/// The name of an image's header in the cache: of this version of it, read with limits of this [tag](crate::decode::Limits::tag).
pub fn key(object: &Object, tag: &str) -> EntryKey {
    let Object {
        location,
        version,
        page,
        ..
    } = object;
    EntryKey {
        image: CacheKey::of_image(location),
        entry: CacheKey::new(&[FORMAT, location, version, &page.suffix(), tag]),
    }
}

/// `None` for one that takes longer to read than the image takes to open: profiles of printers are a megabyte.
fn written(header: &Header) -> Option<Bytes> {
    const LONGEST_PROFILE: u64 = 64 << 10;
    if header.profile_bytes() > LONGEST_PROFILE {
        return None;
    }
    serde_json::to_vec(header).ok().map(Bytes::from)
}

/// `None` for what this version of the server did not write.
pub fn read(bytes: &[u8]) -> Option<Header> {
    let header: Header = serde_json::from_slice(bytes).ok()?;
    (!header.levels.is_empty()).then_some(header)
}

impl Pipeline {
    /// An image with its header: from the cache, or the image is opened.
    pub(super) async fn image(
        &self,
        identifier: Identifier,
        caching: Caching,
    ) -> Result<Image, Error> {
        if caching != Caching::Use {
            return self.open(&identifier).await;
        }
        let walk = Arc::clone(&self.walk);
        let wanted = identifier.clone();
        if let Some(image) = walk.images.at_once(&identifier) {
            return Ok(image);
        }
        let glance = move |_: &Cancelled| walk.images.glance(&wanted);
        match self.read(&identifier, glance).await? {
            Glance::Known(image) => Ok(image),
            Glance::Found(object) => self.known(identifier, object).await,
        }
    }

    /// The image with the header that a far layer has, or else opened: once for all who ask at the same time.
    pub(super) async fn known(
        &self,
        identifier: Identifier,
        object: Object,
    ) -> Result<Image, Error> {
        let flight = (self.walk.images.header_key(&object), object.stamp);
        let (pipeline, wanted) = (self.clone(), identifier.clone());
        let work = async move { pipeline.looked_up_or_opened(wanted, object).await };
        let image = self.openings.join(flight, work).await;
        image.map_err(|error| error.told_to(&identifier))
    }

    /// Opens an image. A document is opened once for all who want a page of it, and documents leave readers to others.
    pub(super) async fn open(&self, identifier: &Identifier) -> Result<Image, Error> {
        let walk = Arc::clone(&self.walk);
        let wanted = identifier.clone();
        let open = move |_: &Cancelled| walk.images.open_at_once(&wanted);
        let document = match self.read(identifier, open).await? {
            Opening::Done(image) => return Ok(image),
            Opening::Document(key) => key,
        };
        let turn = self.opening.wait(document).await?;
        let walk = Arc::clone(&self.walk);
        let wanted = identifier.clone();
        let open = move |_: &Cancelled| {
            let _turn = turn;
            walk.images.open(&wanted)
        };
        self.read(identifier, open).await
    }

    async fn looked_up_or_opened(
        &self,
        identifier: Identifier,
        object: Object,
    ) -> Result<Image, Error> {
        let key = self.walk.images.header_key(&object);
        let ticket = match self.layers.far_if_any(key).await {
            Ok(found) => {
                if let Some(header) = read(&found.body) {
                    return Ok(Image::closed(object, header));
                }
                self.layers.ticket(key)
            }
            Err(ticket) => ticket,
        };
        let image = self.open(&identifier).await?;
        if image.object.version == object.version
            && let Some(header) = written(image.header())
        {
            self.layers.keep(ticket, header);
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Limits};
    use crate::geometry::{Dimensions, ScaleFactor};
    use crate::source::FileInput;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let mut profiles = 0;
        for name in [
            "sample-azulejo.tif",
            "sample-azulejo.jp2",
            "jpeg-420.jpg",
            "chart.png",
            "tiff-icc-rgb.tif",
        ] {
            let path = format!("fixtures/images/{name}");
            let input = Arc::new(FileInput::open(path.as_ref()).unwrap());
            let decoder = decode::open(input, &Limits::default()).unwrap();
            let header = decoder.header();
            profiles += usize::from(header.profile.is_some());
            assert_eq!(read(&written(header).unwrap()).unwrap(), *header, "{name}");
        }
        assert_ne!(profiles, 0, "one of them has a profile");
    }

    #[test]
    fn a_header_with_a_long_profile_is_not_written() {
        let header = |length| Header {
            profile: Some(vec![0; length].into()),
            ..decode::sample_header::header(vec![decode::sample_header::level(
                Dimensions::new(1, 1).unwrap(),
                ScaleFactor::ONE,
            )])
        };
        assert!(written(&header(64 << 10)).is_some());
        assert!(written(&header((64 << 10) + 1)).is_none());
    }

    #[test]
    fn what_is_no_header_is_none() {
        assert!(read(b"").is_none());
        let header = decode::sample_header::header(Vec::new());
        assert!(read(&written(&header).unwrap()).is_none(), "no level");
    }
}
