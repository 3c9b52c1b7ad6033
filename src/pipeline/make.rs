//! From a plan to the encoded image.

use std::sync::Arc;

use crate::cache::Pixels;
use crate::decode::Resolution;
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::iiif::Quality;
use crate::pipeline::Prepared;
use crate::plan::Plan;
use crate::raster::Raster;
use crate::transform::{color, extend, orient, quality, rotate, scale};
use crate::work::Cancelled;

/// O01: region, size, rotation, quality, format, in this order.
pub fn make(
    prepared: &Prepared,
    pixels: &Pixels,
    settings: &Settings,
    cancelled: &Cancelled,
) -> Result<Vec<u8>, Error> {
    let plan = &prepared.plan;
    /// Of the memory that the work was given: what is read is held up to three times, and then there is the answer.
    const SHARE: u64 = 4;
    let most = plan.bytes(prepared.decoder.header()) / SHARE;
    if let Some(stored) = stored(prepared, most) {
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

/// The answer as it lies in the file, if no more bytes have to be read.
pub fn stored(prepared: &Prepared, most: u64) -> Option<Vec<u8>> {
    let Prepared { plan, decoder, .. } = prepared;
    let resolution = plan.resolution.filter(Resolution::is_sensible);
    let stored = plan
        .copied
        .then(|| decoder.stored(&plan.window, resolution, most));
    stored.flatten()
}

fn decode(prepared: &Prepared, pixels: &Pixels) -> Result<Arc<Raster>, Error> {
    let Prepared { plan, decoder, .. } = prepared;
    let decoded = match prepared.kept_as {
        Some(image) => pixels.decode(image, &**decoder, &plan.window, plan.decoded),
        None => decoder.decode(&plan.window).map(Arc::new),
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
