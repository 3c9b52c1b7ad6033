//! From a plan to the encoded image.

use std::sync::Arc;

use crate::cache::{CacheKey, Pixels, TilesOf};
use crate::decode::{Aids, DecodeError, Decoder, Header, Resolution, Tiles, Window};
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::iiif::{Identifier, Quality};
use crate::plan::{Kept, Painted, Part, Plan};
use crate::raster::Raster;
use crate::transform::scale::Crop;
use crate::transform::{TransformError, color, extend, orient, quality, redact, rotate, scale};
use crate::view::View;
use crate::work::{Cancelled, Helpers, Work};

/// An image to be made.
pub struct Job {
    pub identifier: Identifier,
    pub view: Arc<View>,
    pub plan: Plan,
    pub decoder: Arc<dyn Decoder>,
    /// Stands for this state of the image, if its pixels are to be kept.
    pub kept_as: Option<CacheKey>,
}

/// O01: region, size, rotation, quality, format, in this order.
pub fn make(
    job: &Job,
    pixels: &Pixels,
    settings: &Settings,
    makers: &Work,
    cancelled: &Cancelled,
) -> Result<Vec<u8>, Error> {
    /// Of the memory that the work was given: what is read is held up to three times, and then there is the answer.
    const SHARE: u64 = 4;
    let (plan, header) = (&job.plan, job.decoder.header());
    if let Some(stored) = stored(plan, &*job.decoder, plan.bytes(header) / SHARE) {
        return Ok(stored);
    }
    let raster = decode(job, pixels, makers)?;
    cancelled.check()?;
    let (raster, profile) = redact(raster, plan, header)?;
    let raster = extend::extend(raster, plan.extended);
    let raster = scale::scale(raster, plan.crop, plan.target)?;
    let raster = color::to_srgb(raster, profile)?;
    let raster = orient::orient(raster, plan.orientation);
    let raster = take_part(raster, plan.part)?;
    cancelled.check()?;
    let raster = turn(raster, plan);
    let raster = draw(raster, &job.view)?;
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
pub fn stored(plan: &Plan, decoder: &dyn Decoder, most: u64) -> Option<Vec<u8>> {
    let resolution = plan.resolution.filter(Resolution::is_sensible);
    let stored = plan
        .is_copied()
        .then(|| decoder.stored(&plan.window, resolution, most));
    stored.flatten()
}

fn decode(job: &Job, pixels: &Pixels, makers: &Work) -> Result<Arc<Raster>, Error> {
    let Job { plan, decoder, .. } = job;
    let decode = |window: &Window, tiles| decode_window(&**decoder, window, makers, tiles);
    let decoded = match (job.kept_as, plan.kept) {
        (Some(image), Kept::Whole) => {
            let decode = |window: &Window| decode(window, None);
            pixels.get(image, &plan.window, plan.decoded, decode)
        }
        (Some(image), Kept::Tiles) => {
            let tiles = TilesOf { pixels, image };
            decode(&plan.window, Some(&tiles)).map(Arc::new)
        }
        _ => decode(&plan.window, None).map(Arc::new),
    };
    decoded.map_err(|error| Error::decoding(&job.identifier, error))
}

/// With the help of idle cores, unless it is over sooner than threads have begun.
fn decode_window(
    decoder: &dyn Decoder,
    window: &Window,
    makers: &Work,
    tiles: Option<&dyn Tiles>,
) -> Result<Raster, DecodeError> {
    const FEWEST_PIXELS: u64 = 1 << 17;
    let is_large = window.rect.dimensions().area() >= FEWEST_PIXELS;
    let helpers = is_large.then(|| makers.helpers());
    let threads = helpers.as_ref().map_or(1, Helpers::threads);
    decoder.decode_with(window, Aids { threads, tiles })
}

/// With all that is hidden painted over, and the profile that its colours have then. What is hidden is painted in sRGB, because not
/// every colour has inks; and before pixels are scaled, because afterwards they have a share in their neighbours.
fn redact<'a>(
    raster: Arc<Raster>,
    plan: &Plan,
    header: &'a Header,
) -> Result<(Arc<Raster>, Option<&'a [u8]>), TransformError> {
    let profile = header.profile.as_deref();
    if !plan.redacts {
        return Ok((raster, profile));
    }
    let raster = color::to_srgb(Arc::unwrap_or_clone(raster), profile)?;
    let painted = plan.painted.iter();
    let raster = painted.fold(raster, |raster, Painted { rect, color }| {
        redact::paint(raster, *rect, *color)
    });
    Ok((Arc::new(raster), None))
}

/// What lies around the part is nothing to its pixels, as if it were the edge of the image.
fn take_part(raster: Raster, part: Option<Part>) -> Result<Raster, TransformError> {
    let Some(Part { rect, size }) = part else {
        return Ok(raster);
    };
    let raster = raster.crop(rect);
    scale::scale(raster, Crop::whole(rect.dimensions()), size)
}

/// T04: mirrored first, then turned.
fn turn(raster: Raster, plan: &Plan) -> Raster {
    let raster = orient::orient(raster, plan.rotation.orientation());
    match plan.rotation.arbitrary() {
        Some(degrees) => rotate::rotate(raster, degrees),
        None => raster,
    }
}

/// Before the quality, which holds for all of the answer: what is drawn on a gray one is gray.
fn draw(raster: Raster, view: &View) -> Result<Raster, TransformError> {
    let mut overlays = view.overlays.iter();
    overlays.try_fold(raster, |raster, overlay| overlay.draw(raster))
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
    use crate::decode::Counting;
    use crate::encode::config::EncodeConfig;
    use crate::iiif::{ImageRequest, SizeLimits, Version};
    use crate::work::Cost;

    fn job(decoder: Arc<dyn Decoder>, region: &str, size: &str) -> Job {
        let identifier = Identifier::new("x".to_owned()).unwrap();
        let segments = [region, size, "0", "default.png"];
        let request = ImageRequest::parse(Version::V3, identifier.clone(), segments).unwrap();
        let (view, limits) = (View::default(), SizeLimits::default());
        let plan = Plan::new(&request, &view, decoder.header(), &limits).unwrap();
        let plan = plan.widened(decoder.header(), u64::MAX);
        Job {
            identifier,
            view: View::whole(),
            kept_as: plan.is_kept().then(|| CacheKey::new(&[])),
            plan,
            decoder,
        }
    }

    /// Makes each of them in turn with the same kept pixels.
    async fn make_all(
        decoder: Arc<dyn Decoder>,
        pixels: &Arc<Pixels>,
        regions_and_sizes: &[(&str, &str)],
    ) {
        let work = Work::new(1, 1, 1 << 30);
        for (region, size) in regions_and_sizes {
            let job = job(Arc::clone(&decoder), region, size);
            let (pixels, makers) = (Arc::clone(pixels), work.clone());
            let settings = Settings::from(&EncodeConfig::default());
            let make =
                move |cancelled: &Cancelled| make(&job, &pixels, &settings, &makers, cancelled);
            let made = work.run(Cost::SMALL, make).await.unwrap();
            assert!(!made.is_empty());
        }
    }

    /// Makes each size in turn, and says how many windows were decoded.
    async fn decodes(name: &str, sizes: &[&'static str]) -> usize {
        let decoder = Arc::new(Counting::new(name));
        let pixels = Arc::new(Pixels::new(1 << 30));
        let asked: Vec<_> = sizes.iter().map(|size| ("full", *size)).collect();
        make_all(Arc::clone(&decoder) as _, &pixels, &asked).await;
        decoder.count()
    }

    /// Tiles of 256: those of four columns and three rows, then those of one more column.
    #[tokio::test]
    async fn a_region_decodes_no_tile_that_one_before_it_has_cut() {
        let decoder = Arc::new(Counting::new("sample-azulejo.tif"));
        let pixels = Arc::new(Pixels::new(1 << 30));
        let regions = [("100,100,800,600", "max"), ("200,50,900,700", "max")];
        make_all(decoder, &pixels, &regions).await;
        let report = pixels.report();
        assert_eq!((report.misses, report.hits, report.entries), (15, 12, 15));
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
