//! What nobody may see of an image.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::formats::Invalid;
use crate::config::hex_color::HexColor;
use crate::geometry::{Dimensions, Rect};
use crate::iiif::Region;
use crate::iiif::region::RegionError;

/// A rectangle of the underlying image that is painted over before anything else is done to its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// What is hidden: `x,y,w,h` in pixels of the full image, upright, or `pct:x,y,w,h`; or `full`.
    #[schemars(with = "String", extend("format" = "redacted-region"), example = "100,80,640,200")]
    pub region: RedactedRegion,

    /// What is seen instead.
    #[serde(default = "black")]
    pub color: HexColor,
}

fn black() -> HexColor {
    HexColor::BLACK
}

impl Redaction {
    pub fn new(region: Region, color: HexColor) -> Self {
        let region = RedactedRegion(region);
        Self { region, color }
    }

    /// The pixels that it hides of an upright image.
    ///
    /// # Errors
    /// If none lies inside of it: then the region is not one of this image.
    pub fn rect(&self, full: Dimensions) -> Result<Rect, RegionError> {
        self.region.0.resolve(full)
    }
}

impl fmt::Display for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.region.0, self.color)
    }
}

/// A region of the Image API (3.0, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedactedRegion(Region);

impl std::str::FromStr for RedactedRegion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("it is none of full, x,y,w,h and pct:x,y,w,h");
        let region = Region::parse(text).map_err(|_| WRONG)?;
        let some = Dimensions::at_least_one(u32::MAX, u32::MAX);
        // Empty ones hide nothing, which nobody can have meant.
        region.resolve(some).map_err(|_| WRONG)?;
        Ok(Self(region))
    }
}

impl TryFrom<String> for RedactedRegion {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<RedactedRegion> for String {
    fn from(region: RedactedRegion) -> Self {
        region.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_regions_and_other_texts_are_refused() {
        for wrong in [
            "",
            "0,0,0,9",
            "1,2,3",
            "pct:0,0,0,1",
            "pct:100,0,1,1",
            "all",
        ] {
            assert!(wrong.parse::<RedactedRegion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_is_clipped_and_never_outside() {
        let redaction = |text: &str| Redaction {
            region: text.parse().unwrap(),
            color: HexColor::BLACK,
        };
        let full = Dimensions::new(100, 50).unwrap();
        let rect = redaction("90,40,500,500").rect(full).unwrap();
        assert_eq!(rect.to_string(), "90,40,10,10");
        assert_eq!(redaction("full").rect(full).unwrap(), Rect::whole(full));
        assert!(redaction("100,0,10,10").rect(full).is_err());
    }
}
