//! The `{quality}` parameter (Image API 3.0, section 4.4).

use std::fmt;

/// How colours are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    Default,
    Color,
    Gray,
    Bitonal,
}

/// Why there is no such quality.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quality \"{0}\" is none of: default, color, gray, bitonal")]
pub struct QualityError(String);

impl Quality {
    /// # Errors
    /// If the text is no quality; also for the `native` and `grey` of version 1 (Q05).
    pub fn parse(text: &str) -> Result<Self, QualityError> {
        match text {
            "default" => Ok(Self::Default),
            "color" => Ok(Self::Color),
            "gray" => Ok(Self::Gray),
            "bitonal" => Ok(Self::Bitonal),
            _ => Err(QualityError(text.to_owned())),
        }
    }

    /// The quality with the one that images of this kind have by nature written as `default` (C07). A gray image
    /// asked for colour stays gray (Q02); bitonal is always a step of its own.
    pub fn canonical(self, image_is_gray: bool) -> Self {
        match self {
            Self::Color => Self::Default,
            Self::Gray if image_is_gray => Self::Default,
            other => other,
        }
    }

    /// The qualities beyond `default` that are offered (Q06).
    pub const fn extra(image_is_gray: bool) -> &'static [&'static str] {
        if image_is_gray {
            &["gray", "bitonal"]
        } else {
            &["color", "gray", "bitonal"]
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Color => "color",
            Self::Gray => "gray",
            Self::Bitonal => "bitonal",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q05_other_names_are_refused() {
        for text in ["", "Default", "grey", "native", "colour"] {
            assert!(Quality::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn c07_the_natural_quality_is_default() {
        assert_eq!(Quality::Color.canonical(false), Quality::Default);
        assert_eq!(Quality::Gray.canonical(false), Quality::Gray);
        assert_eq!(Quality::Gray.canonical(true), Quality::Default);
        assert_eq!(Quality::Bitonal.canonical(true), Quality::Bitonal);
    }
}
