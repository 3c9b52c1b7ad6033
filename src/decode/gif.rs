//! GIF (Graphics Interchange Format, version 89a): the first frame, laid on the logical screen.
//!
//! What the frame does not cover and its transparent colour are transparent; the background colour of the screen is
//! ignored, as by every viewer.

use gif::{ColorOutput, DecodeOptions, DecodingError, Frame, MemoryLimit};

use super::whole::{Whole, buffered, read_error};
use super::{ColorModel, DecodeError, Decoder, Header, Level, Limits, SourceFormat, Unit};
use crate::geometry::{Dimensions, Rect, ScaleFactor};
use crate::input::{Input, Reader};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};

const FORMAT: &str = "GIF";

/// A GIF whose first frame has been announced, but not decoded.
struct Opened {
    decoder: gif::Decoder<std::io::BufReader<Reader>>,
    screen: Dimensions,
    frame: Placed,
}

/// Where the first frame lies, and its colours.
struct Placed {
    rect: Rect,
    transparent: Option<u8>,
    interlaced: bool,
    palette: Vec<u8>,
}

/// Opens a GIF: reads up to the pixels of the first frame.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let opened = Opened::new(input.clone())?;
    // The frame has one byte per pixel, and may be larger than the screen.
    limits.check_decoded(opened.frame.rect.dimensions(), 1)?;
    let bytes_per_pixel = opened.layout().channels() as u64 + 1;
    Whole::open(input, limits, opened.header(), bytes_per_pixel, decode)
}

fn decode(input: Input) -> Result<Raster, DecodeError> {
    let mut opened = Opened::new(input)?;
    let mut indices = vec![0; opened.decoder.buffer_size()];
    opened
        .decoder
        .read_into_buffer(&mut indices)
        .map_err(error)?;
    Ok(opened.compose(&indices))
}

impl Opened {
    fn new(input: Input) -> Result<Self, DecodeError> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        options.allow_unknown_blocks(true);
        // `open` has checked the pixels, and the profile is read as far as the file goes.
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder = options.read_info(buffered(input)).map_err(error)?;
        let screen = Dimensions::new(decoder.width().into(), decoder.height().into())
            .ok_or_else(|| DecodeError::malformed(FORMAT, "a side of zero"))?;
        let frame = decoder
            .next_frame_info()
            .map_err(error)?
            .ok_or_else(|| DecodeError::malformed(FORMAT, "no image"))?
            .clone();
        let palette = decoder.palette().map_err(error)?.to_vec();
        Ok(Self {
            frame: Placed::new(&frame, palette)?,
            decoder,
            screen,
        })
    }

    fn header(&self) -> Header {
        Header {
            format: SourceFormat::Gif,
            levels: vec![Level {
                dimensions: self.screen,
                scale_factor: ScaleFactor::ONE,
                tile: None,
                unit: Unit::Level,
                coding: None,
            }],
            orientation: Orientation::UPRIGHT,
            color: ColorModel::Palette,
            alpha: self.layout().has_alpha(),
            bit_depth: 8,
            pages: 1,
            resolution: None,
            profile: self.decoder.icc_profile().map(Into::into),
            coding: if self.frame.interlaced {
                "LZW, interlaced"
            } else {
                "LZW"
            }
            .to_owned(),
        }
    }

    fn layout(&self) -> Layout {
        let covered = self.frame.rect.intersection(Rect::whole(self.screen))
            == Some(Rect::whole(self.screen));
        if covered && self.frame.transparent.is_none() {
            Layout::Rgb
        } else {
            Layout::Rgba
        }
    }

    /// Lays the frame on the screen and looks the colours up.
    fn compose(&self, indices: &[u8]) -> Raster {
        let layout = self.layout();
        let channels = layout.channels();
        let mut samples = vec![0; self.screen.area() as usize * channels];
        if let Some(visible) = self.frame.rect.intersection(Rect::whole(self.screen)) {
            for y in visible.y()..visible.bottom() {
                let row = self.frame.row(indices, y, visible);
                let start =
                    (y as usize * self.screen.width() as usize + visible.x() as usize) * channels;
                let pixels = samples[start..].chunks_exact_mut(channels);
                for (index, pixel) in row.iter().zip(pixels) {
                    self.frame.paint(*index, pixel);
                }
            }
        }
        Raster::new(self.screen, layout, Samples::U8(samples))
    }
}

impl Placed {
    fn new(frame: &Frame<'_>, palette: Vec<u8>) -> Result<Self, DecodeError> {
        let rect = Rect::new(
            frame.left.into(),
            frame.top.into(),
            frame.width.into(),
            frame.height.into(),
        );
        Ok(Self {
            rect: rect.ok_or_else(|| DecodeError::malformed(FORMAT, "an empty image"))?,
            transparent: frame.transparent,
            interlaced: frame.interlaced,
            palette,
        })
    }

    /// The visible part of the frame in one row of the screen.
    fn row<'a>(&self, indices: &'a [u8], y: u32, visible: Rect) -> &'a [u8] {
        let start = (y - self.rect.y()) as usize * self.rect.width() as usize
            + (visible.x() - self.rect.x()) as usize;
        &indices[start..start + visible.width() as usize]
    }

    /// A transparent pixel keeps its colour under an alpha of zero. A colour beyond the palette is black, as in
    /// browsers.
    fn paint(&self, index: u8, pixel: &mut [u8]) {
        let start = usize::from(index) * 3;
        let color = self.palette.get(start..start + 3).unwrap_or(&[0; 3]);
        pixel[..3].copy_from_slice(color);
        if let Some(alpha) = pixel.get_mut(3) {
            *alpha = if self.transparent == Some(index) {
                0
            } else {
                u8::MAX
            };
        }
    }
}

fn error(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::Io(error) => read_error(FORMAT, error),
        error => DecodeError::malformed(FORMAT, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::{Window, samples};

    const LIMITS: Limits = Limits {
        source_pixels: 1000,
        decoded_bytes: 10_000,
        ..Limits::DEFAULT
    };

    fn decode(bytes: Vec<u8>) -> Raster {
        let decoder = open(Arc::new(bytes), &LIMITS).unwrap();
        let rect = Rect::whole(decoder.header().stored_dimensions());
        decoder.decode(&Window { level: 0, rect }).unwrap()
    }

    #[test]
    fn a_frame_that_covers_the_screen_has_no_alpha() {
        let raster = decode(samples::gif(false, None, (0, 0, 19, 13)));
        let first = samples::noise(1)[0];
        assert_eq!(raster.layout(), Layout::Rgb);
        assert_eq!(raster.as_u8().unwrap()[..3], [first, 255 - first, 7]);
    }

    #[test]
    fn what_the_frame_leaves_free_is_transparent() {
        let raster = decode(samples::gif(false, None, (2, 1, 5, 5)));
        let pixel = |x, y| raster.crop(Rect::new(x, y, 1, 1).unwrap());
        let first = samples::noise(1)[0];
        assert_eq!(raster.layout(), Layout::Rgba);
        assert_eq!(pixel(1, 1).as_u8().unwrap(), [0, 0, 0, 0]);
        assert_eq!(pixel(2, 1).as_u8().unwrap(), [first, 255 - first, 7, 255]);
        assert_eq!(pixel(7, 1).as_u8().unwrap(), [0, 0, 0, 0]);
    }

    #[test]
    fn the_transparent_colour_has_an_alpha_of_zero() {
        let transparent = samples::noise(1)[0];
        let raster = decode(samples::gif(true, Some(transparent), (0, 0, 19, 13)));
        let alpha = raster.as_u8().unwrap()[3];
        assert_eq!((raster.layout(), alpha), (Layout::Rgba, 0));
    }

    #[test]
    fn a_frame_beside_the_screen_shows_nothing() {
        let raster = decode(samples::gif(false, None, (19, 0, 5, 5)));
        assert!(raster.as_u8().unwrap().iter().all(|sample| *sample == 0));
    }

    /// K04: a small screen, but a frame of four thousand million pixels.
    #[test]
    fn a_frame_larger_than_the_limit_is_refused() {
        let mut bytes = samples::gif(false, None, (0, 0, 19, 13));
        let descriptor = bytes
            .windows(9)
            .position(|window| window == [0x2C, 0, 0, 0, 0, 19, 0, 13, 0])
            .unwrap();
        bytes[descriptor + 5..descriptor + 9].fill(0xFF);
        let result = open(Arc::new(bytes), &LIMITS);
        assert!(matches!(result, Err(DecodeError::TooLarge { .. })));
    }
}
