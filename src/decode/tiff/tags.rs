//! The tags that are read (TIFF 6.0, appendix A, and its supplements).

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub u16);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        impl Tag {
            $(pub const $name: Self = Self($number);)*

            /// Whether it is one of those that are read.
            pub fn is_read(self) -> bool {
                [$(Self::$name),*].contains(&self)
            }
        }
    };
}

tags! {
    NEW_SUBFILE_TYPE = 254,
    SUBFILE_TYPE = 255,
    IMAGE_WIDTH = 256,
    IMAGE_LENGTH = 257,
    BITS_PER_SAMPLE = 258,
    COMPRESSION = 259,
    PHOTOMETRIC = 262,
    FILL_ORDER = 266,
    STRIP_OFFSETS = 273,
    ORIENTATION = 274,
    SAMPLES_PER_PIXEL = 277,
    ROWS_PER_STRIP = 278,
    STRIP_BYTE_COUNTS = 279,
    X_RESOLUTION = 282,
    Y_RESOLUTION = 283,
    PLANAR_CONFIGURATION = 284,
    T4_OPTIONS = 292,
    RESOLUTION_UNIT = 296,
    PREDICTOR = 317,
    COLOR_MAP = 320,
    TILE_WIDTH = 322,
    TILE_LENGTH = 323,
    TILE_OFFSETS = 324,
    TILE_BYTE_COUNTS = 325,
    SUB_IFDS = 330,
    INK_SET = 332,
    EXTRA_SAMPLES = 338,
    SAMPLE_FORMAT = 339,
    JPEG_TABLES = 347,
    YCBCR_COEFFICIENTS = 529,
    YCBCR_SUBSAMPLING = 530,
    REFERENCE_BLACK_WHITE = 532,
    ICC_PROFILE = 34675,
}
