//! The decoded coefficients of a code-block.

/// Coefficients with one bit after the binary point, row by row, in as few bytes as hold them.
#[derive(Debug, PartialEq, Eq)]
pub enum Samples {
    Short(Box<[i16]>),
    Long(Box<[i32]>),
}

impl Samples {
    /// Those of a code-block of so many bit-planes.
    pub fn new(samples: &[i32], planes: u8) -> Self {
        const SHORT: u8 = 14;
        if planes <= SHORT {
            Self::Short(samples.iter().map(|&sample| sample as i16).collect())
        } else {
            Self::Long(samples.into())
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Self::Short(samples) => size_of_val(&samples[..]),
            Self::Long(samples) => size_of_val(&samples[..]),
        }
    }
}

/// A coefficient of a sub-band, as the wavelet transform takes it.
pub trait Coefficient: Copy + Default {
    /// From a value with one bit after the binary point, and what one stands for.
    fn dequantized(value: i32, step: f32) -> Self;
}

impl Coefficient for i32 {
    fn dequantized(value: i32, _step: f32) -> Self {
        value / 2
    }
}

impl Coefficient for f32 {
    fn dequantized(value: i32, step: f32) -> Self {
        value as f32 * (step * 0.5)
    }
}

/// Writes a stretch of a row of a code-block to where it belongs.
pub fn copy_row<C: Coefficient>(samples: &Samples, from: usize, row: &mut [C], step: f32) {
    match samples {
        Samples::Short(samples) => {
            for (to, from) in row.iter_mut().zip(&samples[from..]) {
                *to = C::dequantized(i32::from(*from), step);
            }
        }
        Samples::Long(samples) => {
            for (to, from) in row.iter_mut().zip(&samples[from..]) {
                *to = C::dequantized(*from, step);
            }
        }
    }
}
