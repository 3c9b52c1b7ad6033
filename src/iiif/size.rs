//! The `{size}` parameter (Image API 3.0 and 2.1, section 4.2).

use std::fmt;

use super::Version;
use super::decimal::{Decimal, parse_pixels};
use super::limits::{SizeLimits, proportional};
use crate::geometry::{Dimensions, round_half_up};

/// The size to which the extracted region is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// `^` in 3.0: the result may be larger than the region.
    pub upscale: bool,
    pub form: SizeForm,
}

/// The spellings of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SizeForm {
    /// `full`, only in 2.1: the region's own size.
    Full,
    /// `max`
    Max,
    /// `w,`
    Width(u32),
    /// `,h`
    Height(u32),
    /// `pct:n`
    Percent(Decimal),
    /// `w,h`
    Exact(u32, u32),
    /// `!w,h`
    Confined(u32, u32),
}

/// Why there is no such size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    #[error(
        "size \"{0}\" is none of: max, w, or ,h or pct:n or w,h or !w,h (in 3.0 with ^ before it to enlarge)"
    )]
    Syntax(String),
    #[error("size \"full\" is not part of Image API 3.0: write \"max\"")]
    FullInVersion3,
    #[error("size \"{0}\" has a width or height of zero")]
    Zero(Size),
    #[error(
        "size \"{size}\" would enlarge the region of {region} pixels: write \"^{size}\" to allow that"
    )]
    Enlarges { size: Size, region: Dimensions },
    #[error(
        "size \"{size}\" would enlarge the region of {region} pixels, which this server does not do"
    )]
    UpscalingOff { size: Size, region: Dimensions },
    #[error("size \"{size}\" would give {width}x{height} pixels, more than this server's maximum")]
    OverLimit { size: Size, width: u32, height: u32 },
}

impl Size {
    const fn plain(form: SizeForm) -> Self {
        Self {
            upscale: false,
            form,
        }
    }

    /// # Errors
    /// If the text is no size of this version (S02, S12).
    pub fn parse(text: &str, version: Version) -> Result<Self, SizeError> {
        if text == "full" && version == Version::V3 {
            return Err(SizeError::FullInVersion3);
        }
        let (upscale, form) = match text.strip_prefix('^') {
            Some(form) if version == Version::V3 => (true, form),
            _ => (false, text),
        };
        match parse_form(form) {
            Some(SizeForm::Full) if upscale => Err(SizeError::Syntax(text.to_owned())),
            Some(form) => Ok(Self { upscale, form }),
            None => Err(SizeError::Syntax(text.to_owned())),
        }
    }

    /// The size in pixels for an extracted region.
    ///
    /// # Errors
    /// If it is zero (S10), above the limits (S15, S20), or enlarges where that is not allowed (S09, S18, S19).
    pub fn resolve(
        self,
        region: Dimensions,
        limits: &SizeLimits,
        version: Version,
    ) -> Result<Dimensions, SizeError> {
        let grows = limits.upscaling && (self.upscale || version == Version::V2);
        let size = match self.form {
            SizeForm::Max => return Ok(self.max(region, limits)),
            SizeForm::Confined(width, height) => {
                return self.confined(width, height, region, limits, grows);
            }
            SizeForm::Full => region,
            SizeForm::Width(width) => self.with_width(width, region)?,
            SizeForm::Height(height) => self.with_width(height, region.transposed())?.transposed(),
            SizeForm::Percent(percent) => self.percent(percent, region)?,
            SizeForm::Exact(width, height) => {
                Dimensions::new(width, height).ok_or(SizeError::Zero(self))?
            }
        };
        self.check_growth(size, region, grows, version)?;
        self.check_limits(size, limits)
    }

    /// S01, S14: within the limits; `^max` enlarges up to them if there are any.
    fn max(self, region: Dimensions, limits: &SizeLimits) -> Dimensions {
        let bounds = limits.bounds();
        if self.upscale && limits.upscaling && limits.is_bounded() {
            bounds.largest(region)
        } else {
            bounds.within(region).largest(region)
        }
    }

    /// S07, S08, S22: a box beyond the limits or the region is no error.
    fn confined(
        self,
        width: u32,
        height: u32,
        region: Dimensions,
        limits: &SizeLimits,
        grows: bool,
    ) -> Result<Dimensions, SizeError> {
        let asked = Dimensions::new(width, height).ok_or(SizeError::Zero(self))?;
        let bounds = limits.bounds().within(asked);
        let grown = bounds.largest(region);
        if grows || grown.fits_in(region) {
            return Ok(grown);
        }
        if self.upscale {
            return Err(SizeError::UpscalingOff { size: self, region });
        }
        Ok(bounds.within(region).largest(region))
    }

    /// S23; S11: a side that rounds to zero is one pixel.
    fn with_width(self, width: u32, region: Dimensions) -> Result<Dimensions, SizeError> {
        if width == 0 {
            return Err(SizeError::Zero(self));
        }
        Ok(Dimensions::at_least_one(width, proportional(width, region)))
    }

    fn percent(self, percent: Decimal, region: Dimensions) -> Result<Dimensions, SizeError> {
        if percent.is_zero() {
            return Err(SizeError::Zero(self));
        }
        let scaled = |side: u32| {
            let numerator = u128::from(side) * u128::from(percent.numerator());
            let denominator = 100 * u128::from(Decimal::DENOMINATOR);
            u32::try_from(round_half_up(numerator, denominator)).unwrap_or(u32::MAX)
        };
        Ok(Dimensions::at_least_one(
            scaled(region.width()),
            scaled(region.height()),
        ))
    }

    fn check_growth(
        self,
        size: Dimensions,
        region: Dimensions,
        grows: bool,
        version: Version,
    ) -> Result<(), SizeError> {
        if grows || (size.fits_in(region) && !self.exceeds_hundred_percent(version)) {
            return Ok(());
        }
        Err(if self.upscale || version == Version::V2 {
            SizeError::UpscalingOff { size: self, region }
        } else {
            SizeError::Enlarges { size: self, region }
        })
    }

    /// S09: `pct:100.1` is refused even where it rounds to the region's own size.
    fn exceeds_hundred_percent(self, version: Version) -> bool {
        let SizeForm::Percent(percent) = self.form else {
            return false;
        };
        version == Version::V3 && !self.upscale && percent > Decimal::from_integer(100)
    }

    fn check_limits(self, size: Dimensions, limits: &SizeLimits) -> Result<Dimensions, SizeError> {
        if limits.allow(size) {
            return Ok(size);
        }
        Err(SizeError::OverLimit {
            size: self,
            width: size.width(),
            height: size.height(),
        })
    }

    /// The canonical spelling of a resolved size (C03, C05, C12).
    pub fn canonical(
        size: Dimensions,
        region: Dimensions,
        limits: &SizeLimits,
        version: Version,
    ) -> Self {
        match version {
            Version::V2 => Self::canonical_v2(size, region),
            Version::V3 => Self::canonical_v3(size, region, limits),
        }
    }

    fn canonical_v2(size: Dimensions, region: Dimensions) -> Self {
        if size == region {
            return Self::plain(SizeForm::Full);
        }
        let kept = Dimensions::at_least_one(size.width(), proportional(size.width(), region));
        Self::plain(if kept == size {
            SizeForm::Width(size.width())
        } else {
            SizeForm::Exact(size.width(), size.height())
        })
    }

    fn canonical_v3(size: Dimensions, region: Dimensions, limits: &SizeLimits) -> Self {
        let upscale = !size.fits_in(region);
        let max = Self {
            upscale,
            form: SizeForm::Max,
        };
        if max.max(region, limits) == size {
            return max;
        }
        Self {
            upscale,
            form: SizeForm::Exact(size.width(), size.height()),
        }
    }
}

fn parse_form(text: &str) -> Option<SizeForm> {
    match text {
        "full" => return Some(SizeForm::Full),
        "max" => return Some(SizeForm::Max),
        _ => {}
    }
    if let Some(percent) = text.strip_prefix("pct:") {
        return Decimal::parse(percent).map(SizeForm::Percent);
    }
    if let Some(sides) = text.strip_prefix('!') {
        let (width, height) = sides.split_once(',')?;
        return Some(SizeForm::Confined(
            parse_pixels(width)?,
            parse_pixels(height)?,
        ));
    }
    match text.split_once(',')? {
        (width, "") => parse_pixels(width).map(SizeForm::Width),
        ("", height) => parse_pixels(height).map(SizeForm::Height),
        (width, height) => Some(SizeForm::Exact(parse_pixels(width)?, parse_pixels(height)?)),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.upscale {
            f.write_str("^")?;
        }
        match self.form {
            SizeForm::Full => f.write_str("full"),
            SizeForm::Max => f.write_str("max"),
            SizeForm::Width(width) => write!(f, "{width},"),
            SizeForm::Height(height) => write!(f, ",{height}"),
            SizeForm::Percent(percent) => write!(f, "pct:{percent}"),
            SizeForm::Exact(width, height) => write!(f, "{width},{height}"),
            SizeForm::Confined(width, height) => write!(f, "!{width},{height}"),
        }
    }
}

#[cfg(test)]
mod tests;
