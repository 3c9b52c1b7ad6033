//! The IIIF Image API as types: pure, without I/O and without HTTP.
//!
//! What was asked ([`Region`], [`Size`], …: parsed, comparable, printable) and what it means for one image
//! ([`Rect`](crate::geometry::Rect), [`Dimensions`](crate::geometry::Dimensions)) are two types with one fallible step
//! between them, named `resolve`.

pub mod canonical;
pub mod compatibility;
pub mod config;
pub mod decimal;
pub mod format;
pub mod identifier;
pub mod information;
pub mod limits;
pub mod quality;
pub mod region;
pub mod request;
pub mod rotation;
pub mod scale;
pub mod size;
pub mod tiling;
mod v2;
mod v3;
pub mod version;

pub use canonical::CanonicalRequest;
pub use format::Format;
pub use identifier::Identifier;
pub use information::{Information, add_services};
pub use limits::SizeLimits;
pub use quality::Quality;
pub use region::Region;
pub use request::{ImageRequest, RequestError};
pub use rotation::Rotation;
pub use scale::Scale;
pub use size::Size;
pub use version::Version;
