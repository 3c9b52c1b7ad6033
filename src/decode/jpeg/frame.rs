//! The frame header (ITU-T T.81, B.2.2) and what the processes are called.

use crate::decode::DecodeError;
use crate::geometry::Dimensions;

/// What the start-of-frame segment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub dimensions: Dimensions,
    pub process: Process,
    pub components: Vec<Component>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    pub id: u8,
    pub horizontal: u8,
    pub vertical: u8,
}

/// How the image is coded, from the marker (ITU-T T.81, table B.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub name: &'static str,
    pub progressive: bool,
    pub lossless: bool,
    /// Coded in a way that browsers do not read.
    pub arithmetic: bool,
}

/// libjpeg-turbo's limit on a side.
const LONGEST_SIDE: u16 = 65_500;

/// Whether a marker starts a frame: SOF0 to SOF15 without DHT, JPG and DAC.
pub const fn starts_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

impl Frame {
    pub fn parse(marker: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let process = process(marker)?;
        let [precision, h0, h1, w0, w1, count, components @ ..] = payload else {
            return Err(super::malformed("a frame header that is too short"));
        };
        check_precision(*precision)?;
        check_count(*count)?;
        if components.len() != usize::from(*count) * 3 {
            return Err(super::malformed("a frame header of impossible length"));
        }
        Ok(Self {
            dimensions: dimensions(
                u16::from_be_bytes([*w0, *w1]),
                u16::from_be_bytes([*h0, *h1]),
            )?,
            process,
            components: components
                .chunks_exact(3)
                .map(component)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Width in pixels of the column of blocks that are coded together.
    pub fn mcu_width(&self) -> u32 {
        8 * self.largest(|component| component.horizontal)
    }

    /// Bytes of all coefficients, which libjpeg-turbo keeps for images of several scans.
    pub fn coefficient_bytes(&self) -> u64 {
        let blocks: u32 = self
            .components
            .iter()
            .map(|component| u32::from(component.horizontal) * u32::from(component.vertical))
            .sum();
        let whole = self.largest(|component| component.horizontal)
            * self.largest(|component| component.vertical);
        2 * self.dimensions.area() * u64::from(blocks) / u64::from(whole)
    }

    /// The largest sampling factor, which has no meaning where there is one component only.
    fn largest(&self, factor: impl Fn(&Component) -> u8) -> u32 {
        if self.components.len() == 1 {
            return 1;
        }
        self.components
            .iter()
            .map(|component| u32::from(factor(component)))
            .max()
            .unwrap_or(1)
    }
}

fn process(marker: u8) -> Result<Process, DecodeError> {
    let (name, progressive, lossless) = match marker {
        0xC0 => ("baseline", false, false),
        0xC1 => ("extended sequential", false, false),
        0xC2 => ("progressive", true, false),
        0xC3 => ("lossless", false, true),
        0xC9 => ("arithmetic", false, false),
        0xCA => ("progressive arithmetic", true, false),
        0xCB => return Err(DecodeError::unsupported("lossless arithmetic JPEG")),
        _ => return Err(DecodeError::unsupported("hierarchical JPEG")),
    };
    Ok(Process {
        name,
        progressive,
        lossless,
        arithmetic: matches!(marker, 0xC9 | 0xCA),
    })
}

fn check_precision(bits: u8) -> Result<(), DecodeError> {
    if bits != 8 {
        return Err(DecodeError::unsupported(format!(
            "JPEG of {bits} bits per sample"
        )));
    }
    Ok(())
}

fn check_count(components: u8) -> Result<(), DecodeError> {
    if !matches!(components, 1 | 3 | 4) {
        return Err(DecodeError::unsupported(format!(
            "JPEG of {components} components"
        )));
    }
    Ok(())
}

fn dimensions(width: u16, height: u16) -> Result<Dimensions, DecodeError> {
    if height == 0 {
        return Err(DecodeError::unsupported(
            "JPEG that gives its height after the first scan",
        ));
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE {
        return Err(DecodeError::unsupported(format!(
            "JPEG of {width}x{height}"
        )));
    }
    Dimensions::new(width.into(), height.into()).ok_or_else(|| super::malformed("a width of zero"))
}

fn component(bytes: &[u8]) -> Result<Component, DecodeError> {
    let component = Component {
        id: bytes[0],
        horizontal: bytes[1] >> 4,
        vertical: bytes[1] & 0x0F,
    };
    let allowed = 1..=4;
    if !allowed.contains(&component.horizontal) || !allowed.contains(&component.vertical) {
        return Err(super::malformed("a sampling factor outside 1 to 4"));
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTO: [u8; 15] = [8, 0, 48, 0, 64, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];

    fn with(index: usize, value: u8) -> Result<Frame, DecodeError> {
        let mut payload = PHOTO;
        payload[index] = value;
        Frame::parse(0xC0, &payload)
    }

    #[test]
    fn a_sub_sampled_frame_is_read() {
        let frame = Frame::parse(0xC2, &PHOTO).unwrap();
        assert_eq!(frame.dimensions, Dimensions::new(64, 48).unwrap());
        assert_eq!(frame.mcu_width(), 16);
        assert_eq!(frame.coefficient_bytes(), 2 * 64 * 48 * 3 / 2);
        assert!(frame.process.progressive);
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        let texts = [
            (with(0, 12), "JPEG of 12 bits per sample is not supported"),
            (with(5, 2), "JPEG of 2 components is not supported"),
            (
                Frame::parse(0xC5, &PHOTO),
                "hierarchical JPEG is not supported",
            ),
        ];
        for (result, text) in texts {
            assert_eq!(result.unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn impossible_frames_are_malformed() {
        for (index, value) in [(4, 0), (5, 4), (7, 0x02), (7, 0x51)] {
            let result = with(index, value);
            assert!(
                matches!(result, Err(DecodeError::Malformed { .. })),
                "{index}: {result:?}"
            );
        }
        assert!(Frame::parse(0xC0, &PHOTO[..14]).is_err());
    }
}
