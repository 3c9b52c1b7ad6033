//! Code-blocks that the encoder of these tests wrote are decoded to what a decoder can know of them.

/// Also used by an example, which needs more of it.
#[allow(dead_code)]
mod encoder;

use azulejo_jpeg2000::block::{Block, Decoder, Modes, Segment};
use azulejo_jpeg2000::{Band, Error};
use encoder::{Encoded, Source, encode};

const BANDS: [Band; 4] = [Band::LL, Band::HL, Band::LH, Band::HH];

/// Numbers that are the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// Coefficients of up to `planes` bits, of which `zeros` in 16 are zero, and of the others half need less bits.
    fn values(&mut self, count: usize, planes: u8, zeros: u64) -> Vec<i32> {
        let value = |random: &mut Self| {
            let bits = random.below(u64::from(planes) + 1);
            let magnitude = random.below(1 << bits) as i32;
            match (random.below(16) < zeros, random.below(2)) {
                (true, _) => 0,
                (_, 0) => magnitude,
                (_, _) => -magnitude,
            }
        };
        (0..count).map(|_| value(self)).collect()
    }
}

fn block<'a>(source: &Source<'_>, segments: &'a [Segment<'a>]) -> Block<'a> {
    Block {
        width: source.width,
        height: source.height,
        band: source.band,
        modes: source.modes,
        planes: source.planes,
        segments,
    }
}

fn decoded(block: &Block<'_>) -> Result<Vec<i32>, Error> {
    let mut samples = vec![i32::MAX; block.width * block.height];
    Decoder::default().decode(block, &mut samples)?;
    Ok(samples)
}

fn passes(planes: u8) -> u32 {
    (3 * u32::from(planes)).saturating_sub(2)
}

/// Encodes so many passes, and decodes them.
fn round_trip(source: &Source<'_>, passes: u32) -> Encoded {
    let encoded = encode(source, passes);
    let samples = decoded(&block(source, &encoded.segments()));
    let name = (
        source.width,
        source.height,
        source.band,
        source.modes,
        source.planes,
        passes,
    );
    assert!(samples == Ok(encoded.known.clone()), "{name:?}");
    encoded
}

#[test]
fn all_modes_and_bands_are_decoded() {
    let mut random = Random(1);
    for modes in 0..64 {
        for band in BANDS {
            let (width, height) = (1 + random.below(40) as usize, 1 + random.below(40) as usize);
            let planes = 1 + random.below(13) as u8;
            let zeros = random.below(17);
            let values = random.values(width * height, planes, zeros);
            let modes = Modes(modes);
            let source = Source {
                width,
                height,
                band,
                modes,
                planes,
                values: &values,
            };
            let encoded = round_trip(&source, passes(planes));
            let lossless: Vec<i32> = encoded.known.iter().map(|known| known / 2).collect();
            assert_eq!(lossless, values);
        }
    }
}

#[test]
fn all_shapes_are_decoded() {
    let mut random = Random(2);
    let few = (1..20).flat_map(|width| (1..10).map(move |height| (width, height)));
    for (width, height) in few.chain([
        (64, 64),
        (1024, 4),
        (4, 1024),
        (32, 128),
        (1, 1024),
        (1000, 3),
    ]) {
        for zeros in [4, 15] {
            let values = random.values(width * height, 5, zeros);
            let (band, modes, planes) = (Band::HL, Modes(0), 5);
            round_trip(
                &Source {
                    width,
                    height,
                    band,
                    modes,
                    planes,
                    values: &values,
                },
                13,
            );
        }
    }
}

#[test]
fn any_number_of_passes_is_decoded() {
    let mut random = Random(3);
    let values = random.values(33 * 21, 12, 6);
    for modes in [
        0,
        Modes::BYPASS,
        Modes::TERMINATE,
        Modes::BYPASS | Modes::TERMINATE | Modes::CAUSAL,
    ] {
        for band in BANDS {
            let source = Source {
                width: 33,
                height: 21,
                band,
                modes: Modes(modes),
                planes: 12,
                values: &values,
            };
            for passes in 0..=passes(12) {
                round_trip(&source, passes);
            }
        }
    }
}

/// A quality layer may end before the passes that the bytes were written for.
#[test]
fn the_first_passes_of_a_segment_are_decoded() {
    let mut random = Random(4);
    let values = random.values(64 * 64, 9, 10);
    let source = Source {
        width: 64,
        height: 64,
        band: Band::HH,
        modes: Modes(0),
        planes: 9,
        values: &values,
    };
    let whole = encode(&source, passes(9));
    for passes in 1..passes(9) {
        let segment = Segment {
            passes,
            bytes: &whole.segments[0].bytes,
        };
        assert!(
            decoded(&block(&source, &[segment])) == Ok(encode(&source, passes).known),
            "{passes}"
        );
    }
}

#[test]
fn the_largest_magnitudes_are_decoded() {
    let values = [(1 << 30) - 1, -(1 << 30) + 1, 1 << 29, -1, 1, 0];
    for modes in [0, Modes::BYPASS] {
        let source = Source {
            width: 3,
            height: 2,
            band: Band::LL,
            modes: Modes(modes),
            planes: 30,
            values: &values,
        };
        let encoded = round_trip(&source, passes(30));
        assert_eq!(encoded.known[..2], [i32::MAX, -i32::MAX]);
    }
}

#[test]
fn a_decoder_keeps_nothing_of_the_block_before() {
    let mut random = Random(5);
    let mut decoder = Decoder::default();
    for side in [64, 7, 30, 64] {
        let values = random.values(side * side, 6, 3);
        let source = Source {
            width: side,
            height: side,
            band: Band::LH,
            modes: Modes(0),
            planes: 6,
            values: &values,
        };
        let encoded = encode(&source, passes(6));
        let mut samples = vec![-1; side * side];
        assert_eq!(
            decoder.decode(&block(&source, &encoded.segments()), &mut samples),
            Ok(())
        );
        assert!(samples == encoded.known, "{side}");
    }
}

#[test]
fn a_block_without_passes_is_zero() {
    let source = Source {
        width: 5,
        height: 3,
        band: Band::LL,
        modes: Modes(0),
        planes: 0,
        values: &[0; 15],
    };
    assert_eq!(decoded(&block(&source, &[])), Ok(vec![0; 15]));
}

#[test]
fn a_wrong_segmentation_symbol_is_an_error() {
    let values = [5, 0, 0, -3, 7, 1, 0, 2];
    let modes = Modes(Modes::SYMBOLS);
    let mut source = Source {
        width: 4,
        height: 2,
        band: Band::LL,
        modes: Modes(0),
        planes: 3,
        values: &values,
    };
    let without = encode(&source, passes(3));
    source.modes = modes;
    let result = decoded(&block(&source, &without.segments()));
    assert_eq!(result, Err(Error("a segmentation symbol is wrong")));
}

#[test]
fn what_no_encoder_writes_is_an_error() {
    let segment = |passes| Segment {
        passes,
        bytes: &[1, 2, 3],
    };
    let good = Block {
        width: 4,
        height: 4,
        band: Band::LL,
        modes: Modes(0),
        planes: 6,
        segments: &[segment(16)],
    };
    let bypass = Modes(Modes::BYPASS);
    assert!(decoded(&good).is_ok());
    for bad in [
        Block { width: 0, ..good },
        Block {
            width: 1025,
            height: 1,
            ..good
        },
        Block {
            width: 65,
            height: 64,
            ..good
        },
        Block { planes: 31, ..good },
        Block { planes: 5, ..good },
        Block {
            modes: Modes(64),
            ..good
        },
        Block {
            segments: &[segment(10), segment(u32::MAX)],
            ..good
        },
        Block {
            modes: bypass,
            segments: &[segment(11)],
            ..good
        },
        Block {
            modes: bypass,
            segments: &[segment(10), segment(3)],
            ..good
        },
    ] {
        assert!(decoded(&bad).is_err(), "{bad:?}");
    }
    assert!(Decoder::default().decode(&good, &mut [0; 15]).is_err());
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(6);
    let mut decoder = Decoder::default();
    for _ in 0..3000 {
        let (width, height) = (1 + random.below(64) as usize, 1 + random.below(64) as usize);
        let band = BANDS[random.below(4) as usize];
        let modes = Modes(random.below(64) as u8 & !Modes::BYPASS);
        let planes = random.below(31) as u8;
        let mut byte = || [random.below(256) as u8, 0xFF][usize::from(random.below(8) == 0)];
        let bytes: Vec<u8> = (0..200).map(|_| byte()).collect();
        let cut = random.below(201) as usize;
        let first = random.below(u64::from(passes(planes)) + 1) as u32;
        let segments = [
            Segment {
                passes: first,
                bytes: &bytes[..cut],
            },
            Segment {
                passes: passes(planes) - first,
                bytes: &bytes[cut..],
            },
        ];
        let block = Block {
            width,
            height,
            band,
            modes,
            planes,
            segments: &segments,
        };
        let mut samples = vec![0; width * height];
        let result = decoder.decode(&block, &mut samples);
        let symbols = modes.0 & Modes::SYMBOLS != 0;
        assert!(result.is_ok() || symbols, "{block:?}");
    }
}

#[test]
fn random_raw_bytes_never_panic() {
    let mut random = Random(7);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..500)
            .map(|_| random.below(256) as u8 | (random.below(2) as u8 * 0xF0))
            .collect();
        let segment = |passes: u32| Segment {
            passes,
            bytes: &bytes[passes as usize..],
        };
        let counts = [10].into_iter().chain([2, 1].into_iter().cycle().take(52));
        let segments: Vec<_> = counts.map(segment).collect();
        let modes = Modes(Modes::BYPASS);
        let block = Block {
            width: 17,
            height: 19,
            band: Band::HL,
            modes,
            planes: 30,
            segments: &segments,
        };
        assert!(decoded(&block).is_ok());
    }
}
