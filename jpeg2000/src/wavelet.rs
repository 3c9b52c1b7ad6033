//! The inverse wavelet transform (ISO/IEC 15444-1, annex F), for windows.

use std::ops::Range;

/// Samples of a window of a sub-band or of a resolution, in the coordinates of that sub-band or resolution (B.5).
#[derive(Clone, Debug, PartialEq)]
pub struct Plane<T> {
    pub x: Range<u32>,
    pub y: Range<u32>,
    /// Row by row.
    pub samples: Vec<T>,
}

/// The four sub-bands that make a resolution.
pub struct Bands<T> {
    pub ll: Plane<T>,
    pub hl: Plane<T>,
    pub lh: Plane<T>,
    pub hh: Plane<T>,
}
