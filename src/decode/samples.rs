//! Small encoded images of every kind, for tests.

use std::path::Path;
use std::sync::LazyLock;

use crate::ffi::turbojpeg::{self, Encoding, Pixels, Subsampling};
use crate::geometry::Dimensions;

/// An encoded image and what to call it when a test fails.
#[derive(Clone)]
pub struct Sample {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// One of each kind.
pub fn all() -> &'static [Sample] {
    static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
        let mut samples = files();
        samples.extend(pngs());
        samples.extend([
            sample("made.jpg", cmyk_jpeg()),
            sample("covering.gif", gif(false, None, (0, 0, 19, 13))),
            sample("placed.gif", gif(true, Some(3), (4, 5, 30, 30))),
            sample("lossless.webp", webp(image_webp::ColorType::Rgb8)),
            sample("lossless-alpha.webp", webp(image_webp::ColorType::Rgba8)),
            sample("animated.webp", animated_webp()),
            sample("rgb.bmp", bmp(image::ExtendedColorType::Rgb8)),
            sample("rgba.bmp", bmp(image::ExtendedColorType::Rgba8)),
            sample("gray.bmp", bmp(image::ExtendedColorType::L8)),
            sample("run-lengths.bmp", run_length_bmp()),
        ]);
        samples
    });
    &SAMPLES
}

fn sample(name: impl Into<String>, bytes: Vec<u8>) -> Sample {
    Sample {
        name: name.into(),
        bytes,
    }
}

/// The coded variants that no encoder at hand makes.
fn files() -> Vec<Sample> {
    folder(Path::new("fixtures/decode"))
}

/// The images of a folder, by name.
pub fn folder(path: &Path) -> Vec<Sample> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let extension = path.extension();
            extension.is_some_and(|extension| extension != "md" && extension != "py")
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            sample(name, std::fs::read(path).unwrap())
        })
        .collect()
}

/// One of the files.
pub fn file(name: &str) -> Vec<u8> {
    all()
        .iter()
        .find(|sample| sample.name == name)
        .unwrap()
        .bytes
        .clone()
}

const WIDTH: u32 = 19;
const HEIGHT: u32 = 13;

/// Bytes without regularity: a linear congruential generator.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 12_345_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

fn pngs() -> Vec<Sample> {
    use png::{BitDepth::*, ColorType::*};
    let kinds = [
        (Grayscale, One),
        (Grayscale, Two),
        (Grayscale, Four),
        (Grayscale, Eight),
        (Grayscale, Sixteen),
        (GrayscaleAlpha, Eight),
        (GrayscaleAlpha, Sixteen),
        (Rgb, Eight),
        (Rgb, Sixteen),
        (Rgba, Eight),
        (Rgba, Sixteen),
        (Indexed, One),
        (Indexed, Two),
        (Indexed, Four),
        (Indexed, Eight),
    ];
    kinds
        .into_iter()
        .map(|(color, depth)| {
            let row = (WIDTH as usize * color.samples() * depth as usize).div_ceil(8);
            let data = noise(row * HEIGHT as usize);
            sample(
                format!("{color:?}-{depth:?}.png"),
                png(color, depth, (WIDTH, HEIGHT), &data),
            )
        })
        .collect()
}

/// A PNG; an indexed one has a full palette, in which colour `i` is `(i, 255 - i, 7)` and the first is transparent.
pub fn png(
    color: png::ColorType,
    depth: png::BitDepth,
    (width, height): (u32, u32),
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        let colors = 1_u16 << depth as u16;
        let palette: Vec<u8> = (0..colors)
            .flat_map(|index| [index as u8, 255 - index as u8, 7])
            .collect();
        encoder.set_palette(palette);
        encoder.set_trns(vec![0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn cmyk_jpeg() -> Vec<u8> {
    let dimensions = Dimensions::new(41, 23).unwrap();
    let encoding = Encoding {
        quality: 80,
        subsampling: Subsampling::S420,
        density: Some((300, 300)),
        profile: Some(b"not really a profile"),
    };
    turbojpeg::encode(&noise(41 * 23 * 4), dimensions, Pixels::Cmyk, &encoding).unwrap()
}

/// A GIF on a screen of 19x13 with a frame at this place; its colour `i` is `(i, 255 - i, 7)`.
pub fn gif(
    interlaced: bool,
    transparent: Option<u8>,
    (left, top, width, height): (u16, u16, u16, u16),
) -> Vec<u8> {
    let palette: Vec<u8> = (0..=255)
        .flat_map(|index| [index, 255 - index, 7])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, WIDTH as u16, HEIGHT as u16, &palette).unwrap();
    let frame = gif::Frame {
        left,
        top,
        width,
        height,
        interlaced,
        transparent,
        buffer: noise(usize::from(width) * usize::from(height)).into(),
        ..Default::default()
    };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    bytes
}

pub fn webp(color: image_webp::ColorType) -> Vec<u8> {
    let channels = if color == image_webp::ColorType::Rgb8 {
        3
    } else {
        4
    };
    let mut bytes = Vec::new();
    image_webp::WebPEncoder::new(&mut bytes)
        .encode(
            &noise((WIDTH * HEIGHT) as usize * channels),
            WIDTH,
            HEIGHT,
            color,
        )
        .unwrap();
    bytes
}

/// A canvas of 30x20 whose first frame is the lossless image at 4,2, not blended.
pub fn animated_webp() -> Vec<u8> {
    const REPLACE: u8 = 0b10;
    let still = webp(image_webp::ColorType::Rgb8);
    let mut frame = vec![2, 0, 0, 1, 0, 0];
    frame.extend([WIDTH as u8 - 1, 0, 0, HEIGHT as u8 - 1, 0, 0]);
    frame.extend([100, 0, 0, REPLACE]);
    frame.extend(&still[12..]);
    const ANIMATION_AND_ALPHA: u8 = 0x12;
    riff(&[
        (b"VP8X", &[ANIMATION_AND_ALPHA, 0, 0, 0, 29, 0, 0, 19, 0, 0]),
        (b"ANIM", &[0; 6]),
        (b"ANMF", &frame),
        (b"ANMF", &frame),
    ])
}

/// A WebP file of these chunks (RFC 9649, section 2.3).
pub fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, payload) in chunks {
        body.extend(*name);
        body.extend((payload.len() as u32).to_le_bytes());
        body.extend(*payload);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

fn bmp(color: image::ExtendedColorType) -> Vec<u8> {
    let length = (WIDTH * HEIGHT) as usize * usize::from(color.channel_count());
    let mut bytes = Vec::new();
    image::codecs::bmp::BmpEncoder::new(&mut bytes)
        .encode(&noise(length), WIDTH, HEIGHT, color)
        .unwrap();
    bytes
}

/// Four by two pixels of 8 bits: below 2, 2, 2, 0; above 1, 0, 2, 1.
pub fn run_length_bmp() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    let mut field = |value: u32| bytes.extend(value.to_le_bytes());
    for value in [0, 0, 66, 40, 4, 2, 1 | 8 << 16, 1, 0, 11811, 11811, 3, 0] {
        field(value);
    }
    // Red, green and blue.
    bytes.extend([0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0]);
    bytes.extend([3, 2, 1, 0, 0, 0]);
    bytes.extend([0, 4, 1, 0, 2, 1, 0, 1]);
    bytes
}
