//! The `{rotation}` parameter (Image API 3.0, section 4.3).

use std::fmt;

use super::decimal::Decimal;
use crate::orientation::{Orientation, QuarterTurn};

/// Mirror left-right if asked, then turn clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    mirrored: bool,
    /// Below 360.
    degrees: Decimal,
}

/// Why there is no such rotation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rotation \"{0}\" is not a number from 0 to 360, with ! before it to mirror")]
pub struct RotationError(String);

const FULL_TURN: Decimal = Decimal::from_integer(360);

impl Rotation {
    pub const NONE: Self = Self {
        mirrored: false,
        degrees: Decimal::ZERO,
    };

    /// Reads `n` or `!n`; 360 becomes 0 (C08).
    ///
    /// # Errors
    /// If the text is no rotation (T05).
    pub fn parse(text: &str) -> Result<Self, RotationError> {
        let (mirrored, number) = match text.strip_prefix('!') {
            Some(number) => (true, number),
            None => (false, text),
        };
        match Decimal::parse(number) {
            Some(degrees) if degrees < FULL_TURN => Ok(Self { mirrored, degrees }),
            Some(FULL_TURN) => Ok(Self {
                mirrored,
                degrees: Decimal::ZERO,
            }),
            _ => Err(RotationError(text.to_owned())),
        }
    }

    /// The lossless part of it: mirroring, and the turn if it is a multiple of 90 degrees.
    pub fn orientation(self) -> Orientation {
        Orientation {
            mirrored: self.mirrored,
            turn: self.quarter_turn().unwrap_or(QuarterTurn::None),
        }
    }

    /// Clockwise degrees that are no multiple of 90, or `None`.
    pub fn arbitrary(self) -> Option<f64> {
        match self.quarter_turn() {
            Some(_) => None,
            None => Some(self.degrees.to_f64()),
        }
    }

    fn quarter_turn(self) -> Option<QuarterTurn> {
        (0..4_u8)
            .find(|quarters| self.degrees == Decimal::from_integer(u32::from(*quarters) * 90))
            .map(QuarterTurn::from_count)
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirror = if self.mirrored { "!" } else { "" };
        write!(f, "{mirror}{}", self.degrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        Rotation::parse(text).unwrap().to_string()
    }

    #[test]
    fn c06_c08_one_spelling_for_each_rotation() {
        let rows = [
            ("0", "0"),
            ("360", "0"),
            ("!360", "!0"),
            ("90.0", "90"),
            ("!345", "!345"),
            (".5", "0.5"),
            ("22.50", "22.5"),
        ];
        for (asked, canonical) in rows {
            assert_eq!(printed(asked), canonical);
        }
    }

    #[test]
    fn t05_other_texts_are_refused() {
        for text in [
            "", "-1", "361", "360.1", "!", "90!", "!!0", "+90", "1e2", "NaN", "1.2.3", "right",
            " 90",
        ] {
            assert!(Rotation::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn t02_multiples_of_90_are_quarter_turns() {
        let quarter = Rotation::parse("!270.0").unwrap();
        assert_eq!(quarter.orientation().turn, QuarterTurn::ThreeQuarters);
        assert!(quarter.orientation().mirrored);
        assert_eq!(quarter.arbitrary(), None);
        let oblique = Rotation::parse("22.5").unwrap();
        assert_eq!(oblique.arbitrary(), Some(22.5));
        assert_eq!(oblique.orientation(), Orientation::UPRIGHT);
    }

    proptest! {
        #[test]
        fn printing_then_parsing_gives_the_same(text in "!?[0-3]?[0-9]{1,2}(\\.[0-9]{1,10})?") {
            if let Ok(rotation) = Rotation::parse(&text) {
                prop_assert_eq!(Rotation::parse(&rotation.to_string()), Ok(rotation));
            }
        }
    }
}
