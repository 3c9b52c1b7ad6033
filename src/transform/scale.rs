//! Cropping and resizing.

use std::sync::Arc;

use azulejo_resample::{Filter, Rgb, Stretch, resample};
use bytemuck::{cast_slice, cast_slice_mut};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::TransformError;
use crate::geometry::{Dimensions, Rect};
use crate::raster::{Layout, Raster, Samples};

/// A rectangle in a raster's own pixels. It may begin and end within a pixel, as the region of a request does on a
/// smaller level, and lies within the raster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// Edges this close to a whole pixel are meant to be there: what remains of computing with floats.
const WHOLE_PIXEL: f64 = 1e-6;

impl Crop {
    /// The whole of a raster.
    pub fn whole(dimensions: Dimensions) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(dimensions.width()),
            height: f64::from(dimensions.height()),
        }
    }

    fn snapped(self) -> Self {
        let (left, right) = (snap(self.left), snap(self.left + self.width));
        let (top, bottom) = (snap(self.top), snap(self.top + self.height));
        Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
        }
    }

    fn is_within(self, dimensions: Dimensions) -> bool {
        let inside = |start: f64, length: f64, side: u32| {
            start >= 0.0 && length > 0.0 && start + length <= f64::from(side)
        };
        inside(self.left, self.width, dimensions.width())
            && inside(self.top, self.height, dimensions.height())
    }

    /// The rectangle of whole pixels that it is, if it is one.
    fn as_rect(self) -> Option<Rect> {
        let whole = |value: f64| (value.fract() == 0.0).then_some(value as u32);
        Rect::new(
            whole(self.left)?,
            whole(self.top)?,
            whole(self.width)?,
            whole(self.height)?,
        )
    }
}

fn snap(edge: f64) -> f64 {
    let whole = edge.round();
    if (edge - whole).abs() < WHOLE_PIXEL {
        whole
    } else {
        edge
    }
}

/// Resizes the crop to `to`. A raster that is shared, because it is kept, is copied only where it is the result itself.
///
/// # Errors
/// If the crop is not within the raster.
pub fn scale(
    raster: impl Into<Arc<Raster>>,
    crop: Crop,
    to: Dimensions,
) -> Result<Raster, TransformError> {
    let raster = raster.into();
    let crop = crop.snapped();
    if !crop.is_within(raster.dimensions()) {
        return Err(outside(crop, raster.dimensions()));
    }
    match crop.as_rect() {
        Some(rect) if rect.dimensions() != to => resize(&raster, crop, to),
        Some(rect) if rect == Rect::whole(raster.dimensions()) => Ok(Arc::unwrap_or_clone(raster)),
        Some(rect) => Ok(raster.crop(rect)),
        None => resize(&raster, crop, to),
    }
}

fn outside(crop: Crop, raster: Dimensions) -> TransformError {
    TransformError::Crop {
        left: crop.left,
        top: crop.top,
        width: crop.width,
        height: crop.height,
        raster,
    }
}

fn resize(raster: &Raster, crop: Crop, to: Dimensions) -> Result<Raster, TransformError> {
    let layout = raster.layout();
    if let Some(samples) = resize_rgb(raster, crop, to) {
        return Ok(Raster::new(to, layout, Samples::U8(samples)));
    }
    let length = to.width() as usize * to.height() as usize * layout.channels();
    let samples = match raster.samples() {
        Samples::U8(from) => {
            let mut samples = vec![0_u8; length];
            let pixel = pixel_type_u8(layout);
            resize_bytes(from, &mut samples, pixel, raster, crop, to)?;
            Samples::U8(samples)
        }
        Samples::U16(from) => {
            let mut samples = vec![0_u16; length];
            let pixel = pixel_type_u16(layout);
            let (from, into) = (cast_slice(from), cast_slice_mut(&mut samples));
            resize_bytes(from, into, pixel, raster, crop, to)?;
            Samples::U16(samples)
        }
    };
    Ok(Raster::new(to, layout, samples))
}

/// What nearly all pixels are, in two thirds of the time. `None` if it is something else, or the processor cannot.
fn resize_rgb(raster: &Raster, crop: Crop, to: Dimensions) -> Option<Vec<u8>> {
    let (Layout::Rgb, Some(samples)) = (raster.layout(), raster.as_u8()) else {
        return None;
    };
    let extent = raster.dimensions();
    let image = Rgb::new(samples, extent.width() as usize, extent.height() as usize)?;
    let stretch = |start, length| Stretch { start, length };
    let columns = stretch(crop.left, crop.width);
    let rows = stretch(crop.top, crop.height);
    let to_pixels = (to.width() as usize, to.height() as usize);
    resample(image, columns, rows, to_pixels, filter(crop, to))
}

fn pixel_type_u8(layout: Layout) -> PixelType {
    match layout {
        Layout::Gray => PixelType::U8,
        Layout::GrayAlpha => PixelType::U8x2,
        Layout::Rgb => PixelType::U8x3,
        Layout::Rgba | Layout::Cmyk => PixelType::U8x4,
    }
}

fn pixel_type_u16(layout: Layout) -> PixelType {
    match layout {
        Layout::Gray => PixelType::U16,
        Layout::GrayAlpha => PixelType::U16x2,
        Layout::Rgb => PixelType::U16x3,
        Layout::Rgba | Layout::Cmyk => PixelType::U16x4,
    }
}

fn resize_bytes(
    from: &[u8],
    into: &mut [u8],
    pixel: PixelType,
    raster: &Raster,
    crop: Crop,
    to: Dimensions,
) -> Result<(), TransformError> {
    let extent = raster.dimensions();
    let source = ImageRef::new(extent.width(), extent.height(), from, pixel).map_err(failed)?;
    let mut target = Image::from_slice_u8(to.width(), to.height(), into, pixel).map_err(failed)?;
    let options = ResizeOptions::new()
        .crop(crop.left, crop.top, crop.width, crop.height)
        .resize_alg(ResizeAlg::Convolution(filter_type(filter(crop, to))))
        // The library sees four channels and takes the last for alpha: for CMYK it is ink.
        .use_alpha(raster.layout().has_alpha());
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(failed)
}

/// Lanczos keeps the most detail when pixels become fewer. When they become more it would draw rings around edges
/// where Catmull-Rom draws hardly any.
fn filter(crop: Crop, to: Dimensions) -> Filter {
    if f64::from(to.width()) >= crop.width && f64::from(to.height()) >= crop.height {
        Filter::CatmullRom
    } else {
        Filter::Lanczos3
    }
}

fn filter_type(filter: Filter) -> FilterType {
    match filter {
        Filter::CatmullRom => FilterType::CatmullRom,
        Filter::Lanczos3 => FilterType::Lanczos3,
    }
}

fn failed(error: impl std::error::Error) -> TransformError {
    TransformError::Resize(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transform::testing::{pixel, raster, raster16};

    const LAYOUTS: [Layout; 5] = [
        Layout::Gray,
        Layout::GrayAlpha,
        Layout::Rgb,
        Layout::Rgba,
        Layout::Cmyk,
    ];

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    fn crop(left: f64, top: f64, width: f64, height: f64) -> Crop {
        Crop {
            left,
            top,
            width,
            height,
        }
    }

    /// A horizontal ramp: column x is `x * step`.
    fn ramp(width: u32, height: u32, step: u32) -> Raster {
        let samples: Vec<u8> = (0..height)
            .flat_map(|_| (0..width).map(move |x| (x * step) as u8))
            .collect();
        raster(width, height, Layout::Gray, &samples)
    }

    #[test]
    fn the_whole_at_its_own_size_is_the_raster_itself() {
        let source = ramp(7, 3, 30);
        let address = source.as_u8().unwrap().as_ptr();
        let whole = Crop::whole(source.dimensions());
        let scaled = scale(source, whole, dimensions(7, 3)).unwrap();
        assert_eq!(scaled.as_u8().unwrap().as_ptr(), address);
    }

    #[test]
    fn whole_pixels_at_their_own_size_are_copied() {
        let noise_of_floats = crop(2.000_000_000_1, 0.999_999_999_9, 3.0, 1.0);
        let scaled = scale(ramp(7, 3, 30), noise_of_floats, dimensions(3, 1)).unwrap();
        assert_eq!(scaled.as_u8().unwrap(), [60, 90, 120]);
    }

    #[test]
    fn flat_colours_stay_in_every_layout_and_depth() {
        for layout in LAYOUTS {
            let color: Vec<u8> = [200, 100, 50, 150][..layout.channels()].to_vec();
            let source = raster(9, 9, layout, &color.repeat(81));
            for side in [1, 4, 9, 20] {
                let scaled = scale(
                    source.clone(),
                    crop(0.5, 0.0, 8.0, 9.0),
                    dimensions(side, side),
                );
                // Colours under half transparency lose a level to premultiplying.
                let scaled = scaled.unwrap();
                for (index, sample) in scaled.as_u8().unwrap().iter().enumerate() {
                    let wanted = color[index % color.len()];
                    assert!(sample.abs_diff(wanted) <= 1, "{layout:?} to {side}");
                }
            }
            let deep: Vec<u16> = color.iter().map(|&value| u16::from(value) * 257).collect();
            let source = raster16(9, 9, layout, &deep.repeat(81));
            let scaled = scale(source, crop(0.0, 0.0, 9.0, 9.0), dimensions(4, 5)).unwrap();
            let Samples::U16(samples) = scaled.samples() else {
                panic!("16 bits stay 16 bits")
            };
            for (index, sample) in samples.iter().enumerate() {
                assert!(sample.abs_diff(deep[index % deep.len()]) <= 2, "{layout:?}");
            }
        }
    }

    #[test]
    fn one_pixel_is_the_average() {
        let source = raster(2, 2, Layout::Gray, &[0, 100, 100, 200]);
        let scaled = scale(source, crop(0.0, 0.0, 2.0, 2.0), dimensions(1, 1)).unwrap();
        assert_eq!(scaled.as_u8().unwrap(), [100]);
    }

    #[test]
    fn one_pixel_fills_any_size() {
        let source = raster(1, 1, Layout::Rgb, &[10, 20, 30]);
        let scaled = scale(source, crop(0.25, 0.0, 0.5, 1.0), dimensions(3, 2)).unwrap();
        assert_eq!(scaled.as_u8().unwrap(), [10, 20, 30].repeat(6));
    }

    /// Pixel centres map to pixel centres: the middle of a ramp keeps its value, down and up.
    #[test]
    fn nothing_shifts() {
        for side in [3, 5, 7, 11, 33, 63] {
            let source = ramp(21, 21, 10);
            let scaled = scale(source, crop(0.0, 0.0, 21.0, 21.0), dimensions(side, side)).unwrap();
            let middle = pixel(&scaled, side / 2, side / 2)[0];
            assert!(middle.abs_diff(100) <= 1, "{middle} at {side}");
        }
    }

    /// Half a pixel to the right is half a step up the ramp.
    #[test]
    fn fractional_crops_are_honoured() {
        let scaled = scale(ramp(21, 3, 10), crop(5.5, 0.0, 9.0, 3.0), dimensions(9, 3)).unwrap();
        for x in 0..9 {
            let wanted = 55 + 10 * x as u8;
            assert!(pixel(&scaled, x, 1)[0].abs_diff(wanted) <= 1, "column {x}");
        }
    }

    #[test]
    fn transparent_pixels_lend_no_colour() {
        let source = raster(2, 1, Layout::Rgba, &[200, 0, 0, 255, 0, 255, 0, 0]);
        let scaled = scale(source, crop(0.0, 0.0, 2.0, 1.0), dimensions(1, 1)).unwrap();
        let [red, green, blue, alpha] = scaled.as_u8().unwrap()[..] else {
            panic!("one pixel")
        };
        assert!(red.abs_diff(200) <= 2 && green == 0 && blue == 0);
        assert!(alpha.abs_diff(128) <= 1);
    }

    #[test]
    fn black_ink_is_not_alpha() {
        let source = raster(2, 1, Layout::Cmyk, &[200, 0, 0, 255, 0, 200, 0, 0]);
        let scaled = scale(source, crop(0.0, 0.0, 2.0, 1.0), dimensions(1, 1)).unwrap();
        for (sample, wanted) in scaled.as_u8().unwrap().iter().zip([100, 100, 0, 128_u8]) {
            assert!(sample.abs_diff(wanted) <= 1);
        }
    }

    #[test]
    fn crops_outside_are_refused() {
        for outside in [
            crop(-0.5, 0.0, 2.0, 2.0),
            crop(0.0, 0.0, 3.1, 2.0),
            crop(0.0, 0.0, 0.0, 2.0),
            crop(f64::NAN, 0.0, 1.0, 1.0),
        ] {
            let source = raster(3, 3, Layout::Gray, &[0; 9]);
            let error = scale(source, outside, dimensions(2, 2)).unwrap_err();
            assert!(matches!(error, TransformError::Crop { .. }), "{outside:?}");
        }
    }

    proptest! {
        #[test]
        fn every_crop_within_gives_the_size_asked_for(
            width in 1..40_u32, height in 1..40_u32, to_width in 1..40_u32, to_height in 1..40_u32,
            at in any::<[f64; 4]>().prop_map(|at| at.map(|v| (v.to_bits() >> 11) as f64 / (1_u64 << 53) as f64))
        ) {
            let (left, top) = (at[0] * f64::from(width), at[1] * f64::from(height));
            let area = crop(left, top, (f64::from(width) - left) * at[2], (f64::from(height) - top) * at[3]);
            prop_assume!(area.width > 1e-3 && area.height > 1e-3);
            let flat = raster(width, height, Layout::Gray, &vec![77; (width * height) as usize]);
            let scaled = scale(flat, area, dimensions(to_width, to_height)).unwrap();
            prop_assert_eq!(scaled.dimensions(), dimensions(to_width, to_height));
            prop_assert!(scaled.as_u8().unwrap().iter().all(|sample| sample.abs_diff(77) <= 1));
        }
    }
}
