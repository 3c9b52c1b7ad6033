//! Which image, or which smaller version of it, a path names.

use std::num::NonZeroU32;

use percent_encoding::percent_decode_str;

use crate::access::signed::SignedRequest;
use crate::access::tier;
use crate::http::app::App;
use crate::http::image::with_slashes;
use crate::iiif::Identifier;
use crate::iiif::identifier::IdentifierError;

#[derive(Clone, Debug)]
pub struct Asked {
    pub identifier: Identifier,
    /// Pixels of the longer side of a smaller version. Only where somebody decides who sees what.
    pub largest: Option<NonZeroU32>,
    /// All of the identifier as it was written, decoded.
    name: String,
    /// The rest of the path, decoded: `iiif/3/full/max/0/default.jpg`.
    rest: String,
    /// Where in it that begins which is asked of the image.
    matter: usize,
}

impl Asked {
    /// From a path, what stands before the identifier in it, and the identifier, as they were written.
    pub fn parse(
        app: &App,
        path: &str,
        prefix: &str,
        segment: &str,
    ) -> Result<Self, IdentifierError> {
        let written = with_slashes(app.server(), Identifier::decode(segment)?)?;
        let tier = app.gate().and_then(|_| tier::split(written.as_str()));
        let (identifier, largest) = match tier {
            Some((whole, largest)) => (Identifier::new(whole.to_owned())?, Some(largest)),
            None => (written.clone(), None),
        };
        Ok(Self {
            identifier: app.compatibility().identifier(identifier)?,
            largest,
            name: written.as_str().to_owned(),
            rest: rest(path, prefix, segment),
            matter: prefix.trim_start_matches('/').len(),
        })
    }

    /// What follows the identifier in the name of the version.
    pub fn mark(&self) -> String {
        self.largest.map(tier::mark).unwrap_or_default()
    }

    /// What a signature is for.
    pub fn signed(&self) -> SignedRequest<'_> {
        SignedRequest {
            identifier: &self.name,
            asked: &self.rest,
        }
    }

    /// What is asked of the image: `full/max/0/default.jpg`, `info.json`, `manifest`.
    pub fn matter(&self) -> &str {
        &self.rest[self.matter..]
    }
}

/// The identifier stands behind the prefix.
pub(super) fn rest(path: &str, prefix: &str, segment: &str) -> String {
    let below = path.strip_prefix(prefix).unwrap_or(path);
    let after = below.strip_prefix(segment).unwrap_or(below);
    let rest = format!(
        "{}{}",
        prefix.trim_start_matches('/'),
        after.trim_start_matches('/')
    );
    percent_decode_str(&rest).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_the_path_without_the_identifier() {
        for (path, prefix, segment, expected) in [
            (
                "/iiif/3/a%2Fb/full/max/0/default.jpg",
                "/iiif/3/",
                "a%2Fb",
                "iiif/3/full/max/0/default.jpg",
            ),
            ("/iiif/3/3/info.json", "/iiif/3/", "3", "iiif/3/info.json"),
            (
                "/iiif/3/max/full/max/0/default.jpg",
                "/iiif/3/",
                "max",
                "iiif/3/full/max/0/default.jpg",
            ),
            (
                "/iiif/3/x/pct%3A0,0,9,9/max/0/default.jpg",
                "/iiif/3/",
                "x",
                "iiif/3/pct:0,0,9,9/max/0/default.jpg",
            ),
            (
                "/presentation/2/x/manifest",
                "/presentation/2/",
                "x",
                "presentation/2/manifest",
            ),
        ] {
            assert_eq!(rest(path, prefix, segment), expected, "{path}");
        }
    }
}
