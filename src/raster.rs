//! Decoded pixels in memory.

use crate::geometry::{Dimensions, Rect};

/// What the interleaved channels of a pixel mean.
///
/// Alpha is straight (never premultiplied) and always the last channel. CMYK samples are amounts of ink: zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Cmyk,
}

impl Layout {
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

/// Interleaved samples, row by row from the top, without padding.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Samples {
    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A rectangle of pixels: `height * width * channels` samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    dimensions: Dimensions,
    layout: Layout,
    samples: Samples,
}

impl Raster {
    /// # Panics
    /// If the number of samples is not `width * height * channels`: a defect of the caller, never of a file.
    pub fn new(dimensions: Dimensions, layout: Layout, samples: Samples) -> Self {
        assert_eq!(
            samples.len() as u64,
            dimensions.area() * layout.channels() as u64,
            "samples do not fill a {dimensions} {layout:?} raster"
        );
        Self {
            dimensions,
            layout,
            samples,
        }
    }

    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// Bytes of all samples.
    pub fn bytes(&self) -> u64 {
        let sample = match &self.samples {
            Samples::U8(_) => 1,
            Samples::U16(_) => 2,
        };
        self.samples.len() as u64 * sample
    }

    /// The samples of an 8-bit raster.
    pub fn as_u8(&self) -> Option<&[u8]> {
        match &self.samples {
            Samples::U8(samples) => Some(samples),
            Samples::U16(_) => None,
        }
    }

    /// A copy of one rectangle.
    ///
    /// # Panics
    /// If the rectangle is not within the raster.
    pub fn crop(&self, rect: Rect) -> Self {
        assert!(rect.is_within(self.dimensions), "crop outside the raster");
        let samples = match &self.samples {
            Samples::U8(samples) => Samples::U8(self.crop_samples(samples, rect)),
            Samples::U16(samples) => Samples::U16(self.crop_samples(samples, rect)),
        };
        Self::new(rect.dimensions(), self.layout, samples)
    }

    fn crop_samples<T: Copy>(&self, samples: &[T], rect: Rect) -> Vec<T> {
        let channels = self.layout.channels();
        let stride = self.dimensions.width() as usize * channels;
        let row = rect.x() as usize * channels..rect.right() as usize * channels;
        let lines = samples.chunks_exact(stride).skip(rect.y() as usize);
        let mut cropped = Vec::with_capacity(rect.height() as usize * row.len());
        for line in lines.take(rect.height() as usize) {
            cropped.extend_from_slice(&line[row.clone()]);
        }
        cropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_copies_the_rectangle() {
        let dimensions = Dimensions::new(3, 2).unwrap();
        let raster = Raster::new(
            dimensions,
            Layout::Gray,
            Samples::U8(vec![1, 2, 3, 4, 5, 6]),
        );
        let cropped = raster.crop(Rect::new(1, 1, 2, 1).unwrap());
        assert_eq!(cropped.as_u8(), Some(&[5, 6][..]));
    }
}
