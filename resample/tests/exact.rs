//! Against sums of floats over all pixels, as the filters are defined.

use std::f64::consts::PI;

use azulejo_resample::{Filter, Rgb, Stretch, resample};

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

fn kernel(filter: Filter, x: f64) -> f64 {
    let x = x.abs();
    match filter {
        Filter::Lanczos3 if x < 3.0 => sinc(x) * sinc(x / 3.0),
        Filter::CatmullRom if x < 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
        Filter::CatmullRom if x < 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
        _ => 0.0,
    }
}

/// The weights of all pixels in one of the result.
fn weights(filter: Filter, extent: usize, stretch: Stretch, to: usize, index: usize) -> Vec<f64> {
    let scale = stretch.length / to as f64;
    let center = stretch.start + (index as f64 + 0.5) * scale;
    let at = |pixel: usize| kernel(filter, (pixel as f64 + 0.5 - center) / scale.max(1.0));
    let all: Vec<f64> = (0..extent).map(at).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|weight| weight / sum).collect()
}

struct Case {
    extent: (usize, usize),
    columns: Stretch,
    rows: Stretch,
    to: (usize, usize),
    filter: Filter,
}

impl Case {
    fn samples(&self, seed: u32) -> Vec<u8> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Black and white beside each other make the filters go beyond both.
            match state >> 30 {
                0 => 0,
                1 => 255,
                _ => (state >> 20) as u8,
            }
        };
        let length = self.extent.0 * self.extent.1 * 3;
        std::iter::repeat_with(next).take(length).collect()
    }

    fn found(&self, samples: &[u8]) -> Option<Vec<u8>> {
        let image = Rgb::new(samples, self.extent.0, self.extent.1).unwrap();
        resample(image, self.columns, self.rows, self.to, self.filter)
    }

    /// One sample: the columns are summed and rounded first, as is documented.
    fn exact(&self, samples: &[u8], x: usize, y: usize, channel: usize) -> f64 {
        let (width, height) = self.extent;
        let down = weights(self.filter, height, self.rows, self.to.1, y);
        let across = weights(self.filter, width, self.columns, self.to.0, x);
        let column = |column: usize| {
            let sample = |row: usize| f64::from(samples[(row * width + column) * 3 + channel]);
            let sum: f64 = down
                .iter()
                .enumerate()
                .map(|(row, weight)| weight * sample(row))
                .sum();
            sum.round().clamp(0.0, 255.0)
        };
        across
            .iter()
            .enumerate()
            .map(|(at, weight)| weight * column(at))
            .sum()
    }
}

fn stretch(start: f64, length: f64) -> Stretch {
    Stretch { start, length }
}

fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn pixels_are_the_sums_that_the_filters_say() {
    let cases = [
        ((11, 1), (0.0, 11.0), (0.0, 1.0), (1, 1)),
        ((11, 2), (0.0, 11.0), (0.0, 2.0), (5, 1)),
        ((12, 7), (0.0, 12.0), (0.0, 7.0), (11, 6)),
        ((33, 9), (2.5, 29.25), (0.125, 8.5), (14, 5)),
        ((64, 40), (0.0, 64.0), (0.0, 40.0), (43, 27)),
        ((64, 40), (17.3, 30.1), (3.0, 36.9), (61, 73)),
        ((90, 31), (0.0, 90.0), (0.0, 31.0), (9, 3)),
        ((90, 31), (40.0, 12.0), (20.0, 11.0), (100, 31)),
        ((200, 16), (0.0, 200.0), (0.0, 16.0), (13, 1)),
        ((25, 70), (0.0, 25.0), (0.0, 70.0), (25, 8)),
    ];
    for filter in [Filter::Lanczos3, Filter::CatmullRom] {
        for (seed, (extent, columns, rows, to)) in cases.into_iter().enumerate() {
            let (columns, rows) = (stretch(columns.0, columns.1), stretch(rows.0, rows.1));
            let case = Case {
                extent,
                columns,
                rows,
                to,
                filter,
            };
            let samples = case.samples(seed as u32);
            let Some(found) = case.found(&samples) else {
                assert!(!has_avx2(), "{extent:?}");
                continue;
            };
            assert_eq!(found.len(), to.0 * to.1 * 3);
            for (index, sample) in found.iter().enumerate() {
                let (pixel, channel) = (index / 3, index % 3);
                let (x, y) = (pixel % to.0, pixel / to.0);
                let exact = case.exact(&samples, x, y, channel).clamp(0.0, 255.0);
                let far = (f64::from(*sample) - exact).abs();
                assert!(
                    far < 1.6,
                    "{filter:?} {extent:?} to {to:?}: {x} {y} {sample} {exact}"
                );
            }
        }
    }
}

#[test]
fn flat_colors_stay() {
    for value in [0, 1, 127, 254, 255] {
        let samples = [value, 255 - value, 3].repeat(50 * 20);
        let image = Rgb::new(&samples, 50, 20).unwrap();
        for to in [(4, 2), (17, 13), (49, 20), (77, 31)] {
            let (columns, rows) = (stretch(0.5, 48.0), stretch(0.0, 20.0));
            let found = resample(image, columns, rows, to, Filter::Lanczos3);
            let wanted = [value, 255 - value, 3].repeat(to.0 * to.1);
            assert_eq!(found, has_avx2().then_some(wanted), "{value} {to:?}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    assert!(Rgb::new(&[0; 8], 3, 1).is_none());
    assert!(Rgb::new(&[], 0, 4).is_none());
    assert!(Rgb::new(&[], usize::MAX, usize::MAX).is_none());
    let samples = [0; 20 * 20 * 3];
    let image = Rgb::new(&samples, 20, 20).unwrap();
    let all = stretch(0.0, 20.0);
    let try_it = |columns, rows, to| resample(image, columns, rows, to, Filter::Lanczos3);
    assert_eq!(try_it(all, all, (5, 5)).is_some(), has_avx2());
    assert!(try_it(stretch(-0.5, 20.0), all, (5, 5)).is_none());
    assert!(try_it(all, stretch(0.0, 20.5), (5, 5)).is_none());
    assert!(try_it(all, stretch(0.0, f64::NAN), (5, 5)).is_none());
    assert!(try_it(all, stretch(3.0, 0.0), (5, 5)).is_none());
    assert!(try_it(all, all, (0, 5)).is_none());
    assert!(try_it(all, all, (1, 5)).is_none(), "twenty to one");
    assert!(try_it(all, all, (5, 1)).is_none(), "twenty to one");
    assert!(
        try_it(stretch(0.0, 1.0), all, (5, 5)).is_none(),
        "few columns"
    );
}
