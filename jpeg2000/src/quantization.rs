//! How coefficients are scaled (ISO/IEC 15444-1, A.6.4 and annex E).

use crate::{Band, Error};

/// From QCD or QCC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantization {
    guard_bits: u8,
    style: Style,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Style {
    /// The exponent of LL, from which the others follow.
    Derived(Step),
    /// For LL and then for three sub-bands of each resolution.
    Expounded(Vec<Step>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    exponent: u8,
    /// Of 2048.
    mantissa: u16,
}

/// How the coefficients of a sub-band are told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Magnitude bit-planes (E-2).
    pub planes: u8,
    /// What one stands for (E-3); of no weight where the transform is reversible.
    pub step: f32,
}

impl Quantization {
    /// The content of a QCD marker segment, or of QCC after the component.
    ///
    /// # Errors
    /// If it is none (table A.28).
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let (&flags, steps) = content.split_first().ok_or(Error("no quantization"))?;
        let pair = |bytes: &[u8]| {
            let value = u16::from_be_bytes([bytes[0], bytes[1]]);
            Step {
                exponent: (value >> 11) as u8,
                mantissa: value & 0x7FF,
            }
        };
        let style = match flags & 31 {
            0 => Style::Expounded(
                steps
                    .iter()
                    .map(|value| Step {
                        exponent: value >> 3,
                        mantissa: 0,
                    })
                    .collect(),
            ),
            1 if steps.len() >= 2 => Style::Derived(pair(steps)),
            2 => Style::Expounded(steps.chunks_exact(2).map(pair).collect()),
            _ => return Err(Error("a quantization of an unknown kind")),
        };
        Ok(Self {
            guard_bits: flags >> 5,
            style,
        })
    }

    /// The scale of a sub-band: of a resolution of a component of so many bits.
    ///
    /// # Errors
    /// If none is told.
    pub fn scale(&self, (resolution, band): (u8, Band), precision: u8) -> Result<Scale, Error> {
        let step = match &self.style {
            // E-5: each decomposition takes one from the exponent.
            Style::Derived(step) => Step {
                exponent: step.exponent.saturating_sub(resolution.saturating_sub(1)),
                ..*step
            },
            Style::Expounded(steps) => {
                let index = match resolution {
                    0 => 0,
                    _ => 3 * usize::from(resolution) - 3 + band as usize,
                };
                *steps
                    .get(index)
                    .ok_or(Error("a sub-band without quantization"))?
            }
        };
        let gain = match band {
            Band::LL => 0,
            Band::HL | Band::LH => 1,
            Band::HH => 2,
        };
        let range = i32::from(precision) + gain;
        let step_size = (range - i32::from(step.exponent)) as f32;
        Ok(Scale {
            planes: (self.guard_bits + step.exponent).saturating_sub(1),
            step: step_size.exp2() * (1.0 + f32::from(step.mantissa) / 2048.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reversible_steps_are_exponents() {
        let quantization = Quantization::parse(&[2 << 5, 8 << 3, 9 << 3, 9 << 3, 10 << 3]).unwrap();
        let planes = |place| quantization.scale(place, 8).map(|scale| scale.planes);
        assert_eq!(planes((0, Band::LL)), Ok(9));
        assert_eq!(planes((1, Band::LH)), Ok(10));
        assert_eq!(planes((1, Band::HH)), Ok(11));
        assert!(planes((2, Band::HL)).is_err());
    }

    #[test]
    fn a_step_is_a_share_of_the_range() {
        let value = (10_u16 << 11 | 1024).to_be_bytes();
        let content = [2 | 1 << 5, 0, 0, value[0], value[1]];
        let quantization = Quantization::parse(&content).unwrap();
        // Nine bits in HL: 2^(9 - 10) and a half more.
        let scale = quantization.scale((1, Band::HL), 8).unwrap();
        assert_eq!(
            scale,
            Scale {
                planes: 10,
                step: 0.75
            }
        );
    }

    #[test]
    fn derived_steps_follow_from_the_first() {
        let value = (12_u16 << 11).to_be_bytes();
        let quantization = Quantization::parse(&[1 | 2 << 5, value[0], value[1]]).unwrap();
        let planes = |place| quantization.scale(place, 8).unwrap().planes;
        assert_eq!(planes((0, Band::LL)), 13);
        assert_eq!(planes((1, Band::HH)), 13);
        assert_eq!(planes((3, Band::HH)), 11);
    }

    #[test]
    fn what_is_no_quantization_is_an_error() {
        for content in [&[][..], &[1], &[1, 0], &[3, 0, 0]] {
            assert!(Quantization::parse(content).is_err(), "{content:?}");
        }
    }
}
