//! The tags that are read (TIFF 6.0, appendix A, and its supplements).

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub u16);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Tag {
    pub const NEW_SUBFILE_TYPE: Self = Self(254);
    pub const SUBFILE_TYPE: Self = Self(255);
    pub const IMAGE_WIDTH: Self = Self(256);
    pub const IMAGE_LENGTH: Self = Self(257);
    pub const BITS_PER_SAMPLE: Self = Self(258);
    pub const COMPRESSION: Self = Self(259);
    pub const PHOTOMETRIC: Self = Self(262);
    pub const FILL_ORDER: Self = Self(266);
    pub const STRIP_OFFSETS: Self = Self(273);
    pub const ORIENTATION: Self = Self(274);
    pub const SAMPLES_PER_PIXEL: Self = Self(277);
    pub const ROWS_PER_STRIP: Self = Self(278);
    pub const STRIP_BYTE_COUNTS: Self = Self(279);
    pub const X_RESOLUTION: Self = Self(282);
    pub const Y_RESOLUTION: Self = Self(283);
    pub const PLANAR_CONFIGURATION: Self = Self(284);
    pub const T4_OPTIONS: Self = Self(292);
    pub const RESOLUTION_UNIT: Self = Self(296);
    pub const PREDICTOR: Self = Self(317);
    pub const COLOR_MAP: Self = Self(320);
    pub const TILE_WIDTH: Self = Self(322);
    pub const TILE_LENGTH: Self = Self(323);
    pub const TILE_OFFSETS: Self = Self(324);
    pub const TILE_BYTE_COUNTS: Self = Self(325);
    pub const SUB_IFDS: Self = Self(330);
    pub const INK_SET: Self = Self(332);
    pub const EXTRA_SAMPLES: Self = Self(338);
    pub const SAMPLE_FORMAT: Self = Self(339);
    pub const JPEG_TABLES: Self = Self(347);
    pub const YCBCR_COEFFICIENTS: Self = Self(529);
    pub const YCBCR_SUBSAMPLING: Self = Self(530);
    pub const REFERENCE_BLACK_WHITE: Self = Self(532);
    pub const ICC_PROFILE: Self = Self(34675);
}
