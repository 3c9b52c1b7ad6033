//! Scaling of RGB images of 8 bits by a separable filter.
//!
//! Each row of the result is filtered down the columns of the source first and then along itself, a few rows at a time, so that
//! what lies between the two passes stays in the processor's nearest memory. Sums have 14 bits behind the point; the weights of
//! a pixel add up to exactly one, and samples are rounded after each pass.
#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
mod weights;

pub use weights::Filter;
#[cfg(target_arch = "x86_64")]
use weights::Weights;

/// Samples of 8 bits, three to a pixel, row after row without gaps.
#[derive(Clone, Copy)]
pub struct Rgb<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Rgb<'a> {
    /// `None` if there are not three samples for each pixel, or no pixels.
    pub fn new(samples: &'a [u8], width: usize, height: usize) -> Option<Self> {
        let length = width.checked_mul(height)?.checked_mul(3)?;
        (length > 0 && length == samples.len()).then_some(Self {
            samples,
            width,
            height,
        })
    }

    fn row(&self, y: usize) -> &'a [u8] {
        &self.samples[y * self.width * 3..][..self.width * 3]
    }
}

/// A stretch of columns or of rows, in pixels; it may begin and end within one.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub start: f64,
    pub length: f64,
}

impl Stretch {
    fn is_within(self, extent: usize) -> bool {
        self.start >= 0.0 && self.length > 0.0 && self.start + self.length <= extent as f64
    }

    /// Whether more than sixteen pixels become one.
    fn is_coarse(self, to: usize) -> bool {
        self.length > 16.0 * to as f64
    }
}

/// Brings these columns and rows of an image to `width` × `height` pixels.
///
/// `None` if they are not within the image, if nothing is wanted, and where others can do it as well: if there are fewer than
/// eleven columns, if more than sixteen become one, for which weights of 14 bits are coarse, or if the processor has no AVX2.
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
pub fn resample(
    image: Rgb<'_>,
    columns: Stretch,
    rows: Stretch,
    (width, height): (usize, usize),
    filter: Filter,
) -> Option<Vec<u8>> {
    let is_inside = columns.is_within(image.width) && rows.is_within(image.height);
    if !is_inside || columns.is_coarse(width) || rows.is_coarse(height) {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        let across = Weights::new(filter, image.width, columns, width);
        let down = Weights::new(filter, image.height, rows, height);
        let has_room = across.touched(image.width).len() * 3 >= avx2::FEWEST_SAMPLES;
        // SAFETY: the processor has AVX2.
        #[allow(unsafe_code)]
        return has_room.then(|| unsafe { avx2::resample(image, &across, &down) });
    }
    None
}
