//! The transforms of a line written down from annex F as they stand there: with its extension, position by position, in 64 bits.

use crate::wavelet::{Filter, Irreversible, Reversible};

/// A line with its symmetric extension (1D_EXTR, equations F-3 and F-4).
struct Extended<'a, T>(&'a [T], i64);

impl<T: Copy> Extended<'_, T> {
    fn at(&self, position: i64) -> T {
        let period = 2 * (self.0.len() as i64 - 1);
        let offset = (position - self.1).rem_euclid(period);
        self.0[offset.min(period - offset) as usize]
    }
}

/// A line whose samples are at positions from `start` on; changes those of one parity.
fn step<T: Copy>(line: &mut [T], start: i64, parity: i64, change: impl Fn(T, T, T) -> T) {
    let old = line.to_vec();
    let extended = Extended(&old, start);
    for (sample, position) in line.iter_mut().zip(start..) {
        if position.rem_euclid(2) == parity {
            *sample = change(
                extended.at(position),
                extended.at(position - 1),
                extended.at(position + 1),
            );
        }
    }
}

/// What the tests know of a filter: both directions of it, of one line (F.3.6 and F.4.6).
pub trait Lines: Filter {
    type Exact: Copy + Default + PartialEq;
    fn exact(random: u64) -> Self::Exact;
    fn stored(exact: Self::Exact) -> Self::Sample;
    fn near(sample: Self::Sample, exact: Self::Exact) -> bool;
    fn equal(exact: Self::Exact, other: Self::Exact) -> bool;
    fn analyse(line: &mut [Self::Exact], start: i64);
    fn synthesize(line: &mut [Self::Exact], start: i64);
}

impl Lines for Reversible {
    type Exact = i64;

    fn exact(random: u64) -> i64 {
        random as i64 % 1024 - 512
    }

    fn stored(exact: i64) -> i32 {
        exact as i32
    }

    fn near(sample: i32, exact: i64) -> bool {
        i64::from(sample) == exact
    }

    fn equal(exact: i64, other: i64) -> bool {
        exact == other
    }

    fn analyse(line: &mut [i64], start: i64) {
        if let [only] = line {
            *only *= 1 + start.rem_euclid(2);
            return;
        }
        step(line, start, 1, |x, before, after| {
            x - (before + after).div_euclid(2)
        });
        step(line, start, 0, |x, before, after| {
            x + (before + after + 2).div_euclid(4)
        });
    }

    fn synthesize(line: &mut [i64], start: i64) {
        if let [only] = line {
            *only /= 1 + start.rem_euclid(2);
            return;
        }
        step(line, start, 0, |x, before, after| {
            x - (before + after + 2).div_euclid(4)
        });
        step(line, start, 1, |x, before, after| {
            x + (before + after).div_euclid(2)
        });
    }
}

const ALPHA: f64 = -1.586_134_342_059_924;
const BETA: f64 = -0.052_980_118_572_961;
const GAMMA: f64 = 0.882_911_075_530_934;
const DELTA: f64 = 0.443_506_852_043_971;
const K: f64 = 1.230_174_104_914_001;

impl Lines for Irreversible {
    type Exact = f64;

    fn exact(random: u64) -> f64 {
        (random % 102_400) as f64 / 100.0 - 512.0
    }

    fn stored(exact: f64) -> f32 {
        exact as f32
    }

    fn near(sample: f32, exact: f64) -> bool {
        (f64::from(sample) - exact).abs() < 0.002
    }

    fn equal(exact: f64, other: f64) -> bool {
        (exact - other).abs() < 1e-9
    }

    fn analyse(line: &mut [f64], start: i64) {
        if let [only] = line {
            *only *= (1 + start.rem_euclid(2)) as f64;
            return;
        }
        for (parity, factor) in [(1, ALPHA), (0, BETA), (1, GAMMA), (0, DELTA)] {
            step(line, start, parity, |x, before, after| {
                x + factor * (before + after)
            });
        }
        step(line, start, 1, |x, _, _| K * x);
        step(line, start, 0, |x, _, _| x / K);
    }

    fn synthesize(line: &mut [f64], start: i64) {
        if let [only] = line {
            *only /= (1 + start.rem_euclid(2)) as f64;
            return;
        }
        step(line, start, 0, |x, _, _| K * x);
        step(line, start, 1, |x, _, _| x / K);
        for (parity, factor) in [(0, DELTA), (1, GAMMA), (0, BETA), (1, ALPHA)] {
            step(line, start, parity, |x, before, after| {
                x - factor * (before + after)
            });
        }
    }
}
