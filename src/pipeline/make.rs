//! From a plan to the encoded image.

use std::sync::Arc;

use crate::cache::Pixels;
use crate::decode::{DecodeError, Decoder, Resolution, Window};
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::iiif::Quality;
use crate::pipeline::Prepared;
use crate::plan::Plan;
use crate::raster::Raster;
use crate::transform::{color, extend, orient, quality, rotate, scale};
use crate::work::{Cancelled, Work};

/// O01: region, size, rotation, quality, format, in this order.
pub fn make(
    prepared: &Prepared,
    pixels: &Pixels,
    settings: &Settings,
    makers: &Work,
    cancelled: &Cancelled,
) -> Result<Vec<u8>, Error> {
    let plan = &prepared.plan;
    /// Of the memory that the work was given: what is read is held up to three times, and then there is the answer.
    const SHARE: u64 = 4;
    let most = plan.bytes(prepared.decoder.header()) / SHARE;
    if let Some(stored) = stored(prepared, most) {
        return Ok(stored);
    }
    let raster = decode(prepared, pixels, makers)?;
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

/// The answer as it lies in the file, if no more bytes have to be read.
pub fn stored(prepared: &Prepared, most: u64) -> Option<Vec<u8>> {
    let Prepared { plan, decoder, .. } = prepared;
    let resolution = plan.resolution.filter(Resolution::is_sensible);
    let stored = plan
        .copied
        .then(|| decoder.stored(&plan.window, resolution, most));
    stored.flatten()
}

fn decode(prepared: &Prepared, pixels: &Pixels, makers: &Work) -> Result<Arc<Raster>, Error> {
    let Prepared { plan, decoder, .. } = prepared;
    let decode = |window: &Window| decode_window(&**decoder, window, makers);
    let decoded = match prepared.kept_as {
        Some(image) => pixels.get(image, &plan.window, plan.decoded, decode),
        None => decode(&plan.window).map(Arc::new),
    };
    decoded.map_err(|error| Error::decoding(&prepared.identifier, error))
}

/// With the help of idle cores, unless it is over sooner than threads have begun.
fn decode_window(
    decoder: &dyn Decoder,
    window: &Window,
    makers: &Work,
) -> Result<Raster, DecodeError> {
    const FEWEST_PIXELS: u64 = 1 << 17;
    if window.rect.dimensions().area() < FEWEST_PIXELS {
        return decoder.decode(window);
    }
    let helpers = makers.helpers();
    decoder.decode_on(window, helpers.threads())
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
    use super::*;
    use crate::cache::{CacheKey, EntryKey};
    use crate::decode::Counting;
    use crate::encode::config::EncodeConfig;
    use crate::iiif::{Identifier, ImageRequest, SizeLimits, Version};
    use crate::pipeline::Validators;
    use crate::work::{Cost, Held};

    fn prepared(decoder: Arc<Counting>, size: &str) -> Prepared {
        let identifier = Identifier::new("x".to_owned()).unwrap();
        let segments = ["full", size, "0", "default.png"];
        let request = ImageRequest::parse(Version::V3, identifier.clone(), segments).unwrap();
        let plan = Plan::new(&request, decoder.header(), &SizeLimits::default()).unwrap();
        let plan = plan.widened(decoder.header(), u64::MAX);
        let validators = Validators {
            etag: String::new(),
            modified: std::time::UNIX_EPOCH,
        };
        let key = CacheKey::new(&[]);
        Prepared {
            identifier,
            validators,
            canonical: plan.canonical.to_string(),
            key: EntryKey {
                image: key,
                entry: key,
            },
            kept_as: plan.kept.then(|| CacheKey::new(&[])),
            plan,
            decoder,
            copy: None,
            pyramid: None,
        }
    }

    /// Makes each size in turn, and says how many windows were decoded.
    async fn decodes(name: &str, sizes: &[&'static str]) -> usize {
        let decoder = Arc::new(Counting::new(name));
        let work = Work::new(1, 1, 1 << 30);
        let pixels = Arc::new(Pixels::new(1 << 30));
        for size in sizes {
            let prepared = prepared(Arc::clone(&decoder), size);
            let (pixels, makers) = (Arc::clone(&pixels), work.clone());
            let settings = Settings::from(&EncodeConfig::default());
            let make = move |cancelled: &Cancelled| {
                make(&prepared, &pixels, &settings, &makers, cancelled)
            };
            let Held { value, .. } = work.run(Cost::SMALL, make).await.ok().unwrap();
            assert!(!value.is_empty());
        }
        decoder.count()
    }

    #[tokio::test]
    async fn thumbnails_of_all_sizes_are_made_from_one_decode_of_a_level() {
        for name in [
            "sample-azulejo.tif",
            "sample-azulejo.jp2",
            "sample-azulejo.jpg",
        ] {
            assert_eq!(
                decodes(name, &["290,", "280,", "!260,260", "200,200"]).await,
                1,
                "{name}"
            );
            assert_eq!(
                decodes(name, &["290,", "1200,", "280,"]).await,
                2,
                "{name}: two levels"
            );
        }
    }
}
