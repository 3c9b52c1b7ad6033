//! Windows against whole transforms of lines, one after the other, as the standard has them.

mod standard;

use super::*;
use standard::Lines;

/// A whole plane, row by row.
#[derive(Clone)]
struct Whole<T> {
    x: Range<i64>,
    y: Range<i64>,
    samples: Vec<T>,
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20
    }

    fn within(&mut self, range: &Range<i64>) -> Range<i64> {
        let length = range.end - range.start + 1;
        let [a, b] = [self.next(), self.next()].map(|random| range.start + random as i64 % length);
        a.min(b)..a.max(b)
    }
}

impl<T: Copy + Default> Whole<T> {
    fn new(x: Range<i64>, y: Range<i64>, mut sample: impl FnMut(i64, i64) -> T) -> Self {
        let samples = y
            .clone()
            .flat_map(|y| x.clone().map(move |x| (x, y)))
            .map(|(x, y)| sample(x, y))
            .collect();
        Self { x, y, samples }
    }

    fn at(&self, x: i64, y: i64) -> T {
        self.samples[((y - self.y.start) * (self.x.end - self.x.start) + x - self.x.start) as usize]
    }

    fn rows(&mut self, line: impl Fn(&mut [T], i64)) {
        let width = (self.x.end - self.x.start) as usize;
        self.samples
            .chunks_mut(width)
            .for_each(|row| line(row, self.x.start));
    }

    fn columns(&mut self, line: impl Fn(&mut [T], i64)) {
        let mut turned = Self::new(self.y.clone(), self.x.clone(), |y, x| self.at(x, y));
        turned.rows(line);
        *self = Self::new(self.x.clone(), self.y.clone(), |x, y| turned.at(y, x));
    }

    /// The sub-band of the samples whose positions have these parities (2D_DEINTERLEAVE, F.4.5).
    fn band(&self, high_x: i64, high_y: i64) -> Self {
        let range = |range: &Range<i64>, high: i64| {
            (range.start + 1 - high).div_euclid(2)..(range.end + 1 - high).div_euclid(2)
        };
        Self::new(range(&self.x, high_x), range(&self.y, high_y), |x, y| {
            self.at(2 * x + high_x, 2 * y + high_y)
        })
    }
}

fn small(range: &Range<i64>) -> Range<u32> {
    range.start as u32..range.end as u32
}

/// The part of a sub-band that is needed, as the decoder has it.
fn part<F: Lines>(whole: &Whole<F::Exact>, x: Range<u32>, y: Range<u32>) -> Plane<F::Sample> {
    let at = |x: u32, y: u32| F::stored(whole.at(i64::from(x), i64::from(y)));
    let samples = y
        .clone()
        .flat_map(|y| x.clone().map(move |x| (x, y)))
        .map(|(x, y)| at(x, y))
        .collect();
    Plane { x, y, samples }
}

/// A window out of the sub-bands, which lie interleaved in `whole`.
fn window<F: Lines>(whole: &Whole<F::Exact>, x: &Range<i64>, y: &Range<i64>) -> Plane<F::Sample> {
    let (low_x, high_x) = needed::<F>(small(x), small(&whole.x));
    let (low_y, high_y) = needed::<F>(small(y), small(&whole.y));
    let bands = Bands {
        ll: part::<F>(&whole.band(0, 0), low_x.clone(), low_y.clone()),
        hl: part::<F>(&whole.band(1, 0), high_x.clone(), low_y),
        lh: part::<F>(&whole.band(0, 1), low_x, high_y.clone()),
        hh: part::<F>(&whole.band(1, 1), high_x, high_y),
    };
    synthesize::<F>(&bands, small(x), small(y), small(&whole.x), small(&whole.y))
}

/// Whether a window has what the whole transform gives, from coefficients as they come (as after lossy coding).
fn check<F: Lines>(coefficients: &Whole<F::Exact>, x: &Range<i64>, y: &Range<i64>) {
    let mut image = coefficients.clone();
    image.rows(F::synthesize);
    image.columns(F::synthesize);
    let plane = window::<F>(coefficients, x, y);
    assert_eq!((&plane.x, &plane.y), (&small(x), &small(y)));
    let positions = y.clone().flat_map(|y| x.clone().map(move |x| (x, y)));
    assert_eq!(plane.samples.len(), positions.clone().count());
    for ((x, y), sample) in positions.zip(plane.samples) {
        assert!(
            F::near(sample, image.at(x, y)),
            "{x}, {y} of {:?} in {:?}, {:?}",
            plane.x,
            coefficients.x,
            coefficients.y
        );
    }
}

fn random_plane<F: Lines>(random: &mut Random, x: Range<i64>, y: Range<i64>) -> Whole<F::Exact> {
    Whole::new(x, y, |_, _| F::exact(random.next()))
}

/// All small lengths with even and odd starts in both directions: the whole, and some windows.
fn check_small<F: Lines>() {
    let mut random = Random(5);
    for (start_x, start_y) in [(0, 0), (1, 0), (0, 1), (7, 13), (12, 5)] {
        for (width, height) in (1..=9).flat_map(|width| (1..=9).map(move |height| (width, height)))
        {
            let plane = random_plane::<F>(
                &mut random,
                start_x..start_x + width,
                start_y..start_y + height,
            );
            check::<F>(&plane, &plane.x, &plane.y);
            for _ in 0..8 {
                check::<F>(&plane, &random.within(&plane.x), &random.within(&plane.y));
            }
        }
    }
}

fn check_large<F: Lines>() {
    let mut random = Random(6);
    for (x, y) in [
        (0..131, 0..97),
        (1001..1078, 77..206),
        (64..65, 3..250),
        (3..250, 65..66),
    ] {
        let plane = random_plane::<F>(&mut random, x, y);
        for _ in 0..40 {
            check::<F>(&plane, &random.within(&plane.x), &random.within(&plane.y));
        }
    }
}

/// The forward transform of several levels, back level by level: each window of a level is made of that of the one below.
fn check_levels<F: Lines>(levels: usize) {
    let mut random = Random(7);
    let image = random_plane::<F>(&mut random, 37..37 + 150, 1002..1002 + 91);
    let mut interleaved = vec![];
    let mut low = image.clone();
    for _ in 0..levels {
        low.columns(F::analyse);
        low.rows(F::analyse);
        interleaved.push(low.clone());
        low = low.band(0, 0);
    }
    for _ in 0..20 {
        let (x, y) = (random.within(&image.x), random.within(&image.y));
        let plane = window_of_levels::<F>(&interleaved, small(&x), small(&y));
        for (index, (x, y)) in y
            .clone()
            .flat_map(|y| x.clone().map(move |x| (x, y)))
            .enumerate()
        {
            assert!(F::near(plane.samples[index], image.at(x, y)), "{x}, {y}");
        }
    }
}

fn window_of_levels<F: Lines>(
    levels: &[Whole<F::Exact>],
    x: Range<u32>,
    y: Range<u32>,
) -> Plane<F::Sample> {
    let whole = &levels[0];
    let (low_x, high_x) = needed::<F>(x.clone(), small(&whole.x));
    let (low_y, high_y) = needed::<F>(y.clone(), small(&whole.y));
    let ll = match &levels[1..] {
        [] => part::<F>(&whole.band(0, 0), low_x.clone(), low_y.clone()),
        lower => window_of_levels::<F>(lower, low_x.clone(), low_y.clone()),
    };
    let bands = Bands {
        ll,
        hl: part::<F>(&whole.band(1, 0), high_x.clone(), low_y),
        lh: part::<F>(&whole.band(0, 1), low_x, high_y.clone()),
        hh: part::<F>(&whole.band(1, 1), high_x, high_y),
    };
    synthesize::<F>(&bands, x, y, small(&whole.x), small(&whole.y))
}

/// No sample can be left out of what is needed: each changes the window, if it is another.
fn check_need<F: Lines>() {
    let mut random = Random(8);
    for _ in 0..300 {
        let length = 1 + random.next() as i64 % 20;
        let bounds = random.next() as i64 % 8;
        let bounds = bounds..bounds + length;
        let span = random.within(&bounds);
        let (low, high) = needed::<F>(small(&span), small(&bounds));
        for position in bounds.clone() {
            let mut line = vec![F::Exact::default(); length as usize];
            line[(position - bounds.start) as usize] = F::exact(1_000);
            F::synthesize(&mut line, bounds.start);
            let changed = span
                .clone()
                .any(|position| line[(position - bounds.start) as usize] != F::Exact::default());
            let band = if position % 2 == 0 { &low } else { &high };
            assert_eq!(
                band.contains(&(position as u32 / 2)),
                changed,
                "{position} for {span:?} in {bounds:?}"
            );
        }
    }
}

fn check_analysis<F: Lines>() {
    let mut random = Random(9);
    for (start, length) in (0..2).flat_map(|start| (1..=20).map(move |length| (start, length))) {
        let line: Vec<_> = (0..length).map(|_| F::exact(random.next())).collect();
        let mut back = line.clone();
        F::analyse(&mut back, start);
        assert!(length == 1 || !back.iter().zip(&line).all(|(a, b)| F::equal(*a, *b)));
        F::synthesize(&mut back, start);
        assert!(back.iter().zip(&line).all(|(a, b)| F::equal(*a, *b)));
    }
}

/// The tests' own transforms are each other's inverse.
#[test]
fn the_tests_agree_with_themselves() {
    check_analysis::<Reversible>();
    check_analysis::<Irreversible>();
}

#[test]
fn small_windows_are_those_of_the_whole() {
    check_small::<Reversible>();
    check_small::<Irreversible>();
}

#[test]
fn large_windows_are_those_of_the_whole() {
    check_large::<Reversible>();
    check_large::<Irreversible>();
}

#[test]
fn levels_give_the_image_back() {
    (1..=6).for_each(check_levels::<Reversible>);
    (1..=6).for_each(check_levels::<Irreversible>);
}

#[test]
fn nothing_is_needed_in_vain() {
    check_need::<Reversible>();
    check_need::<Irreversible>();
}

/// Worked out by hand: windows in the middle, at the ends, of bounds of one sample, and none.
#[test]
fn what_is_needed_is_clipped_to_the_sub_bands() {
    assert_eq!(needed::<Reversible>(10..14, 0..100), (5..8, 4..8));
    assert_eq!(needed::<Irreversible>(10..14, 0..100), (4..9, 3..9));
    assert_eq!(needed::<Irreversible>(11..12, 0..100), (4..8, 3..8));
    assert_eq!(needed::<Irreversible>(0..1, 0..100), (0..2, 0..2));
    assert_eq!(needed::<Irreversible>(3..4, 3..4), (2..2, 1..2));
    assert_eq!(needed::<Irreversible>(4..5, 4..5), (2..3, 2..2));
    let last = (1 << 31) - 1;
    assert_eq!(
        needed::<Reversible>(u32::MAX - 1..u32::MAX, 7..u32::MAX),
        (last..last + 1, last - 1..last)
    );
    assert_eq!(needed::<Reversible>(50..50, 31..100), (16..16, 15..15));
}

/// Values that no encoder writes are wrong afterwards, and nothing else.
#[test]
fn what_is_extreme_does_no_harm() {
    let extremes = [i32::MAX, i32::MIN, i32::MAX, -1, i32::MIN, i32::MIN];
    let plane = |value: &dyn Fn(usize) -> i32| Plane {
        x: 0..4,
        y: 0..4,
        samples: (0..16).map(value).collect(),
    };
    let bands = Bands {
        ll: plane(&|index| extremes[index % 6]),
        hl: plane(&|index| extremes[index % 5]),
        lh: plane(&|_| i32::MIN),
        hh: plane(&|index| extremes[index % 3]),
    };
    assert_eq!(
        synthesize::<Reversible>(&bands, 0..8, 0..8, 0..8, 0..8)
            .samples
            .len(),
        64
    );

    let plane = |value: f32| Plane {
        x: 0..4,
        y: 0..4,
        samples: vec![value; 16],
    };
    let bands = Bands {
        ll: plane(f32::NAN),
        hl: plane(f32::INFINITY),
        lh: plane(f32::MAX),
        hh: plane(f32::NEG_INFINITY),
    };
    assert!(
        synthesize::<Irreversible>(&bands, 0..8, 0..8, 0..8, 0..8)
            .samples
            .iter()
            .all(|sample| sample.is_nan())
    );
}

#[test]
#[should_panic(expected = "ranges that are needed")]
fn a_sub_band_of_other_ranges_is_refused() {
    let plane = Plane {
        x: 0..4,
        y: 0..4,
        samples: vec![0; 16],
    };
    let bands = Bands {
        ll: plane.clone(),
        hl: plane.clone(),
        lh: plane.clone(),
        hh: plane,
    };
    let _ = synthesize::<Reversible>(&bands, 0..5, 0..8, 0..8, 0..8);
}
