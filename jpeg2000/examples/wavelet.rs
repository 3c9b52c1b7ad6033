//! Times one level of the inverse wavelet transform, and what follows it, in nanoseconds a sample:
//! `cargo run --release -p azulejo-jpeg2000 --example wavelet`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use azulejo_jpeg2000::color;
use azulejo_jpeg2000::wavelet::{
    Bands, Filter, Irreversible, Plane, Reversible, needed, synthesize,
};

const TIME: Duration = Duration::from_millis(400);

/// The quickest of as many runs as there is time for.
fn time<T>(name: &str, samples: u32, mut run: impl FnMut() -> T) {
    let end = Instant::now() + TIME;
    let mut quickest = Duration::MAX;
    while Instant::now() < end {
        let start = Instant::now();
        black_box(run());
        quickest = quickest.min(start.elapsed());
    }
    println!(
        "{name:<28}{:8.3} ns",
        quickest.as_nanos() as f64 / f64::from(samples)
    );
}

fn level<F: Filter>(name: &str, from: u32, side: u32, bounds: u32, sample: fn(u32) -> F::Sample) {
    let window = from..from + side;
    let (low, high) = needed::<F>(window.clone(), 0..bounds);
    let plane = |x: &std::ops::Range<u32>, y: &std::ops::Range<u32>| Plane {
        x: x.clone(),
        y: y.clone(),
        samples: (0..(x.len() * y.len()) as u32)
            .map(|index| sample(index.wrapping_mul(0x9e37_79b9) >> 22))
            .collect(),
    };
    let bands = Bands {
        ll: plane(&low, &low),
        hl: plane(&high, &low),
        lh: plane(&low, &high),
        hh: plane(&high, &high),
    };
    time(&format!("{name} {side} of {bounds}"), side * side, || {
        synthesize::<F>(
            black_box(&bands),
            window.clone(),
            window.clone(),
            0..bounds,
            0..bounds,
        )
    });
}

fn colors(side: u32) {
    let length = (side * side) as usize;
    let mut whole = [0, 1, 2].map(|plane| vec![plane; length]);
    time("RCT", side * side, || {
        let [a, b, c] = &mut whole;
        color::reversible(black_box([a, b, c]));
    });
    let mut real = [0.0, 1.0, 2.0].map(|plane| vec![plane; length]);
    time("ICT", side * side, || {
        let [a, b, c] = &mut real;
        color::irreversible(black_box([a, b, c]));
    });
    time("round", side * side, || {
        color::round(black_box(&real[0]), black_box(&mut whole[0]))
    });
}

fn main() {
    for (from, side, bounds) in [
        (0, 64, 64),
        (0, 256, 256),
        (0, 512, 512),
        (0, 1024, 1024),
        (0, 4096, 4096),
        (257, 512, 4096),
    ] {
        level::<Reversible>("5-3", from, side, bounds, |random| random as i32 - 512);
        level::<Irreversible>("9-7", from, side, bounds, |random| random as f32 - 512.0);
    }
    colors(512);
}
