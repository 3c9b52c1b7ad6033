//! From the samples of the wavelet transform to those of the image (ISO/IEC 15444-1, annex G).

use crate::Error;
use crate::color;
use crate::wavelet::Plane;

/// Samples of a component before its colour is transformed back.
pub enum Transformed {
    Whole(Plane<i32>),
    Real(Plane<f32>),
}

/// What samples a component has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Bits.
    pub precision: u8,
    pub signed: bool,
}

/// Undoes the transform of the first three components.
///
/// # Errors
/// If they are not alike.
pub fn transform_colors(planes: &mut [Transformed]) -> Result<(), Error> {
    match planes {
        [
            Transformed::Whole(a),
            Transformed::Whole(b),
            Transformed::Whole(c),
            ..,
        ] if are_alike(a, b, c) => {
            color::reversible([&mut a.samples, &mut b.samples, &mut c.samples]);
        }
        [
            Transformed::Real(a),
            Transformed::Real(b),
            Transformed::Real(c),
            ..,
        ] if are_alike(a, b, c) => {
            color::irreversible([&mut a.samples, &mut b.samples, &mut c.samples]);
        }
        _ => return Err(Error("a colour transform of components that differ")),
    }
    Ok(())
}

fn are_alike<T>(a: &Plane<T>, b: &Plane<T>, c: &Plane<T>) -> bool {
    [b, c].iter().all(|other| a.x == other.x && a.y == other.y)
}

impl Transformed {
    /// Rounds the samples, shifts those without a sign (G.1), and brings all into the range of the component.
    pub fn finished(self, depth: Depth) -> Plane<i32> {
        let mut plane = match self {
            Self::Whole(plane) => plane,
            Self::Real(plane) => rounded(plane),
        };
        let half = 1 << (depth.precision - 1);
        let shift = if depth.signed { 0 } else { half };
        for sample in &mut plane.samples {
            *sample = (*sample).clamp(-half, half - 1) + shift;
        }
        plane
    }
}

fn rounded(plane: Plane<f32>) -> Plane<i32> {
    let mut samples = vec![0; plane.samples.len()];
    color::round(&plane.samples, &mut samples);
    Plane {
        x: plane.x,
        y: plane.y,
        samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane<T>(samples: Vec<T>) -> Plane<T> {
        Plane {
            x: 0..samples.len() as u32,
            y: 0..1,
            samples,
        }
    }

    #[test]
    fn samples_stay_within_their_range() {
        let depth = Depth {
            precision: 8,
            signed: false,
        };
        let whole = Transformed::Whole(plane(vec![-200, -128, 0, 127, 128, i32::MAX]));
        assert_eq!(whole.finished(depth).samples, [0, 0, 128, 255, 255, 255]);
        let real = Transformed::Real(plane(vec![-0.6, 126.4, 1e9, f32::NAN]));
        let finished = real.finished(Depth {
            signed: true,
            ..depth
        });
        assert_eq!(finished.samples[..3], [-1, 126, 127]);
    }

    #[test]
    fn components_that_differ_cannot_be_transformed_together() {
        let whole = || Transformed::Whole(plane(vec![1, 2]));
        let real = Transformed::Real(plane(vec![1.0, 2.0]));
        assert!(transform_colors(&mut [whole(), whole(), real]).is_err());
        assert!(
            transform_colors(&mut [whole(), whole(), Transformed::Whole(plane(vec![1]))]).is_err()
        );
        assert!(transform_colors(&mut [whole(), whole()]).is_err());
        assert!(transform_colors(&mut [whole(), whole(), whole()]).is_ok());
    }
}
