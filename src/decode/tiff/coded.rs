//! Strips and tiles that are images of a format of their own: JPEG, WebP, JPEG 2000.

use std::io::Cursor;

use super::compression::Compression;
use super::{jpeg, malformed};
use crate::decode::{DecodeError, Limits, jp2};
use crate::ffi::turbojpeg::{self, Decompressor, Frame, Pixels, Scale};
use crate::geometry::Dimensions;
use crate::raster::{Layout, Raster, Samples};

/// What the directory says of a strip or tile.
#[derive(Clone, Copy)]
pub struct Coded<'a> {
    pub compression: Compression,
    pub data: &'a [u8],
    pub dimensions: Dimensions,
    /// A tile has exactly these dimensions; of the last strip some writers code more rows than the image has.
    pub most_rows: u32,
    pub channels: usize,
    pub is_deep: bool,
    pub jpeg_tables: &'a [u8],
    pub jpeg_transform: jpeg::Transform,
}

impl Coded<'_> {
    /// The channels as stored, but that JPEG turns Y'CbCr to RGB. The layout says no more than how many they are.
    pub fn decode(&self, limits: &Limits) -> Result<Raster, DecodeError> {
        let raster = match self.compression {
            Compression::Jpeg => self.jpeg(limits)?,
            Compression::WebP => self.webp(limits)?,
            _ => self.jp2(limits)?,
        };
        self.check(raster.dimensions())?;
        let is_deep = matches!(raster.samples(), Samples::U16(_));
        if raster.layout().channels() != self.channels || is_deep != self.is_deep {
            let problem = "a strip or tile whose samples are not those of the directory";
            return Err(malformed(problem));
        }
        Ok(raster)
    }

    fn check(&self, found: Dimensions) -> Result<(), DecodeError> {
        let wanted = self.dimensions;
        let rows = wanted.height()..=self.most_rows;
        if found.width() != wanted.width() || !rows.contains(&found.height()) {
            let problem = format!("a strip or tile of {found} that should be {wanted}");
            return Err(malformed(problem));
        }
        Ok(())
    }

    fn jpeg(&self, limits: &Limits) -> Result<Raster, DecodeError> {
        let (pixels, layout) = self.jpeg_pixels()?;
        let stream = jpeg::splice(self.jpeg_tables, self.data, self.jpeg_transform);
        let frame = turbojpeg::read_frame(&stream).map_err(broken_jpeg)?;
        self.check_frame(&frame)?;
        limits.check_decoded(frame.dimensions, self.channels as u64)?;
        let samples = turbojpeg::decode(&stream, pixels, Scale::Full, None).map_err(broken_jpeg)?;
        Ok(Raster::new(frame.dimensions, layout, Samples::U8(samples)))
    }

    /// Decodes the uppermost rows of a JPEG into `samples`, where a row begins every `stride` samples.
    pub fn jpeg_rows(
        &self,
        decompressor: &mut Decompressor,
        rows: u32,
        samples: &mut [u8],
        stride: usize,
    ) -> Result<(), DecodeError> {
        let (pixels, _) = self.jpeg_pixels()?;
        let stream = jpeg::splice(self.jpeg_tables, self.data, self.jpeg_transform);
        let opened = decompressor.open(&stream).map_err(broken_jpeg)?;
        self.check_frame(&opened.frame)?;
        let decoded = opened.decode_rows(pixels, rows, samples, stride);
        decoded.map_err(broken_jpeg)
    }

    fn jpeg_pixels(&self) -> Result<(Pixels, Layout), DecodeError> {
        match self.channels {
            1 => Ok((Pixels::Gray, Layout::Gray)),
            3 => Ok((Pixels::Rgb, Layout::Rgb)),
            4 => Ok((Pixels::Cmyk, Layout::Cmyk)),
            other => {
                let feature = format!("JPEG in TIFF with {other} channels");
                Err(DecodeError::unsupported(feature))
            }
        }
    }

    fn check_frame(&self, frame: &Frame) -> Result<(), DecodeError> {
        if frame.precision != 8 {
            let feature = format!("JPEG in TIFF with {} bits", frame.precision);
            return Err(DecodeError::unsupported(feature));
        }
        if jpeg::channels(frame.color_space) != self.channels {
            return Err(malformed(
                "a JPEG whose channels are not those of the directory",
            ));
        }
        self.check(frame.dimensions)
    }

    fn jp2(&self, limits: &Limits) -> Result<Raster, DecodeError> {
        let most = u64::from(self.dimensions.width()) * u64::from(self.most_rows);
        let limits = Limits {
            source_pixels: limits.source_pixels.min(most),
            ..*limits
        };
        jp2::decode_codestream(self.data.to_vec(), &limits)
    }

    fn webp(&self, limits: &Limits) -> Result<Raster, DecodeError> {
        let broken = |error| malformed(format!("WebP: {error}"));
        let reader = Cursor::new(self.data);
        let mut decoder = image_webp::WebPDecoder::new(reader).map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let dimensions =
            Dimensions::new(width, height).ok_or_else(|| malformed("WebP of no size"))?;
        self.check(dimensions)?;
        limits.check_decoded(dimensions, 4)?;
        let coded = if decoder.has_alpha() { 4 } else { 3 };
        let mut samples = vec![0; dimensions.area() as usize * coded];
        decoder.read_image(&mut samples).map_err(broken)?;
        // Encoders leave out an alpha channel that is opaque everywhere.
        let (layout, samples) = match (self.channels, coded) {
            (4, 3) => (Layout::Rgba, with_opaque_alpha(&samples)),
            (_, 3) => (Layout::Rgb, samples),
            _ => (Layout::Rgba, samples),
        };
        Ok(Raster::new(dimensions, layout, Samples::U8(samples)))
    }
}

fn broken_jpeg(error: turbojpeg::Error) -> DecodeError {
    malformed(format!("JPEG: {error}"))
}

fn with_opaque_alpha(rgb: &[u8]) -> Vec<u8> {
    let pixels = rgb.chunks_exact(3);
    pixels
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
        .collect()
}
