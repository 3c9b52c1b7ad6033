//! An image request: the identifier and the five parameters (Image API 3.0, section 4).

use percent_encoding::percent_decode_str;

use super::compatibility::CompatibilityConfig;
use super::format::Format;
use super::identifier::{Identifier, IdentifierError};
use super::quality::{Quality, QualityError};
use super::region::{Region, RegionError};
use super::rotation::{Rotation, RotationError};
use super::size::{Size, SizeError};
use super::version::Version;

/// What a client asks for, in the order in which it is applied (O01).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRequest {
    pub version: Version,
    pub identifier: Identifier,
    pub region: Region,
    pub size: Size,
    pub rotation: Rotation,
    pub quality: Quality,
    pub format: Format,
}

/// Why a request cannot be answered, whatever the server does; the text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    #[error(transparent)]
    Region(#[from] RegionError),
    #[error(transparent)]
    Size(#[from] SizeError),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error(transparent)]
    Quality(#[from] QualityError),
    #[error("\"{0}\" has no format: write quality.format, as in default.jpg")]
    NoFormat(String),
    #[error("format \"{0}\" is none of: jpg, png, webp, tif, gif, jp2, pdf")]
    Format(String),
    #[error("format \"{format}\" has no image with a side of more than {longest} pixels")]
    TooLongForFormat { format: &'static str, longest: u32 },
    #[error("a parameter is not valid UTF-8 when percent-decoded")]
    NotUtf8,
}

impl ImageRequest {
    /// Reads the four last path segments, still percent-encoded: region, size, rotation, quality.format.
    ///
    /// # Errors
    /// If one of them is not as the specification says (ER01).
    pub fn parse(
        version: Version,
        identifier: Identifier,
        segments: [&str; 4],
    ) -> Result<Self, RequestError> {
        Self::parse_with(
            &CompatibilityConfig::default(),
            version,
            identifier,
            segments,
        )
    }

    /// The same with the spellings of other servers that are accepted, too. They leave no trace in what is returned.
    ///
    /// # Errors
    /// If one of the segments is neither.
    pub fn parse_with(
        accepted: &CompatibilityConfig,
        version: Version,
        identifier: Identifier,
        segments: [&str; 4],
    ) -> Result<Self, RequestError> {
        let [region, size, rotation, last] = segments;
        let last = decode(last)?;
        // U08: the last dot separates; a quality never contains one, but a future format might be refused by name.
        let (quality, format) = last
            .rsplit_once('.')
            .ok_or_else(|| RequestError::NoFormat(last.clone()))?;
        Ok(Self {
            version,
            identifier,
            region: Region::parse(&decode(region)?)?,
            size: accepted.size(&decode(size)?, version)?,
            rotation: Rotation::parse(&decode(rotation)?)?,
            quality: accepted.quality(quality, version)?,
            format: Format::from_name(format)
                .ok_or_else(|| RequestError::Format(format.to_owned()))?,
        })
    }
}

/// E04: needless encoding is harmless in every parameter.
fn decode(segment: &str) -> Result<String, RequestError> {
    percent_decode_str(segment)
        .decode_utf8()
        .map(String::from)
        .map_err(|_| RequestError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(segments: [&str; 4]) -> Result<ImageRequest, RequestError> {
        let identifier = Identifier::new("x".to_owned()).unwrap();
        ImageRequest::parse(Version::V3, identifier, segments)
    }

    #[test]
    fn e04_needless_encoding_is_harmless() {
        let plain = parse(["pct:0,0,50,50", "^10,", "!0", "default.jpg"]).unwrap();
        let encoded =
            parse(["pct%3A0%2C0%2C50%2C50", "%5E10,", "%210", "%64efault%2Ejpg"]).unwrap();
        assert_eq!(plain, encoded);
    }

    #[test]
    fn u08_f04_the_last_segment_needs_a_known_format() {
        let last = |text: &str| parse(["full", "max", "0", text]);
        assert_eq!(
            last("default"),
            Err(RequestError::NoFormat("default".into()))
        );
        for format in ["JPG", "jpeg", "", "avif"] {
            assert_eq!(
                last(&format!("default.{format}")),
                Err(RequestError::Format(format.into()))
            );
        }
        assert!(matches!(
            last("default.x.jpg"),
            Err(RequestError::Quality(_))
        ));
    }
}
