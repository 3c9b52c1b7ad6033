//! What the header says, what is read for it, and what becomes of CMYK.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::decode::{ColorModel, Resolution, exif, samples};
use crate::ffi::turbojpeg::{Encoding, Subsampling};
use crate::input::ReadAt;

const LIMITS: Limits = Limits {
    source_pixels: 10_000,
    decoded_bytes: 100_000,
    ..Limits::DEFAULT
};

fn opened(bytes: Vec<u8>) -> Box<dyn Decoder> {
    open(Arc::new(bytes), &LIMITS).unwrap()
}

/// The bytes with these segments after the start-of-image marker.
fn with_segments(jpeg: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    for (marker, payload) in segments {
        bytes.extend([0xFF, *marker]);
        bytes.extend((payload.len() as u16 + 2).to_be_bytes());
        bytes.extend(*payload);
    }
    bytes.extend(&jpeg[2..]);
    bytes
}

fn encoded(pixels: Pixels, samples: &[u8]) -> Vec<u8> {
    let encoding = Encoding {
        quality: 100,
        subsampling: Subsampling::S444,
        density: None,
        profile: None,
    };
    turbojpeg::encode(samples, Dimensions::new(8, 8).unwrap(), pixels, &encoding).unwrap()
}

#[test]
fn the_levels_are_full_half_quarter_and_eighth() {
    let decoder = opened(samples::file("sampled-2x2.jpg"));
    let levels: Vec<_> = decoder
        .header()
        .levels
        .iter()
        .map(|level| (level.scale_factor.get(), level.dimensions.to_string()))
        .collect();
    let expected = [(1, "83x61"), (2, "42x31"), (4, "21x16"), (8, "11x8")];
    assert_eq!(
        levels,
        expected.map(|(factor, size)| (factor, size.to_owned()))
    );
}

#[test]
fn a_lossless_image_has_one_level() {
    let decoder = opened(samples::file("lossless.jpg"));
    assert_eq!(decoder.header().levels.len(), 1);
    assert_eq!(decoder.header().coding, "lossless");
}

#[test]
fn the_colour_model_is_that_of_the_components() {
    let models = [
        ("gray.jpg", ColorModel::Gray),
        ("rgb.jpg", ColorModel::Rgb),
        ("sampled-2x1.jpg", ColorModel::YCbCr),
        ("made.jpg", ColorModel::Cmyk),
    ];
    for (name, model) in models {
        assert_eq!(opened(samples::file(name)).header().color, model, "{name}");
    }
}

#[test]
fn exif_and_a_profile_in_pieces_are_in_the_header() {
    let exif = [b"Exif\0\0", &exif::tests::block(6)[..]].concat();
    let bytes = with_segments(
        &samples::file("sampled-2x2.jpg"),
        &[
            (0xE2, b"ICC_PROFILE\0\x02\x02file"),
            (0xE1, &exif),
            (0xE2, b"ICC_PROFILE\0\x01\x02a pro"),
        ],
    );
    let decoder = opened(bytes);
    let header = decoder.header();
    assert_eq!(header.orientation.tag(), 6);
    assert_eq!(header.dimensions().to_string(), "61x83");
    assert_eq!(header.resolution, Some(Resolution { x: 300.0, y: 300.0 }));
    assert_eq!(header.profile.as_deref(), Some(&b"a profile"[..]));
}

/// Counts the bytes that are read.
struct Counted {
    bytes: Vec<u8>,
    read: AtomicU64,
}

impl ReadAt for Counted {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.bytes.read_exact_at(buffer, offset)
    }
}

#[test]
fn megabytes_of_metadata_are_skipped() {
    let metadata = vec![0xFF; 65_000];
    let segments = vec![(0xED, &metadata[..]); 30];
    let input = Arc::new(Counted {
        bytes: with_segments(&samples::file("sampled-2x2.jpg"), &segments),
        read: AtomicU64::new(0),
    });
    let limits = Limits {
        decoded_bytes: 10_000_000,
        ..LIMITS
    };
    open(input.clone(), &limits).unwrap();
    assert!(input.size() > 1_900_000);
    assert!(input.read.load(Ordering::Relaxed) < 200_000);
}

/// Without Adobe's segment CMYK is stored as amounts of ink, with it inverted, and here as Y′CbCr too.
#[test]
fn cmyk_samples_are_amounts_of_ink() {
    let pixel = [60, 60, 60, 210];
    let bytes = encoded(Pixels::Cmyk, &pixel.repeat(64));
    let adobe = bytes
        .windows(5)
        .position(|window| window == b"Adobe")
        .unwrap();
    let inverted = opened(bytes.clone());
    let mut plain = bytes;
    plain[adobe] = b'a';
    for (decoder, expected) in [
        (inverted, pixel.map(|ink| 255 - ink)),
        (opened(plain), [255 - 60, 128, 128, 210]),
    ] {
        let window = Window {
            level: 0,
            rect: Rect::new(3, 3, 1, 1).unwrap(),
        };
        let raster = decoder.decode(&window).unwrap();
        assert_eq!(raster.layout(), Layout::Cmyk);
        let samples = raster.as_u8().unwrap();
        let near = samples
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(near, "{samples:?} is not {expected:?}");
    }
}

#[test]
fn bytes_after_the_image_do_not_matter() {
    let mut bytes = samples::file("sampled-2x2.jpg");
    let window = Window {
        level: 1,
        rect: Rect::new(5, 5, 9, 9).unwrap(),
    };
    let alone = opened(bytes.clone()).decode(&window).unwrap();
    bytes.extend(samples::file("gray.jpg"));
    assert_eq!(opened(bytes).decode(&window).unwrap(), alone);
}

/// K04: the file is small, but the coefficients of all scans would be kept.
#[test]
fn a_progressive_image_needs_memory_for_its_coefficients() {
    let limits = Limits {
        decoded_bytes: 12_000,
        ..LIMITS
    };
    let open = |name| open(Arc::new(samples::file(name)), &limits);
    assert!(open("sampled-2x2.jpg").is_ok());
    for name in ["progressive-2x2.jpg", "scans.jpg"] {
        assert!(
            matches!(open(name), Err(DecodeError::TooLarge { .. })),
            "{name}"
        );
    }
}
