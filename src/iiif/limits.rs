//! The largest sizes that are served: `maxWidth`, `maxHeight`, `maxArea` (Image API 3.0, section 5.3).

use super::config::ImageConfig;
use crate::geometry::{Dimensions, round_half_up};

/// Limits on the scaled region, before rotation (S28).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeLimits {
    pub max_width: Option<u32>,
    /// As `max_width` when absent.
    pub max_height: Option<u32>,
    pub max_area: Option<u64>,
    /// Whether sizes above the region's are served: `sizeUpscaling` in 3.0, `sizeAboveFull` in 2.1.
    pub upscaling: bool,
}

impl From<&ImageConfig> for SizeLimits {
    fn from(config: &ImageConfig) -> Self {
        Self {
            max_width: config.max_width,
            max_height: config.max_height,
            max_area: Some(config.max_area),
            upscaling: config.upscaling,
        }
    }
}

impl SizeLimits {
    pub(super) fn bounds(&self) -> Bounds {
        let width = self.max_width.unwrap_or(u32::MAX);
        Bounds {
            width,
            height: self.max_height.unwrap_or(width),
            area: self.max_area.unwrap_or(u64::MAX),
        }
    }

    /// Whether any limit is set.
    pub const fn is_bounded(&self) -> bool {
        self.max_width.is_some() || self.max_area.is_some()
    }

    /// Whether a size is within all of them.
    pub fn allow(&self, size: Dimensions) -> bool {
        let bounds = self.bounds();
        size.width() <= bounds.width && size.height() <= bounds.height && size.area() <= bounds.area
    }
}

/// What a size has to stay within; each at least one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub width: u32,
    pub height: u32,
    pub area: u64,
}

impl Bounds {
    pub fn within(self, dimensions: Dimensions) -> Self {
        Self {
            width: self.width.min(dimensions.width()),
            height: self.height.min(dimensions.height()),
            area: self.area,
        }
    }

    /// The largest size of the region's proportions inside the bounds (S07, S14, S26).
    pub fn largest(self, region: Dimensions) -> Dimensions {
        let fitted = self.fit_sides(region);
        if fitted.area() <= self.area {
            fitted
        } else if region.width() >= region.height() {
            fit_area(region, self.area)
        } else {
            fit_area(region.transposed(), self.area).transposed()
        }
    }

    fn fit_sides(self, region: Dimensions) -> Dimensions {
        let wide = u64::from(region.width()) * u64::from(self.height);
        let high = u64::from(region.height()) * u64::from(self.width);
        if wide >= high {
            Dimensions::at_least_one(self.width, proportional(self.width, region))
        } else {
            let width = proportional(self.height, region.transposed());
            Dimensions::at_least_one(width, self.height)
        }
    }
}

/// The height that keeps the proportions of `region` at this width, rounded half up (S23); zero if it rounds so.
pub(super) fn proportional(width: u32, region: Dimensions) -> u32 {
    let numerator = u128::from(region.height()) * u128::from(width);
    u32::try_from(round_half_up(numerator, u128::from(region.width()))).unwrap_or(u32::MAX)
}

/// The largest landscape size of the region's proportions and at most this area, rounded down.
fn fit_area(region: Dimensions, area: u64) -> Dimensions {
    let square = u128::from(area) * u128::from(region.width()) / u128::from(region.height());
    let width = u32::try_from(square.isqrt()).unwrap_or(u32::MAX).max(1);
    let exact = u128::from(region.height()) * u128::from(width) / u128::from(region.width());
    let height = u32::try_from(exact).unwrap_or(u32::MAX).max(1);
    let widest = u32::try_from(area / u64::from(height)).unwrap_or(u32::MAX);
    Dimensions::at_least_one(width.min(widest), height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    #[test]
    fn s26_an_area_is_never_exceeded() {
        let limits = SizeLimits {
            max_area: Some(100),
            ..SizeLimits::default()
        };
        for region in [
            dimensions(10_000, 1),
            dimensions(3, 7),
            dimensions(999, 1_000),
        ] {
            let size = limits.bounds().within(region).largest(region);
            assert!(limits.allow(size), "{region} became {size}");
        }
    }

    proptest! {
        #[test]
        fn s07_one_side_is_as_large_as_possible(
            width in 1..5000_u32, height in 1..5000_u32, w in 1..5000_u32, h in 1..5000_u32,
        ) {
            let bounds = Bounds { width: w, height: h, area: u64::MAX };
            let size = bounds.largest(dimensions(width, height));
            prop_assert!(size.width() <= w && size.height() <= h);
            prop_assert!(size.width() == w || size.height() == h);
        }
    }
}
