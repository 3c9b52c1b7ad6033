//! The versions of the Image API that are spoken.

/// A major version of the Image API: 2 means 2.1.1, 3 means 3.0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    V2,
    V3,
}

impl Version {
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// The number in the path prefix.
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The JSON-LD context of `info.json`.
    pub const fn context(self) -> &'static str {
        match self {
            Self::V2 => "http://iiif.io/api/image/2/context.json",
            Self::V3 => "http://iiif.io/api/image/3/context.json",
        }
    }

    /// The document of the compliance level that is met: level 2.
    pub const fn profile(self) -> &'static str {
        match self {
            Self::V2 => "http://iiif.io/api/image/2/level2.json",
            Self::V3 => "http://iiif.io/api/image/3/level2.json",
        }
    }
}
