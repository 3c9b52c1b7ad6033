//! Code-blocks that another encoder wrote are decoded to the coefficients that it was given (`tests/data/openjpeg.txt`).

use azulejo_jpeg2000::Band;
use azulejo_jpeg2000::block::{Block, Decoder, Modes, Segment};

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(word: &str) -> T {
    word.parse().expect("a number")
}

fn band(name: &str) -> Band {
    match name {
        "LL" => Band::LL,
        "HL" => Band::HL,
        "LH" => Band::LH,
        _ => Band::HH,
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("a byte");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Width, height and coefficients of a sub-band.
fn coefficients(file: &str, band: &str) -> (usize, usize, Vec<i32>) {
    let start = format!("band {band} ");
    let line = file.lines().find_map(|line| line.strip_prefix(&start));
    let mut words = line.expect("the band is in the file").split(' ');
    let mut size = || number(words.next().expect("a size"));
    (size(), size(), words.map(number).collect())
}

#[test]
fn blocks_of_openjpeg_are_decoded() {
    let file = include_str!("data/openjpeg.txt");
    let mut blocks = 0;
    for line in file.lines().filter_map(|line| line.strip_prefix("block ")) {
        let words: Vec<_> = line.split(' ').collect();
        let (width, height, expected) = coefficients(file, words[0]);
        let coded = words[3..].iter().filter_map(|word| word.split_once(':'));
        let coded: Vec<_> = coded
            .map(|(passes, hex)| (number(passes), bytes(hex)))
            .collect();
        let segments: Vec<_> = coded
            .iter()
            .map(|(passes, bytes)| Segment {
                passes: *passes,
                bytes,
            })
            .collect();
        let block = Block {
            width,
            height,
            band: band(words[0]),
            modes: Modes(number(words[1])),
            planes: number(words[2]),
            segments: &segments,
        };
        let mut samples = vec![0; width * height];
        assert_eq!(Decoder::default().decode(&block, &mut samples), Ok(()));
        let whole: Vec<_> = samples.iter().map(|sample| sample / 2).collect();
        assert_eq!(whole, expected, "{} in mode {}", words[0], words[1]);
        blocks += 1;
    }
    assert_eq!(blocks, 20);
}
