//! Sizes and rectangles in whole pixels.
//!
//! Everything here is an integer. The two functions that divide say how they round, so that a size computed for
//! `info.json` and the size of the pixels that are sent can never differ.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Width and height in pixels; neither is ever zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "(u32, u32)", try_from = "(u32, u32)")]
pub struct Dimensions {
    width: u32,
    height: u32,
}

/// A value that is never zero would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zero")]
pub struct Zero;

impl From<Dimensions> for (u32, u32) {
    fn from(dimensions: Dimensions) -> Self {
        (dimensions.width, dimensions.height)
    }
}

impl TryFrom<(u32, u32)> for Dimensions {
    type Error = Zero;

    fn try_from((width, height): (u32, u32)) -> Result<Self, Zero> {
        Self::new(width, height).ok_or(Zero)
    }
}

impl Dimensions {
    /// `None` if a side is zero.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 {
            None
        } else {
            Some(Self { width, height })
        }
    }

    /// Raises a side of zero to one pixel.
    pub const fn at_least_one(width: u32, height: u32) -> Self {
        Self {
            width: if width == 0 { 1 } else { width },
            height: if height == 0 { 1 } else { height },
        }
    }

    pub const fn width(self) -> u32 {
        self.width
    }

    pub const fn height(self) -> u32 {
        self.height
    }

    /// Pixels in all.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged, as by a quarter turn.
    pub const fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }

    /// Both sides divided by `factor`, rounded up: the size of a JPEG 2000 resolution level (ISO/IEC 15444-1, B.5)
    /// and of a tile at a scale factor (Image API 3.0, implementation notes).
    pub const fn divided(self, factor: ScaleFactor) -> Self {
        Self {
            width: self.width.div_ceil(factor.0),
            height: self.height.div_ceil(factor.0),
        }
    }

    /// Whether both sides are at most those of `other`.
    pub const fn fits_in(self, other: Self) -> bool {
        self.width <= other.width && self.height <= other.height
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of whole pixels: never empty, and its far edges fit in `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    x: u32,
    y: u32,
    dimensions: Dimensions,
}

impl Rect {
    /// `None` if it would be empty or if a far edge does not fit in `u32`.
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Option<Self> {
        if x.checked_add(width).is_none() || y.checked_add(height).is_none() {
            return None;
        }
        match Dimensions::new(width, height) {
            Some(dimensions) => Some(Self { x, y, dimensions }),
            None => None,
        }
    }

    /// The rectangle of these dimensions at the origin.
    pub const fn whole(dimensions: Dimensions) -> Self {
        Self {
            x: 0,
            y: 0,
            dimensions,
        }
    }

    pub const fn x(self) -> u32 {
        self.x
    }

    pub const fn y(self) -> u32 {
        self.y
    }

    pub const fn width(self) -> u32 {
        self.dimensions.width
    }

    pub const fn height(self) -> u32 {
        self.dimensions.height
    }

    pub const fn dimensions(self) -> Dimensions {
        self.dimensions
    }

    /// One past the last column.
    pub const fn right(self) -> u32 {
        self.x + self.dimensions.width
    }

    /// One past the last row.
    pub const fn bottom(self) -> u32 {
        self.y + self.dimensions.height
    }

    /// Whether it lies inside an image of these dimensions.
    pub const fn is_within(self, dimensions: Dimensions) -> bool {
        self.right() <= dimensions.width && self.bottom() <= dimensions.height
    }

    /// The same as seen from the corner of a rectangle that encloses it; `None` if that does not.
    pub fn within(self, outer: Self) -> Option<Self> {
        let x = self.x.checked_sub(outer.x)?;
        let y = self.y.checked_sub(outer.y)?;
        let seen = Self::new(x, y, self.width(), self.height())?;
        seen.is_within(outer.dimensions()).then_some(seen)
    }

    /// The part that both share, or `None`.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let right = self.right().min(other.right());
        let bottom = self.bottom().min(other.bottom());
        Self::new(x, y, right.checked_sub(x)?, bottom.checked_sub(y)?)
    }
}

impl fmt::Display for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{},{},{}",
            self.x,
            self.y,
            self.width(),
            self.height()
        )
    }
}

/// The whole number by which a stored level is smaller than the full image; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct ScaleFactor(u32);

impl From<ScaleFactor> for u32 {
    fn from(factor: ScaleFactor) -> Self {
        factor.0
    }
}

impl TryFrom<u32> for ScaleFactor {
    type Error = Zero;

    fn try_from(factor: u32) -> Result<Self, Zero> {
        Self::new(factor).ok_or(Zero)
    }
}

impl ScaleFactor {
    pub const ONE: Self = Self(1);

    /// `None` for zero.
    pub const fn new(factor: u32) -> Option<Self> {
        if factor == 0 {
            None
        } else {
            Some(Self(factor))
        }
    }

    /// Two to the power of `reduction`, or `None` beyond 2^31.
    pub const fn from_reduction(reduction: u8) -> Option<Self> {
        if reduction < 32 {
            Some(Self(1 << reduction))
        } else {
            None
        }
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

/// `numerator / denominator` rounded half up, exactly (S23).
///
/// # Panics
/// If the denominator is zero.
pub const fn round_half_up(numerator: u128, denominator: u128) -> u128 {
    (2 * numerator + denominator) / (2 * denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect::new(x, y, width, height).unwrap()
    }

    #[test]
    fn empty_or_overflowing_rectangles_do_not_exist() {
        assert_eq!(Rect::new(0, 0, 0, 1), None);
        assert_eq!(Rect::new(u32::MAX, 0, 1, 1), None);
        assert!(Rect::new(u32::MAX - 1, 0, 1, 1).is_some());
        assert_eq!(Dimensions::new(3, 0), None);
    }

    #[test]
    fn intersection_is_the_shared_part() {
        let a = rect(10, 10, 20, 20);
        assert_eq!(a.intersection(rect(0, 0, 15, 12)), Some(rect(10, 10, 5, 2)));
        assert_eq!(a.intersection(rect(30, 10, 5, 5)), None);
    }

    #[test]
    fn a_part_is_seen_from_the_corner_of_the_whole() {
        let outer = rect(10, 20, 30, 40);
        assert_eq!(rect(12, 23, 28, 37).within(outer), Some(rect(2, 3, 28, 37)));
        assert_eq!(outer.within(outer), Some(rect(0, 0, 30, 40)));
        assert_eq!(rect(9, 20, 1, 1).within(outer), None);
        assert_eq!(rect(12, 23, 29, 37).within(outer), None);
    }

    #[test]
    fn division_rounds_up() {
        let d = Dimensions::new(7993, 6011).unwrap();
        let quarter = d.divided(ScaleFactor::from_reduction(2).unwrap());
        assert_eq!((quarter.width(), quarter.height()), (1999, 1503));
    }

    #[test]
    fn rounding_is_half_up() {
        assert_eq!(round_half_up(125, 2), 63);
        assert_eq!(round_half_up(124, 3), 41);
        assert_eq!(round_half_up(0, 3), 0);
    }
}
