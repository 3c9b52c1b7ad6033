//! Rotation by any angle (T06 to T08).

use crate::geometry::Dimensions;
use crate::raster::{Layout, Raster, Samples};

use super::color::plain;

/// Positions are counted in 1/256 of a pixel: with 8-bit samples and alpha, sums of four weighted pixels then just fit
/// in 32 bits.
const STEPS: f64 = 256.0;

/// Turns clockwise by any angle, about the centre and without scaling. Nothing is cut off; what the corners uncover is
/// transparent. Multiples of 90 degrees belong to [`orient`](super::orient::orient), which is exact.
pub fn rotate(raster: Raster, degrees: f64) -> Raster {
    let raster = plain(raster);
    let turn = Turn::new(raster.dimensions(), degrees);
    let samples = raster.as_u8().unwrap_or_default();
    let (layout, turned) = match raster.layout() {
        Layout::Gray => (
            Layout::GrayAlpha,
            turn.apply::<1, 2>(samples, |[value]| [value, 255]),
        ),
        Layout::GrayAlpha => (Layout::GrayAlpha, turn.apply::<2, 2>(samples, |p| p)),
        Layout::Rgba => (Layout::Rgba, turn.apply::<4, 4>(samples, |p| p)),
        _ => (
            Layout::Rgba,
            turn.apply::<3, 4>(samples, |[r, g, b]| [r, g, b, 255]),
        ),
    };
    Raster::new(turn.to, layout, Samples::U8(turned))
}

/// The dimensions after a turn: those of the smallest upright rectangle around it, rounded to the nearest (T07).
pub fn rotated(from: Dimensions, degrees: f64) -> Dimensions {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = (f64::from(from.width()), f64::from(from.height()));
    let side = |length: f64| length.round() as u32;
    Dimensions::at_least_one(
        side((width * cos).abs() + (height * sin).abs()),
        side((height * cos).abs() + (width * sin).abs()),
    )
}

struct Turn {
    from: Dimensions,
    to: Dimensions,
    sin: f64,
    cos: f64,
}

impl Turn {
    fn new(from: Dimensions, degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let to = rotated(from, degrees);
        Self { from, to, sin, cos }
    }

    /// For each pixel of the result, the four source pixels around the place that it came from.
    fn apply<const FROM: usize, const TO: usize>(
        &self,
        samples: &[u8],
        with_alpha: impl Fn([u8; FROM]) -> [u8; TO],
    ) -> Vec<u8> {
        let framed = self.framed(samples, with_alpha);
        let stride = self.from.width() as usize + 2;
        let mut turned = vec![[0; TO]; self.to.area() as usize];
        for (row, y) in turned.chunks_exact_mut(self.to.width() as usize).zip(0..) {
            for (pixel, x) in row.iter_mut().zip(0..) {
                if let Some(place) = self.place(x, y) {
                    let index = place.y * stride + place.x;
                    let (upper, lower) = (&framed[index..], &framed[index + stride..]);
                    let around = [upper[0], upper[1], lower[0], lower[1]];
                    *pixel = blend(around, place.weights());
                }
            }
        }
        turned.into_flattened()
    }

    /// The source with an alpha channel and a transparent pixel all around, into which its edges fade.
    fn framed<const FROM: usize, const TO: usize>(
        &self,
        samples: &[u8],
        with_alpha: impl Fn([u8; FROM]) -> [u8; TO],
    ) -> Vec<[u8; TO]> {
        let width = self.from.width() as usize;
        let stride = width + 2;
        let mut framed = vec![[0; TO]; stride * (self.from.height() as usize + 2)];
        let rows = samples.as_chunks::<FROM>().0.chunks_exact(width);
        for (line, row) in framed.chunks_exact_mut(stride).skip(1).zip(rows) {
            for (into, &pixel) in line[1..].iter_mut().zip(row) {
                *into = with_alpha(pixel);
            }
        }
        framed
    }

    /// Where in the framed source the centre of a pixel of the result came from; `None` outside of the frame.
    fn place(&self, x: u32, y: u32) -> Option<Place> {
        let half = |side: u32| f64::from(side) / 2.0;
        let right = f64::from(x) + 0.5 - half(self.to.width());
        let down = f64::from(y) + 0.5 - half(self.to.height());
        // Pixel 0 of the source is pixel 1 of the frame, and its centre lies half a pixel further.
        let source_x = right * self.cos + down * self.sin + half(self.from.width()) + 0.5;
        let source_y = down * self.cos - right * self.sin + half(self.from.height()) + 0.5;
        let (x, part_x) = split(source_x, self.from.width())?;
        let (y, part_y) = split(source_y, self.from.height())?;
        Some(Place {
            x,
            y,
            part_x,
            part_y,
        })
    }
}

/// A position in the frame: the pixel, and how far it is to the next in 1/256.
struct Place {
    x: usize,
    y: usize,
    part_x: u32,
    part_y: u32,
}

impl Place {
    /// Of the four pixels around; they sum up to 65536.
    fn weights(&self) -> [u32; 4] {
        let (x, y) = (self.part_x, self.part_y);
        [(256 - x) * (256 - y), x * (256 - y), (256 - x) * y, x * y]
    }
}

fn split(position: f64, side: u32) -> Option<(usize, u32)> {
    let steps = (position * STEPS).round();
    if steps < 0.0 || steps >= f64::from(side + 1) * STEPS {
        return None;
    }
    let steps = steps as u64;
    Some(((steps / 256) as usize, (steps % 256) as u32))
}

/// The weighted mean of four pixels whose last channel is alpha. Colours count by their alpha: what is transparent
/// would darken the edges otherwise.
fn blend<const N: usize>(around: [[u8; N]; 4], weights: [u32; 4]) -> [u8; N] {
    let shares: [u32; 4] = std::array::from_fn(|i| weights[i] * u32::from(around[i][N - 1]));
    let alpha: u32 = shares.iter().sum();
    if alpha == 0 {
        return [0; N];
    }
    std::array::from_fn(|channel| {
        if channel == N - 1 {
            return ((alpha + (1 << 15)) >> 16) as u8;
        }
        let sum: u32 = (0..4)
            .map(|i| shares[i] * u32::from(around[i][channel]))
            .sum();
        ((u64::from(sum) + u64::from(alpha / 2)) / u64::from(alpha)) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orientation::{Orientation, QuarterTurn};
    use crate::transform::orient::orient;
    use crate::transform::testing::{pixel, raster};

    fn sides(raster: &Raster) -> (u32, u32) {
        (raster.dimensions().width(), raster.dimensions().height())
    }

    fn flat(width: u32, height: u32, color: [u8; 3]) -> Raster {
        let area = (width * height) as usize;
        raster(width, height, Layout::Rgb, &color.repeat(area))
    }

    /// T07; the last is the example of O01.
    #[test]
    fn nothing_is_cut_off() {
        let cases = [
            ((100, 100), 45.0, (141, 141)),
            ((200, 100), 30.0, (223, 187)),
            ((1, 1), 45.0, (1, 1)),
            ((90, 105), 345.0, (114, 125)),
        ];
        for ((width, height), degrees, wanted) in cases {
            let turned = rotate(flat(width, height, [1, 2, 3]), degrees);
            assert_eq!(sides(&turned), wanted, "{width}x{height} by {degrees}");
        }
    }

    #[test]
    fn corners_are_transparent_and_the_inside_is_untouched() {
        let turned = rotate(flat(100, 100, [10, 200, 30]), 45.0);
        for (x, y) in [(0, 0), (140, 0), (0, 140), (140, 140)] {
            assert_eq!(pixel(&turned, x, y), [0, 0, 0, 0]);
        }
        for (x, y) in [(70, 70), (70, 5), (5, 70), (40, 40)] {
            assert_eq!(pixel(&turned, x, y), [10, 200, 30, 255]);
        }
    }

    #[test]
    fn edges_fade_without_darkening() {
        let turned = rotate(flat(50, 50, [10, 200, 30]), 17.0);
        let pixels = turned.as_u8().unwrap().as_chunks::<4>().0;
        let edge: Vec<_> = pixels.iter().filter(|p| p[3] > 0 && p[3] < 255).collect();
        assert!(edge.len() > 100, "{} half-transparent pixels", edge.len());
        assert!(edge.iter().all(|p| p[..3] == [10, 200, 30]));
    }

    /// T08: the area stays.
    #[test]
    fn the_content_is_not_scaled() {
        let turned = rotate(flat(60, 40, [9, 9, 9]), 33.0);
        let alphas = turned.as_u8().unwrap().iter().skip(3).step_by(4);
        let area: u64 = alphas.map(|&alpha| u64::from(alpha)).sum::<u64>() / 255;
        assert!(area.abs_diff(60 * 40) < 12, "{area}");
    }

    /// Clockwise: what was on the right goes down.
    #[test]
    fn it_turns_clockwise() {
        let mut samples = vec![0; 41 * 41];
        for row in samples.chunks_exact_mut(41).skip(18).take(5) {
            row[30..35].fill(255);
        }
        let turned = rotate(raster(41, 41, Layout::Gray, &samples), 45.0);
        // 12 pixels right of the centre become 8.5 right and 8.5 down of it.
        assert_eq!(sides(&turned), (58, 58));
        assert_eq!(pixel(&turned, 37, 37), [255, 255]);
        assert_eq!(pixel(&turned, 37, 20), [0, 255]);
    }

    /// The limit case shows that nothing is shifted by half a pixel.
    #[test]
    fn a_quarter_turn_would_equal_the_permutation() {
        let samples: Vec<u8> = (0..7 * 4).map(|i| i * 9).collect();
        let source = raster(7, 4, Layout::Gray, &samples);
        let quarter = Orientation {
            mirrored: false,
            turn: QuarterTurn::Quarter,
        };
        let permuted = orient(source.clone(), quarter);
        let turned = rotate(source, 90.0);
        assert_eq!(sides(&turned), (4, 7));
        for (x, y) in (0..4).flat_map(|x| (0..7).map(move |y| (x, y))) {
            let wanted = pixel(&permuted, x, y)[0];
            assert_eq!(pixel(&turned, x, y), [wanted, 255], "{x},{y}");
        }
    }

    #[test]
    fn alpha_of_the_source_stays() {
        let source = raster(21, 21, Layout::GrayAlpha, &[80, 100].repeat(441));
        let turned = rotate(source, 10.0);
        assert_eq!(turned.layout(), Layout::GrayAlpha);
        let (width, height) = sides(&turned);
        assert_eq!(pixel(&turned, width / 2, height / 2), [80, 100]);
    }
}
