//! Where the parts of a window are put together.

use super::malformed;
use crate::decode::DecodeError;
use crate::geometry::{Dimensions, Rect};
use crate::raster::Samples;

/// Samples of zero for so many pixels.
pub fn zeros(dimensions: Dimensions, channels: usize, is_deep: bool) -> Samples {
    let length = dimensions.area() as usize * channels;
    if is_deep {
        Samples::U16(vec![0; length])
    } else {
        Samples::U8(vec![0; length])
    }
}

/// The samples of a rectangle of an image, to be filled.
pub struct Canvas<'a> {
    rect: Rect,
    channels: usize,
    rows: Rows<'a>,
}

enum Rows<'a> {
    U8(&'a mut [u8]),
    U16(&'a mut [u16]),
}

impl<'a> Rows<'a> {
    fn split_at(self, middle: usize) -> (Self, Self) {
        match self {
            Self::U8(samples) => {
                let (above, below) = samples.split_at_mut(middle);
                (Self::U8(above), Self::U8(below))
            }
            Self::U16(samples) => {
                let (above, below) = samples.split_at_mut(middle);
                (Self::U16(above), Self::U16(below))
            }
        }
    }
}

impl<'a> Canvas<'a> {
    /// As many samples as the rectangle has, of so many channels.
    pub fn new(rect: Rect, channels: usize, samples: &'a mut Samples) -> Self {
        let rows = match samples {
            Samples::U8(samples) => Rows::U8(samples),
            Samples::U16(samples) => Rows::U16(samples),
        };
        Self {
            rect,
            channels,
            rows,
        }
    }

    pub fn rect(&self) -> Rect {
        self.rect
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// From above to below, cut at each multiple of so many rows of the image.
    pub fn bands(self, rows: u32) -> Vec<Self> {
        let mut bands = Vec::new();
        let mut rest = self;
        loop {
            let top = rest.rect.y();
            let below = (top - top % rows).saturating_add(rows);
            match rest.split_at(below) {
                (band, Some(below)) => {
                    bands.push(band);
                    rest = below;
                }
                (band, None) => {
                    bands.push(band);
                    return bands;
                }
            }
        }
    }

    /// What is above a row of the image, and what is below, if there is something.
    fn split_at(self, y: u32) -> (Self, Option<Self>) {
        let (x, top, width) = (self.rect.x(), self.rect.y(), self.rect.width());
        let height = |from: u32, to: u32| Rect::new(x, from, width, to.checked_sub(from)?);
        let (Some(above), Some(below)) = (height(top, y), height(y, self.rect.bottom())) else {
            return (self, None);
        };
        let middle = (y - top) as usize * self.stride();
        let channels = self.channels;
        let (first, second) = self.rows.split_at(middle);
        let part = |rect, rows| Self {
            rect,
            channels,
            rows,
        };
        (part(above, first), Some(part(below, second)))
    }

    pub fn place(&mut self, part: Rect, pixels: &Samples) {
        self.copy_from(part, pixels, 0, part.width() as usize * self.channels);
    }

    /// What lies within the canvas of the pixels of a rectangle of the image.
    pub fn take(&mut self, pixels: &Samples, rect: Rect) {
        let Some(part) = rect.intersection(self.rect) else {
            return;
        };
        let stride = rect.width() as usize * self.channels;
        let left = (part.x() - rect.x()) as usize * self.channels;
        let start = (part.y() - rect.y()) as usize * stride + left;
        self.copy_from(part, pixels, start, stride);
    }

    /// A part, whose first row begins with sample `start` of the pixels; the next are `from_stride` samples further each.
    fn copy_from(&mut self, part: Rect, pixels: &Samples, start: usize, from_stride: usize) {
        let (at, stride) = (self.start(part), self.stride());
        let length = part.width() as usize * self.channels;
        match (&mut self.rows, pixels) {
            (Rows::U8(to), Samples::U8(from)) => {
                let from = (&from[start..], from_stride);
                copy_rows((&mut to[at..], stride), from, length)
            }
            (Rows::U16(to), Samples::U16(from)) => {
                let from = (&from[start..], from_stride);
                copy_rows((&mut to[at..], stride), from, length)
            }
            _ => unreachable!("the depth of the image is that of its parts"),
        }
    }

    /// Of 8 bits: rows of which one begins every `stride` samples.
    pub fn copy(&mut self, part: Rect, from: &[u8], from_stride: usize) -> Result<(), DecodeError> {
        let length = part.width() as usize * self.channels;
        copy_rows(self.onto(part)?, (from, from_stride), length);
        Ok(())
    }

    /// The 8-bit samples from the corner of a part on, and how far a row is from the next.
    pub fn onto(&mut self, part: Rect) -> Result<(&mut [u8], usize), DecodeError> {
        let (start, stride) = (self.start(part), self.stride());
        match &mut self.rows {
            Rows::U8(samples) => Ok((&mut samples[start..], stride)),
            Rows::U16(_) => Err(malformed("samples of 16 bits that should have 8")),
        }
    }

    fn stride(&self) -> usize {
        self.rect.width() as usize * self.channels
    }

    fn start(&self, part: Rect) -> usize {
        let row = (part.y() - self.rect.y()) as usize;
        row * self.stride() + (part.x() - self.rect.x()) as usize * self.channels
    }
}

/// The first `length` samples of each row, from one to the other; a row begins every so many.
fn copy_rows<T: Copy>(to: (&mut [T], usize), from: (&[T], usize), length: usize) {
    for (to, from) in to.0.chunks_mut(to.1).zip(from.0.chunks(from.1)) {
        to[..length].copy_from_slice(&from[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_end_where_strips_do() {
        let rect = Rect::new(3, 100, 10, 150).unwrap();
        let mut samples = zeros(rect.dimensions(), 3, false);
        let bands = Canvas::new(rect, 3, &mut samples).bands(64);
        let found: Vec<_> = bands
            .iter()
            .map(|band| (band.rect.y(), band.rect.bottom()))
            .collect();
        assert_eq!(found, [(100, 128), (128, 192), (192, 250)]);
    }
}
