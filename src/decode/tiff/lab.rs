//! CIE L*a*b* to sRGB (TIFF 6.0, section 23; technical note on ICC L*a*b*; IEC 61966-2-1).

use crate::raster::Samples;

/// How L*, a* and b* are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Photometric 8: a* and b* are signed.
    Cie,
    /// Photometric 9: a* and b* have an offset, and 100 at 16 bits is FF00, as in ICC profiles of version 2.
    Icc,
}

impl Encoding {
    /// L*, a* and b* of stored samples.
    fn of_bytes(self, [l, a, b]: [u8; 3]) -> [f64; 3] {
        let chroma = |byte: u8| match self {
            Self::Cie => f64::from(byte as i8),
            Self::Icc => f64::from(byte) - 128.0,
        };
        [f64::from(l) / 2.55, chroma(a), chroma(b)]
    }

    fn of_words(self, [l, a, b]: [u16; 3]) -> [f64; 3] {
        let chroma = |word: u16| match self {
            Self::Cie => f64::from(word as i16) / 256.0,
            Self::Icc => f64::from(word) / 256.0 - 128.0,
        };
        let white = match self {
            Self::Cie => 65535.0,
            Self::Icc => 65280.0,
        };
        [f64::from(l) * 100.0 / white, chroma(a), chroma(b)]
    }

    /// Pixels of L*a*b* and perhaps alpha to sRGB of 8 bits.
    pub fn to_srgb(self, stored: &Samples, channels: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(stored.len());
        match stored {
            Samples::U8(samples) => {
                for pixel in samples.chunks_exact(channels) {
                    out.extend(srgb(self.of_bytes([pixel[0], pixel[1], pixel[2]])));
                    out.extend(&pixel[3..]);
                }
            }
            Samples::U16(samples) => {
                for pixel in samples.chunks_exact(channels) {
                    out.extend(srgb(self.of_words([pixel[0], pixel[1], pixel[2]])));
                    out.extend(pixel[3..].iter().map(|alpha| (alpha >> 8) as u8));
                }
            }
        }
        out
    }
}

fn srgb(lab: [f64; 3]) -> [u8; 3] {
    /// From XYZ under D50 to linear sRGB: Bradford adaptation to D65 and the primaries in one.
    const FROM_D50: [[f64; 3]; 3] = [
        [3.133_856_1, -1.616_866_7, -0.490_614_6],
        [-0.978_768_4, 1.916_141_5, 0.033_454_0],
        [0.071_945_3, -0.228_991_4, 1.405_242_7],
    ];
    let xyz = to_xyz(lab);
    FROM_D50.map(|row| {
        let linear = row
            .iter()
            .zip(xyz)
            .map(|(factor, value)| factor * value)
            .sum();
        (gamma(linear) * 255.0).round() as u8
    })
}

/// CIE 15, 8.2.1, inverted; the white point is D50.
fn to_xyz([l, a, b]: [f64; 3]) -> [f64; 3] {
    const D50: [f64; 3] = [0.964_22, 1.0, 0.825_21];
    const LINEAR_BELOW: f64 = 6.0 / 29.0;
    let y = (l + 16.0) / 116.0;
    let inverse = |value: f64| {
        if value > LINEAR_BELOW {
            value.powi(3)
        } else {
            3.0 * LINEAR_BELOW.powi(2) * (value - 4.0 / 29.0)
        }
    };
    [
        D50[0] * inverse(y + a / 500.0),
        D50[1] * inverse(y),
        D50[2] * inverse(y - b / 200.0),
    ]
}

fn gamma(linear: f64) -> f64 {
    if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_gray_have_no_hue() {
        assert_eq!(srgb([100.0, 0.0, 0.0]), [255, 255, 255]);
        assert_eq!(srgb([0.0, 0.0, 0.0]), [0, 0, 0]);
        assert_eq!(srgb([53.585, 0.0, 0.0]), [128, 128, 128]);
    }

    /// The red of sRGB under D50.
    #[test]
    fn red_is_red() {
        let [red, green, blue] = srgb([54.29, 80.81, 69.89]);
        assert!(
            red >= 254 && green <= 2 && blue <= 2,
            "{red} {green} {blue}"
        );
    }

    #[test]
    fn both_encodings_and_depths_mean_the_same() {
        let lab = [50.0, -20.0, 30.0];
        let close = |found: [f64; 3]| found.iter().zip(lab).all(|(a, b)| (a - b).abs() < 0.3);
        assert!(close(Encoding::Cie.of_bytes([128, (-20_i8) as u8, 30])));
        assert!(close(Encoding::Icc.of_bytes([128, 108, 158])));
        assert!(close(Encoding::Cie.of_words([
            32768,
            (-5120_i16) as u16,
            7680
        ])));
        assert!(close(Encoding::Icc.of_words([32640, 27648, 40448])));
    }
}
