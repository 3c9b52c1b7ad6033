//! Non-negative decimal numbers made from text: percentages and degrees (Image API 3.0, sections 4.1 to 4.3).

use std::fmt;

const DECIMALS: usize = 10;
const ONE: u64 = 10_u64.pow(DECIMALS as u32);

/// A number with ten decimals, kept as an integer so that it can be compared, hashed and printed exactly.
///
/// Digits beyond the tenth decimal are dropped (V03); numbers beyond the range become the largest one, which every
/// use refuses or clips (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal(u64);

impl Decimal {
    pub const ZERO: Self = Self(0);

    pub const fn from_integer(value: u32) -> Self {
        Self((value as u64).saturating_mul(ONE))
    }

    /// Digits with at most one point between or before them (V01, R10). No signs, exponents or blanks.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None if text.is_empty() => return None,
            None => (text, ""),
        };
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let units = digits(whole).saturating_mul(ONE);
        Some(Self(units.saturating_add(tenths(fraction))))
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The numerator over [`Self::DENOMINATOR`].
    pub const fn numerator(self) -> u64 {
        self.0
    }

    pub const DENOMINATOR: u64 = ONE;

    /// For trigonometry only; sizes and regions are computed in integers.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

impl fmt::Display for Decimal {
    /// No trailing zeros, a leading zero below one (C06).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / ONE)?;
        if self.0.is_multiple_of(ONE) {
            return Ok(());
        }
        let fraction = format!("{:0DECIMALS$}", self.0 % ONE);
        write!(f, ".{}", fraction.trim_end_matches('0'))
    }
}

/// Whole pixels: digits only. Numbers beyond `u32` become its largest value (R13): no image is that large.
pub fn parse_pixels(text: &str) -> Option<u32> {
    if text.is_empty() || !all_digits(text) {
        return None;
    }
    Some(u32::try_from(digits(text)).unwrap_or(u32::MAX))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(text: &str) -> u64 {
    text.bytes().fold(0_u64, |value, byte| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(byte - b'0'))
    })
}

fn tenths(fraction: &str) -> u64 {
    let kept = &fraction[..fraction.len().min(DECIMALS)];
    digits(kept) * 10_u64.pow((DECIMALS - kept.len()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> Option<String> {
        Decimal::parse(text).map(|decimal| decimal.to_string())
    }

    #[test]
    fn v02_leading_and_trailing_zeros_are_accepted_and_not_printed() {
        assert_eq!(printed("0.50").as_deref(), Some("0.5"));
        assert_eq!(printed(".5").as_deref(), Some("0.5"));
        assert_eq!(printed("090.0").as_deref(), Some("90"));
        assert_eq!(printed("0").as_deref(), Some("0"));
    }

    #[test]
    fn v01_other_spellings_are_refused() {
        for text in [
            "", ".", "5.", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "NaN", "٣",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
            assert_eq!(parse_pixels(text), None, "{text:?}");
        }
    }

    #[test]
    fn v03_more_than_ten_decimals_are_accepted() {
        assert_eq!(
            printed("33.33333333333333").as_deref(),
            Some("33.3333333333")
        );
    }

    #[test]
    fn r13_huge_numbers_do_not_overflow() {
        let huge = "9".repeat(60);
        assert_eq!(parse_pixels(&huge), Some(u32::MAX));
        assert!(Decimal::parse(&huge) > Decimal::parse("1000000"));
    }

    proptest! {
        #[test]
        fn printing_then_parsing_gives_the_same(units in 0..u64::MAX) {
            let decimal = Decimal(units);
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }
    }
}
