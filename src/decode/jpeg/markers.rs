//! All that the segments before the first scan say.

use std::sync::Arc;

use super::frame::{Frame, starts_frame};
use super::profile::{self, Pieces};
use super::segments::{Segment, Segments};
use crate::decode::exif::{self, Exif};
use crate::decode::{ColorModel, DecodeError, Resolution};
use crate::input::ReadAt;

/// What was found.
pub struct Markers {
    pub frame: Frame,
    /// The colour transform of an Adobe segment (Adobe Technical Note 5116, section 18).
    pub adobe_transform: Option<u8>,
    pub jfif: Option<Jfif>,
    pub exif: Option<Exif>,
    pub profile: Option<Arc<[u8]>>,
    /// Whether the first scan holds all components.
    pub interleaved: bool,
}

/// A JFIF segment: the components are gray or Y′CbCr (ITU-T T.871).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jfif {
    pub resolution: Option<Resolution>,
}

#[derive(Default)]
struct Found {
    frame: Option<Frame>,
    adobe_transform: Option<u8>,
    jfif: Option<Jfif>,
    exif: Option<Exif>,
    profile: Pieces,
}

const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const START_OF_SCAN: u8 = 0xDA;

impl Markers {
    /// Reads up to the first scan.
    pub fn read(input: &dyn ReadAt) -> Result<Self, DecodeError> {
        let mut segments = Segments::new(input);
        let mut found = Found::default();
        loop {
            let segment = segments.next_segment()?;
            if segment.marker == START_OF_SCAN {
                return found.at_scan(&segments.payload(&segment)?);
            }
            found.take(&mut segments, &segment)?;
        }
    }

    /// The colour space of the components, by libjpeg's rules.
    pub fn color(&self) -> ColorModel {
        match self.frame.components.len() {
            1 => ColorModel::Gray,
            3 if self.is_rgb() => ColorModel::Rgb,
            3 => ColorModel::YCbCr,
            _ => ColorModel::Cmyk,
        }
    }

    fn is_rgb(&self) -> bool {
        let ids: Vec<u8> = self
            .frame
            .components
            .iter()
            .map(|component| component.id)
            .collect();
        match (self.jfif, self.adobe_transform) {
            (Some(_), _) => false,
            (None, Some(transform)) => transform == 0,
            (None, None) if self.frame.process.lossless => ids != [1, 2, 3],
            (None, None) => ids == *b"RGB",
        }
    }

    pub fn resolution(&self) -> Option<Resolution> {
        self.jfif
            .and_then(|jfif| jfif.resolution)
            .or_else(|| self.exif.and_then(|exif| exif.resolution))
    }
}

impl Found {
    fn take(&mut self, segments: &mut Segments<'_>, segment: &Segment) -> Result<(), DecodeError> {
        match segment.marker {
            APP0 if self.jfif.is_none() => self.jfif = jfif(&segments.start_of(segment, 12)?),
            APP1 if self.exif.is_none() => {
                let exif = segments.payload_if(segment, b"Exif\0\0")?;
                self.exif = exif.map(|payload| Exif::parse(&payload));
            }
            APP2 => {
                let piece = segments.payload_if(segment, profile::SIGNATURE)?;
                piece.iter().for_each(|payload| self.profile.add(payload));
            }
            APP14 => {
                if let [b'A', b'd', b'o', b'b', b'e', .., transform] =
                    segments.start_of(segment, 12)?[..]
                {
                    self.adobe_transform = Some(transform);
                }
            }
            marker if starts_frame(marker) => {
                if self.frame.is_some() {
                    return Err(super::malformed("two frame headers"));
                }
                self.frame = Some(Frame::parse(marker, &segments.payload(segment)?)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn at_scan(self, scan: &[u8]) -> Result<Markers, DecodeError> {
        let frame = self
            .frame
            .ok_or_else(|| super::malformed("a scan before the frame header"))?;
        let in_scan = scan.first().map(|count| usize::from(*count));
        Ok(Markers {
            interleaved: in_scan == Some(frame.components.len()),
            frame,
            adobe_transform: self.adobe_transform,
            jfif: self.jfif,
            exif: self.exif,
            profile: self.profile.into_profile(),
        })
    }
}

fn jfif(payload: &[u8]) -> Option<Jfif> {
    let [b'J', b'F', b'I', b'F', 0, _, _, unit, x0, x1, y0, y1] = *payload else {
        return None;
    };
    let per_inch = match unit {
        1 => Some(1.0),
        2 => Some(2.54),
        // The shape of a pixel, not its size.
        _ => None,
    };
    let resolution = per_inch.and_then(|per_inch| {
        let x = f64::from(u16::from_be_bytes([x0, x1])) * per_inch;
        let y = f64::from(u16::from_be_bytes([y0, y1])) * per_inch;
        exif::resolution(x, y)
    });
    Some(Jfif { resolution })
}
