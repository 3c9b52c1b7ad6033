//! The `{region}` parameter (Image API 3.0, section 4.1).

use std::fmt;

use super::decimal::{Decimal, parse_pixels};
use crate::geometry::{Dimensions, Rect, round_half_up};

/// The part of the full image that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    Full,
    Square,
    /// Pixels of the full image.
    Pixels {
        x: u32,
        y: u32,
        width: u32,
        height: u32,
    },
    /// Percent of the full image's sides.
    Percent {
        x: Decimal,
        y: Decimal,
        width: Decimal,
        height: Decimal,
    },
}

/// Why there is no such region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    #[error("region \"{0}\" is none of: full, square, x,y,w,h or pct:x,y,w,h")]
    Syntax(String),
    #[error("region \"{0}\" has a width or height of zero")]
    Empty(Region),
    #[error("region \"{region}\" lies outside the image of {full} pixels")]
    Outside { region: Region, full: Dimensions },
}

impl Region {
    /// # Errors
    /// If the text is no region (R09).
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let region = match text {
            "full" => Some(Self::Full),
            "square" => Some(Self::Square),
            _ => match text.strip_prefix("pct:") {
                Some(numbers) => parse_percent(numbers),
                None => parse_rectangle(text),
            },
        };
        region.ok_or_else(|| RegionError::Syntax(text.to_owned()))
    }

    /// The region in pixels of the full image, clipped at its edges (R05).
    ///
    /// # Errors
    /// If nothing of it lies inside the image (R07, R08).
    pub fn resolve(self, full: Dimensions) -> Result<Rect, RegionError> {
        match self {
            Self::Full => Ok(Rect::whole(full)),
            Self::Square => Ok(centred_square(full)),
            Self::Pixels {
                x,
                y,
                width,
                height,
            } => {
                if width == 0 || height == 0 {
                    return Err(RegionError::Empty(self));
                }
                self.clip(x, y, width, height, full)
            }
            Self::Percent {
                x,
                y,
                width,
                height,
            } => {
                if width.is_zero() || height.is_zero() {
                    return Err(RegionError::Empty(self));
                }
                let (x, width) = percent_span(x, width, full.width());
                let (y, height) = percent_span(y, height, full.height());
                self.clip(x, y, width, height, full)
            }
        }
    }

    fn clip(
        self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        full: Dimensions,
    ) -> Result<Rect, RegionError> {
        let outside = RegionError::Outside { region: self, full };
        if x >= full.width() || y >= full.height() {
            return Err(outside);
        }
        let width = width.min(full.width() - x);
        let height = height.min(full.height() - y);
        Rect::new(x, y, width, height).ok_or(outside)
    }
}

fn parse_rectangle(text: &str) -> Option<Region> {
    let [x, y, width, height] = four(text, parse_pixels)?;
    Some(Region::Pixels {
        x,
        y,
        width,
        height,
    })
}

fn parse_percent(text: &str) -> Option<Region> {
    let [x, y, width, height] = four(text, Decimal::parse)?;
    Some(Region::Percent {
        x,
        y,
        width,
        height,
    })
}

fn four<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<[T; 4]> {
    let numbers: Option<Vec<T>> = text.split(',').map(parse).collect();
    numbers?.try_into().ok()
}

/// R02: the longer side is centred; an odd remainder leaves the larger part after it.
fn centred_square(full: Dimensions) -> Rect {
    let side = full.width().min(full.height());
    let x = (full.width() - side) / 2;
    let y = (full.height() - side) / 2;
    Rect::new(x, y, side, side).expect("a square inside the image")
}

/// R14: offset and extent are rounded half up, each for itself. R11: what is left of a span inside the image is at
/// least one pixel.
fn percent_span(offset: Decimal, extent: Decimal, side: u32) -> (u32, u32) {
    let inside = offset < Decimal::from_integer(100);
    let start = match percent_of(offset, side) {
        start if inside => start.min(side - 1),
        start => start,
    };
    (start, percent_of(extent, side).max(1))
}

fn percent_of(percent: Decimal, side: u32) -> u32 {
    let numerator = u128::from(percent.numerator()) * u128::from(side);
    let denominator = u128::from(Decimal::DENOMINATOR) * 100;
    u32::try_from(round_half_up(numerator, denominator)).unwrap_or(u32::MAX)
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Square => f.write_str("square"),
            Self::Pixels {
                x,
                y,
                width,
                height,
            } => write!(f, "{x},{y},{width},{height}"),
            Self::Percent {
                x,
                y,
                width,
                height,
            } => write!(f, "pct:{x},{y},{width},{height}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The image of the specification's examples.
    const FULL: (u32, u32) = (300, 200);

    fn resolve(text: &str) -> Result<String, RegionError> {
        let full = Dimensions::new(FULL.0, FULL.1).unwrap();
        Region::parse(text)?
            .resolve(full)
            .map(|rect| rect.to_string())
    }

    #[test]
    fn r01_to_r06_the_examples_of_the_specification() {
        let rows = [
            ("full", "0,0,300,200"),
            ("square", "50,0,200,200"),
            ("125,15,120,140", "125,15,120,140"),
            ("pct:41.6,7.5,40,70", "125,15,120,140"),
            ("125,15,200,200", "125,15,175,185"),
            ("pct:41.6,7.5,66.6,100", "125,15,175,185"),
        ];
        for (asked, meant) in rows {
            assert_eq!(resolve(asked).as_deref(), Ok(meant), "{asked}");
        }
    }

    #[test]
    fn r07_zero_sides_are_refused() {
        for text in ["0,0,0,10", "0,0,10,0", "pct:0,0,0,10", "pct:0,0,10,0.0"] {
            assert!(
                matches!(resolve(text), Err(RegionError::Empty(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn r08_outside_is_refused() {
        for text in ["300,0,1,1", "0,200,1,1", "pct:100,0,1,1", "pct:0,250,1,1"] {
            assert!(
                matches!(resolve(text), Err(RegionError::Outside { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn r09_other_texts_are_refused() {
        for text in [
            "",
            "FULL",
            "0,0,10",
            "0,0,10,10,10",
            "-1,0,10,10",
            "+1,0,1,1",
            "1.5,0,10,10",
            "1e1,0,1,1",
            "0, 0,10,10",
            "pct:",
            "pct:1,2,3",
            "pct:-1,0,10,10",
            "a,b,c,d",
            "square ",
        ] {
            assert!(
                matches!(resolve(text), Err(RegionError::Syntax(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn r10_decimals_and_their_loose_spellings() {
        assert_eq!(resolve("pct:0,0,100,100").as_deref(), Ok("0,0,300,200"));
        assert_eq!(resolve("pct:.5,0.50,50,50").as_deref(), Ok("2,1,150,100"));
    }

    #[test]
    fn r11_less_than_a_pixel_is_one_pixel() {
        assert_eq!(resolve("pct:0,0,0.001,0.001").as_deref(), Ok("0,0,1,1"));
        assert_eq!(
            resolve("pct:99.99,99.99,50,50").as_deref(),
            Ok("299,199,1,1")
        );
    }

    #[test]
    fn r13_huge_numbers_are_clipped_or_refused() {
        let rows = ["2147483648", "9223372036854775808", "18446744073709551616"];
        for huge in rows {
            assert_eq!(
                resolve(&format!("0,0,{huge},{huge}")).as_deref(),
                Ok("0,0,300,200")
            );
            assert!(resolve(&format!("{huge},0,1,1")).is_err());
            assert!(resolve(&format!("pct:0,0,{huge},{huge}")).is_ok());
        }
    }

    proptest! {
        #[test]
        fn printing_then_parsing_gives_the_same(x: u32, y: u32, width: u32, height: u32) {
            let region = Region::Pixels { x, y, width, height };
            prop_assert_eq!(Region::parse(&region.to_string()), Ok(region));
        }

        #[test]
        fn what_is_resolved_lies_inside(
            text in "(pct:)?[0-9]{1,3}(,[0-9]{1,3}){3}", width in 1..2000_u32, height in 1..2000_u32,
        ) {
            let full = Dimensions::new(width, height).unwrap();
            if let Ok(rect) = Region::parse(&text).unwrap().resolve(full) {
                prop_assert!(rect.is_within(full));
            }
        }
    }
}
