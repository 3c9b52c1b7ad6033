//! The canonical form of an image request (Image API 3.0, section 4.7; 2.1, section 4.7).

use std::fmt;

use super::{Format, ImageRequest, Quality, Region, Rotation, Size, SizeLimits, Version};
use crate::geometry::{Dimensions, Rect};

/// One spelling for all requests that mean the same image: the canonical link, and part of the cache key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CanonicalRequest {
    region: Region,
    size: Size,
    rotation: Rotation,
    quality: Quality,
    format: Format,
}

/// What a request has been resolved to.
#[derive(Clone, Copy, Debug)]
pub struct Resolved {
    pub full: Dimensions,
    pub region: Rect,
    pub size: Dimensions,
    pub image_is_gray: bool,
}

impl CanonicalRequest {
    /// The canonical form in one version's spelling (C02 to C08).
    pub fn new(
        request: &ImageRequest,
        resolved: &Resolved,
        limits: &SizeLimits,
        version: Version,
    ) -> Self {
        let region = resolved.region;
        Self {
            region: canonical_region(region, resolved.full),
            size: Size::canonical(resolved.size, region.dimensions(), limits, version),
            rotation: request.rotation,
            quality: request.quality.canonical(resolved.image_is_gray),
            format: request.format,
        }
    }
}

fn canonical_region(region: Rect, full: Dimensions) -> Region {
    if region == Rect::whole(full) {
        return Region::Full;
    }
    Region::Pixels {
        x: region.x(),
        y: region.y(),
        width: region.width(),
        height: region.height(),
    }
}

impl fmt::Display for CanonicalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            size,
            rotation,
            quality,
            format,
        } = self;
        write!(f, "{region}/{size}/{rotation}/{quality}.{}", format.name())
    }
}
