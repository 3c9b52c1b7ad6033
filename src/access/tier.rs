//! Smaller versions of images, which have identifiers of their own: `IDENTIFIER;max400` is `IDENTIFIER` with at most 400 pixels on its
//! longer side.

use std::num::NonZeroU32;

const MARK: &str = ";max";

/// An identifier without the mark of a smaller version at its end, and the pixels that the mark allows.
///
/// Numbers are written in one way, so that one version has one name.
pub fn split(identifier: &str) -> Option<(&str, NonZeroU32)> {
    let (whole, digits) = identifier.rsplit_once(MARK)?;
    let largest: NonZeroU32 = digits.parse().ok()?;
    (!whole.is_empty() && largest.to_string() == digits).then_some((whole, largest))
}

/// What follows the identifier of an image in that of a smaller version.
pub fn mark(largest: NonZeroU32) -> String {
    format!("{MARK}{largest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a24_a_smaller_version_has_one_name() {
        let of = |text| split(text).map(|(whole, largest)| (whole, largest.get()));
        assert_eq!(of("a/b.tif;max400"), Some(("a/b.tif", 400)));
        assert_eq!(of("doc.pdf;3;max400"), Some(("doc.pdf;3", 400)));
        for none in [
            "a",
            ";max4",
            "a;max",
            "a;max0",
            "a;max+4",
            "a;max04",
            "a;MAX4",
            "a;max4;3",
            "a;max4294967296",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        let largest = NonZeroU32::new(400).unwrap();
        assert_eq!(split(&format!("x{}", mark(largest))), Some(("x", largest)));
    }
}
