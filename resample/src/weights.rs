//! How much each pixel of the source has in each of the result, along one axis.

use std::f64::consts::PI;
use std::ops::Range;

use crate::Stretch;

/// Bits behind the point of a weight.
pub const PRECISION: u32 = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// sinc(x) sinc(x / 3) for |x| < 3 (Duchon, "Lanczos Filtering in One and Two Dimensions", 1979).
    Lanczos3,
    /// The cubic with B = 0 and C = 1/2 (Mitchell and Netravali, "Reconstruction Filters in Computer Graphics", 1988).
    CatmullRom,
}

impl Filter {
    /// Where it ends, in pixels of the result, or of the source where that has fewer.
    fn radius(self) -> f64 {
        match self {
            Self::Lanczos3 => 3.0,
            Self::CatmullRom => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Lanczos3 => lanczos3(x),
            Self::CatmullRom => catmull_rom(x),
        }
    }
}

/// With y = πx / 3, sin(πx) is sin(3y) = 3 sin y − 4 sin³ y: one sine will do.
fn lanczos3(x: f64) -> f64 {
    const SMALL: f64 = 1e-6;
    if x.abs() < SMALL {
        return 1.0;
    }
    let y = x * (PI / 3.0);
    let square = y.sin().powi(2);
    square * (3.0 - 4.0 * square) / (3.0 * y * y)
}

fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else {
        ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    }
}

/// For each pixel of the result as many weights; those behind the last one that counts are zero.
pub struct Weights {
    /// The pixel of the source that the first weight is for. They do not decrease.
    pub starts: Vec<usize>,
    /// An even number of each, and those of one pixel add up to one.
    values: Vec<i16>,
    /// Of each pixel.
    pub count: usize,
}

impl Weights {
    /// To bring a stretch within `extent` pixels to `to` pixels.
    pub fn new(filter: Filter, extent: usize, stretch: Stretch, to: usize) -> Self {
        let scale = stretch.length / to as f64;
        let width = scale.max(1.0);
        let radius = filter.radius() * width;
        let count = ((2.0 * radius) as usize + 1).next_multiple_of(2);
        let mut weights = Self {
            starts: Vec::with_capacity(to),
            values: vec![0; count * to],
            count,
        };
        let mut exact = Vec::with_capacity(count);
        for (index, values) in weights.values.chunks_exact_mut(count).enumerate() {
            // The middle of a pixel has the number of the pixel.
            let center = stretch.start + (index as f64 + 0.5) * scale - 0.5;
            let first = ((center - radius).floor() + 1.0).max(0.0) as usize;
            let end = ((center + radius).ceil() as usize).min(extent);
            let pixels = first..end.min(first + count);
            exact.clear();
            exact.extend(pixels.map(|pixel| filter.at((pixel as f64 - center) / width)));
            round(&exact, values);
            weights.starts.push(first);
        }
        weights
    }

    pub fn of(&self, index: usize) -> &[i16] {
        &self.values[index * self.count..][..self.count]
    }

    pub fn each(&self) -> impl Iterator<Item = (usize, &[i16])> {
        let values = self.values.chunks_exact(self.count);
        self.starts.iter().copied().zip(values)
    }

    /// The pixels of the source that have a weight.
    pub fn touched(&self, extent: usize) -> Range<usize> {
        let first = self.starts.first().copied().unwrap_or_default();
        let last = self.starts.last().copied().unwrap_or_default();
        first..(last + self.count).min(extent)
    }
}

/// To fixed point. What rounding takes or gives, the largest gets back.
fn round(exact: &[f64], values: &mut [i16]) {
    const ONE: i32 = 1 << PRECISION;
    /// Makes all of them positive, so that cutting off behind the point rounds.
    const SHIFT: i32 = 1 << 16;
    let unit = f64::from(ONE) / exact.iter().sum::<f64>();
    for (value, exact) in values.iter_mut().zip(exact) {
        let shifted = (exact * unit + f64::from(SHIFT) + 0.5) as i32;
        *value = (shifted - SHIFT) as i16;
    }
    let sum: i32 = values.iter().copied().map(i32::from).sum();
    if let Some(largest) = values.iter_mut().max() {
        *largest += (ONE - sum) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTERS: [Filter; 2] = [Filter::Lanczos3, Filter::CatmullRom];

    fn weights(filter: Filter, extent: usize, start: f64, length: f64, to: usize) -> Weights {
        Weights::new(filter, extent, Stretch { start, length }, to)
    }

    #[test]
    fn lanczos_is_a_product_of_two_sincs() {
        let sinc = |x: f64| {
            if x == 0.0 {
                1.0
            } else {
                (PI * x).sin() / (PI * x)
            }
        };
        for step in -2999..3000 {
            let x = f64::from(step) / 1000.0;
            let found = Filter::Lanczos3.at(x);
            assert!(
                (found - sinc(x) * sinc(x / 3.0)).abs() < 1e-12,
                "{x}: {found}"
            );
        }
    }

    #[test]
    fn filters_are_one_in_the_middle_and_zero_at_all_other_pixels() {
        for filter in FILTERS {
            assert!((filter.at(0.0) - 1.0).abs() < 1e-12);
            assert!((filter.at(1e-7) - 1.0).abs() < 1e-9, "no step near it");
            for x in [-2.0, -1.0, 1.0, 2.0] {
                assert!(filter.at(x).abs() < 1e-12, "{filter:?} at {x}");
            }
        }
    }

    #[test]
    fn weights_of_a_pixel_are_one_together() {
        for filter in FILTERS {
            for (extent, start, length, to) in [
                (1, 0.0, 1.0, 5),
                (2, 0.3, 1.2, 3),
                (40, 0.0, 40.0, 7),
                (40, 17.25, 3.5, 90),
                (5000, 0.0, 5000.0, 1),
            ] {
                let weights = weights(filter, extent, start, length, to);
                for (first, values) in weights.each() {
                    let sum: i32 = values.iter().copied().map(i32::from).sum();
                    assert_eq!(sum, 1 << PRECISION);
                    let beyond = values.iter().skip(extent - first);
                    assert!(
                        beyond.copied().all(|value| value == 0),
                        "there is no such pixel"
                    );
                }
                assert_eq!(weights.starts.len(), to);
                assert!(weights.starts.is_sorted());
            }
        }
    }

    /// None that counts is left out: as many are not zero as lie within the radius.
    #[test]
    fn all_within_the_radius_have_a_weight() {
        let weights = weights(Filter::Lanczos3, 1000, 0.0, 1000.0, 400);
        for (index, (first, values)) in weights.each().enumerate() {
            let center = (index as f64 + 0.5) * 2.5 - 0.5;
            for pixel in 0..1000 {
                let x = (pixel as f64 - center) / 2.5;
                let exact = if x.abs() < 3.0 {
                    lanczos3(x) / 2.5
                } else {
                    0.0
                };
                let at = usize::checked_sub(pixel, first);
                let value = at.and_then(|at| values.get(at)).copied().unwrap_or(0);
                let found = f64::from(value) / f64::from(1 << PRECISION);
                let is_inside = (8..392).contains(&index);
                assert!(
                    !is_inside || (found - exact).abs() < 2e-3,
                    "{index} {pixel}"
                );
            }
        }
    }
}
