//! JPEG (ITU-T T.81): the header from the markers, the pixels from libjpeg-turbo.
//!
//! The inverse cosine transform can give an image of half, a quarter or an eighth of the size for less work, so these
//! sizes count as stored levels.

mod frame;
pub(in crate::decode) mod join;
mod markers;
mod profile;
mod segments;

use std::sync::Arc;

use super::whole::{read_ahead_all, read_error};
use super::{
    Coding, DecodeError, Decoder, Header, Level, Limits, Resolution, SourceFormat, Unit, Window,
};
use crate::ffi::turbojpeg::{self, Pixels, Scale};
use crate::geometry::{Dimensions, Rect, ScaleFactor};
use crate::input::{Input, read_range};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, Samples};
use markers::Markers;

const FORMAT: &str = "JPEG";

fn malformed(problem: impl Into<String>) -> DecodeError {
    DecodeError::malformed(FORMAT, problem)
}

struct Jpeg {
    input: Input,
    limits: Limits,
    header: Header,
    pixels: Pixels,
    /// Whether samples are stored as 255 minus the amount of ink.
    inverted: bool,
    mcu_width: u32,
    /// Coded units to decode beside a window at either side.
    margin: u32,
    /// Bytes that decoding needs beside the pixels: the file, and coefficients if there are several scans.
    overhead: u64,
}

/// Opens a JPEG: reads the markers before the first scan.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let markers = Markers::read(&*input)?;
    limits.check_dimensions(markers.frame.dimensions)?;
    let several_scans = markers.frame.process.progressive || !markers.interleaved;
    let coefficients = if several_scans {
        markers.frame.coefficient_bytes()
    } else {
        0
    };
    let (pixels, inverted) = match markers.frame.components.len() {
        1 => (Pixels::Gray, false),
        3 => (Pixels::Rgb, false),
        _ => (Pixels::Cmyk, markers.adobe_transform.is_some()),
    };
    let jpeg = Jpeg {
        limits: *limits,
        pixels,
        inverted,
        margin: if markers.frame.process.progressive {
            3
        } else {
            1
        },
        mcu_width: markers.frame.mcu_width(),
        overhead: input.size().saturating_add(coefficients),
        header: header(markers),
        input,
    };
    check_bytes(limits, jpeg.overhead)?;
    Ok(Box::new(jpeg))
}

fn header(markers: Markers) -> Header {
    Header {
        format: SourceFormat::Jpeg,
        levels: levels(&markers),
        orientation: markers
            .exif
            .map_or(Orientation::UPRIGHT, |exif| exif.orientation),
        color: markers.color(),
        alpha: false,
        bit_depth: 8,
        pages: 1,
        resolution: markers.resolution(),
        coding: markers.frame.process.name.to_owned(),
        profile: markers.profile,
    }
}

/// The sizes that libjpeg-turbo decodes to; without a cosine transform there is only one.
fn levels(markers: &Markers) -> Vec<Level> {
    let scales = if markers.frame.process.lossless {
        &Scale::ALL[..1]
    } else {
        &Scale::ALL[..]
    };
    scales
        .iter()
        .map(|scale| Level {
            dimensions: turbojpeg::scaled(markers.frame.dimensions, *scale),
            scale_factor: ScaleFactor::new(scale.denominator()).unwrap_or(ScaleFactor::ONE),
            tile: None,
            unit: Unit::Level,
            coding: (*scale == Scale::Full && is_usual(markers)).then_some(Coding::Jpeg),
        })
        .collect()
}

/// Whether every browser can show it.
fn is_usual(markers: &Markers) -> bool {
    let process = &markers.frame.process;
    !process.lossless && !process.arithmetic && markers.frame.components.len() < 4
}

impl Decoder for Jpeg {
    fn header(&self) -> &Header {
        &self.header
    }

    /// A small level is decoded from the same bytes: the coefficients that it needs lie among all others.
    fn read_ahead(&self, _window: &Window) -> Result<(), DecodeError> {
        read_ahead_all(&self.input)
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        let scale = Scale::ALL[window.level];
        let level = self.header.levels[window.level].dimensions;
        let file = self.read_file()?;
        let area = if self.can_be_cropped(&file)? {
            self.decoded_area(window.rect, level, scale)
        } else {
            Rect::whole(level)
        };
        self.check_memory(area.dimensions())?;
        let crop = (area != Rect::whole(level)).then_some(area);
        let samples = turbojpeg::decode(&file, self.pixels, scale, crop).map_err(broken)?;
        Ok(cut(
            self.raster(area.dimensions(), samples),
            area,
            window.rect,
        ))
    }

    fn stored(
        &self,
        window: &Window,
        _resolution: Option<Resolution>,
        most: u64,
    ) -> Option<Vec<u8>> {
        if self.input.size() > most {
            return None;
        }
        self.file(window)?;
        self.read_file().ok()
    }

    fn file(&self, window: &Window) -> Option<Input> {
        let level = self.header.levels.get(window.level)?;
        let is_all = level.coding.is_some() && window.rect == Rect::whole(level.dimensions);
        // Where something else is at the end, decoding finds out whether pixels are missing.
        (is_all && self.has_end()).then(|| Arc::clone(&self.input))
    }
}

impl Jpeg {
    /// Whether the last marker of an image is the last of the file.
    fn has_end(&self) -> bool {
        const END: [u8; 2] = [0xFF, 0xD9];
        let start = self.input.size().saturating_sub(END.len() as u64);
        let end = read_range(&*self.input, start, END.len());
        end.is_ok_and(|end| end == END)
    }

    /// The whole file, which `open` found to be within the limits.
    fn read_file(&self) -> Result<Vec<u8>, DecodeError> {
        let length = usize::try_from(self.input.size())
            .map_err(|_| DecodeError::unsupported("JPEG of this length"))?;
        read_range(&*self.input, 0, length).map_err(|error| read_error(FORMAT, error))
    }

    /// Whether libjpeg-turbo can decode a part. Not so for lossless images and for unusual sub-sampling, of which it
    /// does not know the unit.
    fn can_be_cropped(&self, file: &[u8]) -> Result<bool, DecodeError> {
        const UNKNOWN_UNIT: Option<Dimensions> = Dimensions::new(32, 32);
        let frame = turbojpeg::read_frame(file).map_err(broken)?;
        if frame.dimensions != self.header.stored_dimensions() {
            return Err(malformed("two frame headers that differ"));
        }
        Ok(!frame.lossless && Some(frame.mcu) != UNKNOWN_UNIT)
    }

    /// The part of a level to decode for a window: it begins at a coded unit, and has one unit more than the window
    /// at either side, because chroma is interpolated and libjpeg-turbo does not look beyond the part.
    fn decoded_area(&self, window: Rect, level: Dimensions, scale: Scale) -> Rect {
        let unit = (self.mcu_width / scale.denominator()).max(1);
        let left = (window.x() / unit).saturating_sub(self.margin) * unit;
        let right = window
            .right()
            .saturating_add(unit * self.margin)
            .min(level.width());
        Rect::new(left, window.y(), right - left, window.height()).unwrap_or(Rect::whole(level))
    }

    fn check_memory(&self, pixels: Dimensions) -> Result<(), DecodeError> {
        let samples = pixels.area() * self.pixels.channels() as u64;
        check_bytes(&self.limits, samples.saturating_add(self.overhead))
    }

    fn raster(&self, dimensions: Dimensions, mut samples: Vec<u8>) -> Raster {
        if self.inverted {
            samples.iter_mut().for_each(|sample| *sample = !*sample);
        }
        let layout = match self.pixels {
            Pixels::Gray => Layout::Gray,
            Pixels::Rgb => Layout::Rgb,
            Pixels::Cmyk => Layout::Cmyk,
        };
        Raster::new(dimensions, layout, Samples::U8(samples))
    }
}

fn broken(error: turbojpeg::Error) -> DecodeError {
    malformed(error.to_string())
}

/// The window out of the area that was decoded for it.
fn cut(raster: Raster, area: Rect, window: Rect) -> Raster {
    if area == window {
        return raster;
    }
    raster.crop(window.within(area).unwrap_or(window))
}

fn check_bytes(limits: &Limits, value: u64) -> Result<(), DecodeError> {
    if value > limits.decoded_bytes {
        return Err(DecodeError::TooLarge {
            what: "memory for a JPEG",
            value,
            limit: limits.decoded_bytes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
