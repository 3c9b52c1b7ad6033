//! Y'CbCr that is stored as such, with or without sub-sampled chroma (TIFF 6.0, section 21).

use super::ifd::{Directory, File};
use super::malformed;
use super::tags::Tag;
use crate::decode::DecodeError;
use crate::geometry::{Dimensions, Rect};

/// How the three values become red, green and blue.
#[derive(Clone, Debug, PartialEq)]
pub struct Equations {
    /// What red, green and blue contribute to luma.
    luma: [f64; 3],
    /// Codes of no and of full intensity, per component.
    range: [(f64, f64); 3],
}

impl Equations {
    /// ITU-R BT.601 with the full range, as JPEG has it.
    pub fn standard() -> Self {
        Self {
            luma: [0.299, 0.587, 0.114],
            range: [(0.0, 255.0), (128.0, 255.0), (128.0, 255.0)],
        }
    }

    pub fn read(file: &File, directory: &Directory) -> Result<Self, DecodeError> {
        let mut equations = Self::standard();
        let luma = file.rationals(directory, Tag::YCBCR_COEFFICIENTS, 3)?;
        if let [red, green, blue, ..] = luma[..] {
            if !(green.is_finite() && green != 0.0 && red.is_finite() && blue.is_finite()) {
                return Err(malformed("YCbCrCoefficients without green"));
            }
            equations.luma = [red, green, blue];
        }
        let range = file.rationals(directory, Tag::REFERENCE_BLACK_WHITE, 6)?;
        if let [y0, y1, cb0, cb1, cr0, cr1, ..] = range[..] {
            equations.range = [(y0, y1), (cb0, cb1), (cr0, cr1)];
            let is_range = |(low, high): &(f64, f64)| (high - low).is_normal();
            if !equations.range.iter().all(is_range) {
                return Err(malformed("an empty range in ReferenceBlackWhite"));
            }
        }
        Ok(equations)
    }

    pub fn to_rgb(&self, ycbcr: [u8; 3]) -> [u8; 3] {
        let value = |component: usize, full: f64| {
            let (low, high) = self.range[component];
            (f64::from(ycbcr[component]) - low) * full / (high - low)
        };
        let (y, cb, cr) = (value(0, 255.0), value(1, 127.0), value(2, 127.0));
        let [luma_red, luma_green, luma_blue] = self.luma;
        let red = cr * (2.0 - 2.0 * luma_red) + y;
        let blue = cb * (2.0 - 2.0 * luma_blue) + y;
        let green = (y - luma_blue * blue - luma_red * red) / luma_green;
        [red, green, blue].map(|value| value.round() as u8)
    }
}

/// Luma samples for one pair of chroma samples: across and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subsampling {
    pub across: u32,
    pub down: u32,
}

impl Subsampling {
    pub const NONE: Self = Self { across: 1, down: 1 };

    pub fn read(file: &File, directory: &Directory) -> Result<Self, DecodeError> {
        match file.integers(directory, Tag::YCBCR_SUBSAMPLING, 2)?[..] {
            // The default of the specification.
            [] => Ok(Self { across: 2, down: 2 }),
            [across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => Ok(Self {
                across: across as u32,
                down: down as u32,
            }),
            ref other => Err(malformed(format!("YCbCrSubSampling {other:?}"))),
        }
    }

    /// Bytes of a row of units; a unit is `across * down` luma samples, a Cb and a Cr.
    pub fn stride(self, width: u32) -> usize {
        width.div_ceil(self.across) as usize * self.unit()
    }

    fn unit(self) -> usize {
        (self.across * self.down) as usize + 2
    }

    /// The interleaved samples of a rectangle; `units` are the rows of units from the top of a chunk of these
    /// dimensions to at least the bottom of the rectangle.
    pub fn unpack(self, units: &[u8], chunk: Dimensions, rect: Rect) -> Vec<u8> {
        let stride = self.stride(chunk.width());
        let pixels =
            (rect.y()..rect.bottom()).flat_map(|y| (rect.x()..rect.right()).map(move |x| (x, y)));
        pixels
            .flat_map(|(x, y)| {
                let unit =
                    (y / self.down) as usize * stride + (x / self.across) as usize * self.unit();
                let luma = (y % self.down * self.across + x % self.across) as usize;
                let chroma = unit + self.unit() - 2;
                [units[unit + luma], units[chroma], units[chroma + 1]]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroma_belongs_to_the_pixels_of_its_unit() {
        let subsampling = Subsampling { across: 2, down: 2 };
        // 3x2 pixels: two units, the second half empty.
        let units = [1, 2, 4, 5, 100, 200, 3, 0, 6, 0, 101, 201];
        let rect = Rect::new(1, 1, 2, 1).unwrap();
        let pixels = subsampling.unpack(&units, Dimensions::new(3, 2).unwrap(), rect);
        assert_eq!(pixels, [5, 100, 200, 6, 101, 201]);
    }

    /// The primaries of BT.601 in the full range.
    #[test]
    fn colours_come_back() {
        let equations = Equations::standard();
        assert_eq!(equations.to_rgb([128, 128, 128]), [128, 128, 128]);
        assert_eq!(equations.to_rgb([76, 85, 255]), [254, 0, 0]);
        assert_eq!(equations.to_rgb([255, 128, 128]), [255, 255, 255]);
    }

    #[test]
    fn video_range_is_stretched() {
        let equations = Equations {
            range: [(16.0, 235.0), (128.0, 240.0), (128.0, 240.0)],
            ..Equations::standard()
        };
        assert_eq!(equations.to_rgb([16, 128, 128]), [0, 0, 0]);
        assert_eq!(equations.to_rgb([235, 128, 128]), [255, 255, 255]);
    }
}
