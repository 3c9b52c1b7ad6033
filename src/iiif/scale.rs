//! A virtual size: the full image seems to be smaller than it is (Cantaloupe's scale constraint).

use std::fmt;
use std::num::NonZeroU32;

use crate::geometry::{Dimensions, round_half_up};

/// A fraction of the full image's sides, as it was written: more than none and at most all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scale {
    numerator: u32,
    denominator: u32,
}

impl Scale {
    /// `None` if it is nothing or would enlarge.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || numerator > denominator {
            return None;
        }
        Some(Self {
            numerator,
            denominator,
        })
    }

    /// What makes the longer side so long; `None` if it is no longer than that.
    pub fn confining(dimensions: Dimensions, longest: NonZeroU32) -> Option<Self> {
        let longer = dimensions.width().max(dimensions.height());
        let scale = Self::new(longest.get(), longer)?;
        (longest.get() < longer).then_some(scale)
    }

    /// Numerator and denominator.
    pub const fn parts(self) -> (u32, u32) {
        (self.numerator, self.denominator)
    }

    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// In lowest terms; `None` where it changes nothing.
    pub fn reduced(self) -> Option<Self> {
        let divisor = greatest_common_divisor(self.numerator, self.denominator);
        let reduced = Self {
            numerator: self.numerator / divisor,
            denominator: self.denominator / divisor,
        };
        (reduced.denominator > 1).then_some(reduced)
    }

    /// What these dimensions seem to be: rounded, but never to nothing.
    pub fn of(self, dimensions: Dimensions) -> Dimensions {
        let side = |side: u32| {
            let scaled = u128::from(side) * u128::from(self.numerator);
            let rounded = round_half_up(scaled, u128::from(self.denominator));
            u32::try_from(rounded).unwrap_or(side)
        };
        Dimensions::at_least_one(side(dimensions.width()), side(dimensions.height()))
    }
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(numerator: u32, denominator: u32) -> Scale {
        Scale::new(numerator, denominator).unwrap()
    }

    #[test]
    fn only_fractions_of_the_image_exist() {
        assert_eq!(Scale::new(0, 1), None);
        assert_eq!(Scale::new(0, 0), None);
        assert_eq!(Scale::new(3, 2), None);
        assert!(Scale::new(2, 2).is_some());
    }

    #[test]
    fn a_scale_is_reduced_to_lowest_terms() {
        assert_eq!(scale(2, 4).reduced(), Some(scale(1, 2)));
        assert_eq!(scale(2, 3).reduced(), Some(scale(2, 3)));
        assert_eq!(scale(5, 5).reduced(), None);
        assert_eq!(scale(1, 1).reduced(), None);
    }

    #[test]
    fn sides_are_rounded_and_never_zero() {
        let of = |scale: Scale, width, height| {
            let scaled = scale.of(Dimensions::new(width, height).unwrap());
            (scaled.width(), scaled.height())
        };
        assert_eq!(of(scale(1, 2), 1001, 750), (501, 375));
        assert_eq!(of(scale(1, 3), 1000, 1001), (333, 334));
        assert_eq!(of(scale(1, u32::MAX), 9, u32::MAX), (1, 1));
        assert_eq!(
            of(scale(u32::MAX - 1, u32::MAX), 5, u32::MAX),
            (5, u32::MAX - 1)
        );
    }
}
