//! Which image, or which smaller version of it, a path names.

use std::num::NonZeroU32;

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
}

impl Asked {
    /// From a path segment, as it was written.
    pub fn parse(app: &App, segment: &str) -> Result<Self, IdentifierError> {
        let written = with_slashes(app, Identifier::decode(segment)?)?;
        let tier = app.gate().and_then(|_| tier::split(written.as_str()));
        let (identifier, largest) = match tier {
            Some((whole, largest)) => (Identifier::new(whole.to_owned())?, Some(largest)),
            None => (written, None),
        };
        Ok(Self {
            identifier: app.compatibility().identifier(identifier)?,
            largest,
        })
    }

    /// What follows the identifier in the name of the version.
    pub fn mark(&self) -> String {
        self.largest.map(tier::mark).unwrap_or_default()
    }
}
