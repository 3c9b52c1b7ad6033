//! The `{format}` parameter (Image API 3.0, section 4.5) and what each format can carry.

/// A format that derivatives are encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Jpg,
    Png,
    Webp,
    Tif,
    Gif,
    Jp2,
    Pdf,
}

/// What a format can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// As in the request and in `info.json`.
    pub name: &'static str,
    pub media_type: &'static str,
    /// Whether transparent pixels survive; otherwise they are flattened on the background colour (F06).
    pub alpha: bool,
    /// The longest side that the format can express.
    pub longest_side: u32,
}

impl Format {
    /// In the order in which `info.json` lists them.
    pub const ALL: [Self; 7] = [
        Self::Jpg,
        Self::Png,
        Self::Webp,
        Self::Tif,
        Self::Gif,
        Self::Jp2,
        Self::Pdf,
    ];

    /// The row of the capability table.
    pub const fn capabilities(self) -> Capabilities {
        let (name, media_type, alpha, longest_side) = match self {
            Self::Jpg => ("jpg", "image/jpeg", false, 65_500),
            Self::Png => ("png", "image/png", true, i32::MAX as u32),
            Self::Webp => ("webp", "image/webp", true, 16_383),
            Self::Tif => ("tif", "image/tiff", true, u32::MAX),
            Self::Gif => ("gif", "image/gif", true, 65_535),
            Self::Jp2 => ("jp2", "image/jp2", true, i32::MAX as u32),
            // 14,400 points at 72 pixels per inch; larger images get a denser page, JPEG data set the bound.
            Self::Pdf => ("pdf", "application/pdf", false, 65_500),
        };
        Capabilities {
            name,
            media_type,
            alpha,
            longest_side,
        }
    }

    /// Exactly the name in lower case: `JPG` and `jpeg` are unknown (F04).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    pub const fn name(self) -> &'static str {
        self.capabilities().name
    }

    pub const fn media_type(self) -> &'static str {
        self.capabilities().media_type
    }
}
