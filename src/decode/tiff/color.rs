//! From stored channels to the channels of a raster: palette, inversion, alpha, Y'CbCr, L*a*b*.

use super::lab;
use super::samples::{Format, Scale};
use super::ycbcr::Equations;
use crate::decode::ColorModel;
use crate::raster::{Layout, Samples};

/// What the stored channels mean (PhotometricInterpretation).
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    Gray {
        white_is_zero: bool,
    },
    Rgb,
    /// A colour for every index.
    Palette(Vec<[u8; 3]>),
    Cmyk,
    YCbCr(Equations),
    Lab(lab::Encoding),
}

impl Model {
    /// Stored channels without the extra ones.
    pub fn channels(&self) -> usize {
        match self {
            Self::Gray { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr(_) | Self::Lab(_) => 3,
            Self::Cmyk => 4,
        }
    }
}

/// The extra channel that is alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alpha {
    /// Among the stored channels.
    pub channel: usize,
    /// "Associated": the colours are multiplied by it.
    pub premultiplied: bool,
}

/// What makes pixels of stored channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Color {
    pub model: Model,
    pub alpha: Option<Alpha>,
}

impl Color {
    pub fn layout(&self) -> Layout {
        match (&self.model, self.alpha) {
            (Model::Gray { .. }, None) => Layout::Gray,
            (Model::Gray { .. }, Some(_)) => Layout::GrayAlpha,
            (Model::Cmyk, _) => Layout::Cmyk,
            (_, None) => Layout::Rgb,
            (_, Some(_)) => Layout::Rgba,
        }
    }

    /// Whether the samples that come out have 16 bits.
    pub fn is_deep(&self, format: Format) -> bool {
        format.is_deep() && !matches!(self.model, Model::Palette(_) | Model::Lab(_))
    }

    /// How the model is called to people.
    pub fn name(&self, format: Format) -> ColorModel {
        match self.model {
            Model::Gray { .. } if format.bits == 1 => ColorModel::Bilevel,
            Model::Gray { .. } => ColorModel::Gray,
            Model::Rgb => ColorModel::Rgb,
            Model::Palette(_) => ColorModel::Palette,
            Model::Cmyk => ColorModel::Cmyk,
            Model::YCbCr(_) => ColorModel::YCbCr,
            Model::Lab(_) => ColorModel::Lab,
        }
    }

    pub fn scale(&self) -> Scale {
        match self.model {
            Model::Palette(_) | Model::Lab(_) => Scale::Keep,
            _ => Scale::Full,
        }
    }

    /// The stored channels that are looked at: the colours, then alpha.
    pub fn needed(&self) -> Vec<usize> {
        let alpha = self.alpha.map(|alpha| alpha.channel);
        (0..self.model.channels()).chain(alpha).collect()
    }

    /// Whether [`convert`](Self::convert) changes nothing.
    pub fn is_stored(&self) -> bool {
        let is_premultiplied = self.alpha.is_some_and(|alpha| alpha.premultiplied);
        let is_inverted = matches!(
            self.model,
            Model::Gray {
                white_is_zero: true
            }
        );
        let is_plain = matches!(self.model, Model::Gray { .. } | Model::Rgb | Model::Cmyk);
        is_plain && !is_inverted && !is_premultiplied
    }

    /// Pixels of the needed channels to pixels of the layout.
    pub fn convert(&self, mut stored: Samples) -> Samples {
        let channels = self.needed().len();
        if self.alpha.is_some_and(|alpha| alpha.premultiplied) {
            match &mut stored {
                Samples::U8(samples) => unpremultiply(samples, channels),
                Samples::U16(samples) => unpremultiply(samples, channels),
            }
        }
        match &self.model {
            Model::Gray {
                white_is_zero: true,
            } => invert(stored, channels),
            Model::Gray { .. } | Model::Rgb | Model::Cmyk => stored,
            Model::Palette(colors) => Samples::U8(look_up(colors, &stored, channels)),
            Model::YCbCr(equations) => to_rgb(equations, stored, channels),
            Model::Lab(encoding) => Samples::U8(encoding.to_srgb(&stored, channels)),
        }
    }
}

/// A sample of 8 or 16 bits.
trait Sample: Copy + Into<u32> + TryFrom<u32> {
    const MAX: Self;
}

impl Sample for u8 {
    const MAX: Self = Self::MAX;
}

impl Sample for u16 {
    const MAX: Self = Self::MAX;
}

/// Divides the colours by alpha, the last channel; where that is zero there is no colour.
fn unpremultiply<T: Sample>(samples: &mut [T], channels: usize) {
    let max: u32 = T::MAX.into();
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colors)) = pixel.split_last_mut() else {
            return;
        };
        let alpha: u32 = (*alpha).into();
        for color in colors {
            let value: u32 = (*color).into();
            let straight = (value * max + alpha / 2).checked_div(alpha).unwrap_or(0);
            *color = T::try_from(straight.min(max)).unwrap_or(T::MAX);
        }
    }
}

/// The first channel only: the second is alpha.
fn invert(stored: Samples, channels: usize) -> Samples {
    match stored {
        Samples::U8(mut samples) => {
            samples
                .iter_mut()
                .step_by(channels)
                .for_each(|gray| *gray = !*gray);
            Samples::U8(samples)
        }
        Samples::U16(mut samples) => {
            samples
                .iter_mut()
                .step_by(channels)
                .for_each(|gray| *gray = !*gray);
            Samples::U16(samples)
        }
    }
}

/// The map has a colour for every number of the sample's bits, so that an index cannot miss.
fn look_up(colors: &[[u8; 3]], stored: &Samples, channels: usize) -> Vec<u8> {
    let color = |index: usize| colors.get(index).copied().unwrap_or_default();
    match stored {
        Samples::U8(samples) if channels == 2 => samples
            .chunks_exact(2)
            .flat_map(|pixel| {
                let [red, green, blue] = color(usize::from(pixel[0]));
                [red, green, blue, pixel[1]]
            })
            .collect(),
        Samples::U8(samples) => samples
            .iter()
            .flat_map(|index| color(usize::from(*index)))
            .collect(),
        Samples::U16(samples) => samples
            .iter()
            .flat_map(|index| color(usize::from(*index)))
            .collect(),
    }
}

/// Images of this model have 8 bits: others are refused when the directory is read.
fn to_rgb(equations: &Equations, stored: Samples, channels: usize) -> Samples {
    let Samples::U8(mut samples) = stored else {
        return stored;
    };
    for pixel in samples.chunks_exact_mut(channels) {
        if let [y, cb, cr, ..] = pixel {
            [*y, *cb, *cr] = equations.to_rgb([*y, *cb, *cr]);
        }
    }
    Samples::U8(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(model: Model, alpha: Option<bool>) -> Color {
        let channel = model.channels();
        let alpha = alpha.map(|premultiplied| Alpha {
            channel,
            premultiplied,
        });
        Color { model, alpha }
    }

    #[test]
    fn white_that_is_zero_becomes_full() {
        let gray = color(
            Model::Gray {
                white_is_zero: true,
            },
            Some(false),
        );
        let samples = gray.convert(Samples::U8(vec![0, 9, 255, 8]));
        assert_eq!(samples, Samples::U8(vec![255, 9, 0, 8]));
    }

    #[test]
    fn associated_alpha_is_divided_out() {
        let rgba = color(Model::Rgb, Some(true));
        let samples = rgba.convert(Samples::U8(vec![64, 128, 200, 128, 7, 7, 7, 0]));
        assert_eq!(samples, Samples::U8(vec![128, 255, 255, 128, 0, 0, 0, 0]));
        let deep = rgba.convert(Samples::U16(vec![100, 65535, 0, 32768]));
        assert_eq!(deep, Samples::U16(vec![200, 65535, 0, 32768]));
    }

    #[test]
    fn an_index_stands_for_its_colour() {
        let palette = color(Model::Palette(vec![[1, 2, 3], [4, 5, 6]]), None);
        let samples = palette.convert(Samples::U8(vec![1, 0]));
        assert_eq!(samples, Samples::U8(vec![4, 5, 6, 1, 2, 3]));
    }
}
