//! How long code-blocks take to be decoded: `cargo run --release -p azulejo-jpeg2000 --example blocks`.
//!
//! The blocks have 64 × 64 coefficients with the distribution of a photograph's (Laplacian, with a scale that changes from place to place).

#[path = "../tests/encoder/mod.rs"]
mod encoder;

use azulejo_jpeg2000::Band;
use azulejo_jpeg2000::block::{Block, Decoder, Modes};
use encoder::{Encoded, Source, encode};
use std::time::Instant;

const SIDE: usize = 64;
const BLOCKS: usize = 48;
const ROUNDS: usize = 60;

struct Random(u64);

impl Random {
    /// From 0 to 1, neither included.
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    fn laplacian(&mut self) -> f64 {
        let unit = self.unit() - 0.5;
        -unit.signum() * (1.0 - 2.0 * unit.abs()).ln()
    }

    /// Coefficients with a mean magnitude of `scale`, more in some places than in others.
    fn values(&mut self, scale: f64) -> Vec<i32> {
        let (turn, wave) = (self.unit() * 6.3, 6.0 + 20.0 * self.unit());
        let here = |at: usize| {
            let (x, y) = ((at % SIDE) as f64, (at / SIDE) as f64);
            let phase = (x * turn.cos() + y * turn.sin()) / wave;
            (1.5 * phase.sin()).exp() / 1.6
        };
        (0..SIDE * SIDE)
            .map(|at| (self.laplacian() * scale * here(at)) as i32)
            .collect()
    }
}

struct Sample {
    band: Band,
    planes: u8,
    encoded: Encoded,
}

fn samples(scale: f64, modes: Modes) -> Vec<Sample> {
    let mut random = Random(42);
    let bands = [Band::HL, Band::LH, Band::HH];
    let sample = |index: usize| {
        let values = random.values(scale);
        let most = values
            .iter()
            .map(|value| value.unsigned_abs())
            .max()
            .unwrap_or(0);
        let (band, planes) = (bands[index % 3], (32 - most.leading_zeros()) as u8);
        let source = Source {
            width: SIDE,
            height: SIDE,
            band,
            modes,
            planes,
            values: &values,
        };
        let encoded = encode(&source, (3 * u32::from(planes)).saturating_sub(2));
        Sample {
            band,
            planes,
            encoded,
        }
    };
    (0..BLOCKS).map(sample).collect()
}

/// Seconds for all of the blocks; of each the best of some rounds, as others use the machine too.
fn time(samples: &[Sample], modes: Modes) -> f64 {
    let mut decoder = Decoder::default();
    let mut best = vec![f64::MAX; samples.len()];
    for _ in 0..ROUNDS {
        for (sample, best) in samples.iter().zip(&mut best) {
            *best = best.min(once(&mut decoder, sample, modes));
        }
    }
    best.iter().sum()
}

fn once(decoder: &mut Decoder, sample: &Sample, modes: Modes) -> f64 {
    let segments = sample.encoded.segments();
    let block = Block {
        width: SIDE,
        height: SIDE,
        band: sample.band,
        modes,
        planes: sample.planes,
        segments: &segments,
    };
    let mut output = [0; SIDE * SIDE];
    let start = Instant::now();
    let result = decoder.decode(&block, &mut output);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(result, Ok(()));
    assert_eq!(output[SIDE..2 * SIDE], sample.encoded.known[SIDE..2 * SIDE]);
    seconds
}

fn main() {
    println!(
        "mean magnitude, modes: bits a sample, decisions a sample: ns a sample, ns a decision"
    );
    let only: Option<f64> = std::env::args().nth(1).and_then(|scale| scale.parse().ok());
    for (scale, modes) in [
        (0.12, 0),
        (0.4, 0),
        (1.5, 0),
        (3.5, 0),
        (8.0, 0),
        (8.0, Modes::BYPASS),
    ] {
        if only.is_some_and(|only| only != scale) {
            continue;
        }
        let samples = samples(scale, Modes(modes));
        let count = (samples.len() * SIDE * SIDE) as f64;
        let bytes: usize = samples
            .iter()
            .flat_map(|sample| &sample.encoded.segments)
            .map(|coded| coded.bytes.len())
            .sum();
        let decisions = samples
            .iter()
            .map(|sample| sample.encoded.decisions)
            .sum::<usize>() as f64
            / count;
        let nanoseconds = time(&samples, Modes(modes)) * 1e9 / count;
        let bits = bytes as f64 * 8.0 / count;
        println!(
            "{scale:5} {modes:2}: {bits:5.2} {decisions:5.2}: {nanoseconds:6.2} {:5.2}",
            nanoseconds / decisions
        );
    }
}
