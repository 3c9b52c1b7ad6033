//! IIIF Presentation 2 and 3: which images manifests and collections name, and manifests that are written ([`Manifest`]).
//! Pure, without I/O.
//!
//! The documents found in the wild follow neither version to the letter. So nothing is validated: what is looked for is
//! found wherever it stands.

mod document;
mod json;
mod label;
mod manifest;
mod service;

pub use document::{Document, Kind};
pub use label::Label;
pub use manifest::{Canvas, Manifest, Rendering};
pub use service::{Service, base_uri};
