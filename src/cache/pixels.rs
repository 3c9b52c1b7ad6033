//! Decoded pixels that had to be decoded with others: whole tiles of which a part was asked for, strips, images of
//! formats that can only be decoded from the start. And small levels, from which images of many sizes are made.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::CacheKey;
use super::report::{Count, Kept};
use crate::decode::{DecodeError, Tiles, Window};
use crate::geometry::Rect;
use crate::raster::Raster;

const KIBIBYTE: u64 = 1 << 10;

/// Rasters as decoders give them, the least recently used of which go first.
pub struct Pixels {
    cache: Cache<(CacheKey, Window), Arc<Raster>>,
    bytes: u64,
    asked: Count,
    misses: Count,
}

impl Pixels {
    /// A cache of at most so many bytes.
    pub fn new(bytes: u64) -> Self {
        let cache = Cache::builder()
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(bytes / KIBIBYTE)
            .weigher(|_, raster: &Arc<Raster>| kibibytes(raster.bytes()))
            .build();
        Self {
            cache,
            bytes,
            asked: Count::default(),
            misses: Count::default(),
        }
    }

    /// Bytes of the largest raster that is kept: one must not drive out all others.
    pub fn largest(&self) -> u64 {
        self.bytes / 2
    }

    /// A window, decoded by way of `wide`, which encloses it on the same level and is kept. Equal rectangles that are asked
    /// for at the same time are decoded once.
    ///
    /// # Errors
    /// Those of decoding the window itself: what is broken beside it does not matter. It is not tried if what encloses it was too
    /// costly, or the machine too busy.
    pub fn get<F>(
        &self,
        image: CacheKey,
        window: &Window,
        wide: Rect,
        decode: F,
    ) -> Result<Arc<Raster>, DecodeError>
    where
        F: Fn(&Window) -> Result<Raster, DecodeError>,
    {
        let wide = Window {
            level: window.level,
            rect: wide,
        };
        self.asked.add_one();
        let decode_wide = || {
            self.misses.add_one();
            // Or the bound would hold only now and then.
            self.cache.run_pending_tasks();
            decode(&wide).map(Arc::new)
        };
        let part = window.rect.within(wide.rect);
        match (self.cache.try_get_with((image, wide), decode_wide), part) {
            (Ok(raster), Some(_)) if window.rect == wide.rect => Ok(raster),
            (Ok(raster), Some(part)) => Ok(Arc::new(raster.crop(part))),
            (Err(error), _) => match as_costly(&error) {
                Some(same) => Err(same),
                None => decode(window).map(Arc::new),
            },
            _ => decode(window).map(Arc::new),
        }
    }

    /// Whether a window is kept.
    pub fn has(&self, image: CacheKey, window: Window) -> bool {
        self.cache.contains_key(&(image, window))
    }

    pub fn report(&self) -> Kept {
        self.cache.run_pending_tasks();
        let misses = self.misses.get();
        Kept {
            name: "pixels",
            entries: self.cache.entry_count(),
            bytes: self.cache.weighted_size() * KIBIBYTE,
            hits: self.asked.get().saturating_sub(misses),
            misses,
        }
    }
}

/// The tiles of one image among the kept pixels.
pub struct TilesOf<'a> {
    pub pixels: &'a Pixels,
    pub image: CacheKey,
}

impl Tiles for TilesOf<'_> {
    fn find(&self, tile: &Window) -> Option<Arc<Raster>> {
        let pixels = self.pixels;
        pixels.asked.add_one();
        let found = pixels.cache.get(&(self.image, *tile));
        if found.is_none() {
            pixels.misses.add_one();
        }
        found
    }

    fn keep(&self, tile: Window, raster: Arc<Raster>) {
        let cache = &self.pixels.cache;
        cache.insert((self.image, tile), raster);
        // Or the bound would hold only now and then.
        cache.run_pending_tasks();
    }
}

/// The same for another who waited, if time was spent in vain that must not be spent again by each of them.
fn as_costly(error: &DecodeError) -> Option<DecodeError> {
    match error {
        DecodeError::TooCostly { format, problem } => Some(DecodeError::TooCostly {
            format,
            problem: problem.clone(),
        }),
        DecodeError::Busy(why) => Some(DecodeError::Busy(why)),
        _ => None,
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(KIBIBYTE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::decode::{Counting, Decoder};
    use crate::geometry::Dimensions;

    fn window(x: u32, y: u32, side: u32) -> Window {
        let rect = Rect::new(x, y, side, side).unwrap();
        Window { level: 0, rect }
    }

    fn whole(decoder: &Counting) -> Rect {
        Rect::whole(decoder.header().stored_dimensions())
    }

    #[test]
    fn neighbours_are_decoded_once_and_are_the_same_pixels() {
        let decoder = Counting::new("chart.png");
        let pixels = Pixels::new(10 << 20);
        for (x, y) in [(0, 0), (8, 0), (3, 9)] {
            let window = window(x, y, 8);
            let found = pixels.get(CacheKey::new(&[]), &window, whole(&decoder), |window| {
                decoder.decode(window)
            });
            assert_eq!(*found.unwrap(), decoder.inner.decode(&window).unwrap());
        }
        assert_eq!(decoder.count(), 1);
        let report = pixels.report();
        assert_eq!((report.entries, report.hits, report.misses), (1, 2, 1));
        assert!(report.bytes > 0);
        let other = CacheKey::new(&["another image"]);
        let window = window(0, 0, 8);
        pixels
            .get(other, &window, whole(&decoder), |window| {
                decoder.decode(window)
            })
            .unwrap();
        assert_eq!(decoder.count(), 2);
    }

    #[test]
    fn what_is_broken_elsewhere_does_not_matter() {
        let decoder = Counting::new("chart.png").broken_from(8);
        let pixels = Pixels::new(10 << 20);
        let image = CacheKey::new(&[]);
        let good = pixels.get(image, &window(0, 0, 8), whole(&decoder), |window| {
            decoder.decode(window)
        });
        assert_eq!(good.unwrap().dimensions(), Dimensions::new(8, 8).unwrap());
        let broken = pixels.get(image, &window(8, 0, 8), whole(&decoder), |window| {
            decoder.decode(window)
        });
        assert!(broken.is_err());
    }

    /// Or a page that takes 20 seconds in vain would take them twice.
    #[test]
    fn what_was_too_costly_is_not_tried_in_part() {
        type Failure = fn() -> DecodeError;
        let failures: [Failure; 2] = [
            || DecodeError::TooCostly {
                format: "PDF",
                problem: "slow".to_owned(),
            },
            || DecodeError::Busy("others work"),
        ];
        let whole = Rect::new(0, 0, 64, 64).unwrap();
        for failure in failures {
            let pixels = Pixels::new(10 << 20);
            let tries = AtomicUsize::new(0);
            let decode = |_: &Window| {
                tries.fetch_add(1, Ordering::Relaxed);
                Err(failure())
            };
            let found = pixels.get(CacheKey::new(&[]), &window(8, 0, 8), whole, decode);
            assert_eq!(found.unwrap_err().to_string(), failure().to_string());
            assert_eq!(tries.load(Ordering::Relaxed), 1);
        }
    }

    #[test]
    fn no_more_tiles_are_kept_than_fit() {
        let decoder = Counting::new("chart.png");
        let whole = Window {
            level: 0,
            rect: whole(&decoder),
        };
        let raster = Arc::new(decoder.decode(&whole).unwrap());
        let pixels = Pixels::new(2 * raster.bytes() + 2 * KIBIBYTE);
        for name in ["a", "b", "c", "d", "e"] {
            let image = CacheKey::new(&[name]);
            let pixels = &pixels;
            TilesOf { pixels, image }.keep(whole, Arc::clone(&raster));
            assert!(pixels.cache.entry_count() <= 2, "at any time");
        }
        assert_eq!(pixels.cache.entry_count(), 2);
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let decoder = Counting::new("chart.png");
        let raster = decoder
            .inner
            .decode(&Window {
                level: 0,
                rect: whole(&decoder),
            })
            .unwrap();
        let pixels = Pixels::new(2 * raster.bytes() + 2 * KIBIBYTE);
        for name in ["a", "b", "c", "d", "e"] {
            let image = CacheKey::new(&[name]);
            pixels
                .get(image, &window(0, 0, 8), whole(&decoder), |window| {
                    decoder.decode(window)
                })
                .unwrap();
        }
        pixels.cache.run_pending_tasks();
        assert_eq!(pixels.cache.entry_count(), 2);
    }
}
