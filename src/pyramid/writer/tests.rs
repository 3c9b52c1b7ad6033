use std::path::Path;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::*;
use crate::decode::{self, ColorModel, Header, Limits};
use crate::encode::{Settings, encode};
use crate::iiif::Format as ImageFormat;
use crate::raster::Layout;
use crate::source::FileInput;

const SETTINGS: Settings = Settings {
    jpeg_quality: 90,
    webp_quality: 90,
    passthrough: true,
    background: [255; 3],
};

fn options(tile: u32, band_bytes: u64) -> Options {
    Options {
        tile: Dimensions::new(tile, tile).unwrap(),
        band_bytes,
        threads: NonZeroUsize::new(2).unwrap(),
    }
}

fn open(bytes: Vec<u8>) -> Box<dyn Decoder> {
    decode::open(Arc::new(bytes), &Limits::default()).unwrap()
}

/// The pyramid, opened by the reader that serves it.
fn pyramid(source: &dyn Decoder, options: &Options) -> Box<dyn Decoder> {
    let path = NamedTempFile::new().unwrap();
    let file = path.reopen().unwrap();
    write(source, file, options, &|| false).unwrap();
    let input = FileInput::open(path.path()).unwrap();
    decode::open(Arc::new(input), &Limits::default()).unwrap()
}

fn whole(decoder: &dyn Decoder, level: usize) -> Raster {
    let rect = Rect::whole(decoder.header().levels[level].dimensions);
    decoder.decode(&Window { level, rect }).unwrap()
}

fn samples(raster: &Raster) -> Vec<u32> {
    match raster.samples() {
        Samples::U8(samples) => samples.iter().map(|s| u32::from(*s)).collect(),
        Samples::U16(samples) => samples.iter().map(|s| u32::from(*s)).collect(),
    }
}

fn assert_header(name: &str, source: &Header, made: &Header) {
    assert_eq!(made.dimensions(), source.dimensions(), "{name}");
    assert_eq!(made.orientation, source.orientation, "{name}");
    assert_eq!(made.alpha, source.alpha, "{name}");
    assert_eq!(made.profile, source.profile, "{name}");
    assert_eq!(made.color.is_gray(), source.color.is_gray(), "{name}");
    let is_cmyk = |header: &Header| header.color == ColorModel::Cmyk;
    assert_eq!(is_cmyk(made), is_cmyk(source), "{name}");
    assert_eq!(made.pages, 1, "{name}: every level is found");
    match (made.resolution, source.resolution) {
        (Some(made), Some(source)) => {
            assert!((made.x - source.x).abs() < 1e-3, "{name}");
            assert!((made.y - source.y).abs() < 1e-3, "{name}");
        }
        (made, source) => assert_eq!(made, source, "{name}"),
    }
}

/// Every image of the fixtures, in small bands and tiles: lossless ones to the sample, lossy ones nearly.
#[test]
fn the_full_image_is_that_of_the_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let (mut lossless, mut lossy) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("sample-") {
            continue;
        }
        let source = open(std::fs::read(&path).unwrap());
        let made = pyramid(&*source, &options(64, 20_000));
        assert_header(&name, source.header(), made.header());
        let (was, is) = (whole(&*source, 0), whole(&*made, 0));
        assert_eq!(is.layout(), was.layout(), "{name}");
        if made.header().coding == "JPEG" {
            let pairs = samples(&was).into_iter().zip(samples(&is));
            let (sum, worst) = pairs.fold((0, 0), |(sum, worst), (a, b)| {
                (sum + a.abs_diff(b), worst.max(a.abs_diff(b)))
            });
            let mean = f64::from(sum) / samples(&was).len() as f64;
            assert!(
                mean < 2.5 && worst < 40,
                "{name}: mean {mean}, worst {worst}"
            );
            lossy += 1;
        } else {
            assert!(is == was, "{name}: {} changed", made.header().coding);
            lossless += 1;
        }
    }
    assert!(lossless > 50 && lossy > 10, "{lossless}, {lossy}");
}

fn picture(
    width: u32,
    height: u32,
    format: ImageFormat,
    pixel: impl Fn(u32, u32) -> u8,
) -> Vec<u8> {
    let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = samples.map(|(x, y)| pixel(x, y)).collect();
    let dimensions = Dimensions::new(width, height).unwrap();
    let raster = Raster::new(dimensions, Layout::Gray, Samples::U8(samples));
    encode(raster, format, None, &SETTINGS).unwrap()
}

/// A ramp to the right and one downwards, of sizes that are odd at nearly every level: each pixel of a level has the
/// value at the middle of the square that it stands for.
#[test]
fn levels_of_odd_sizes_do_not_shift() {
    for is_down in [false, true] {
        let value = |x: u32, y: u32| if is_down { y / 4 } else { x / 4 };
        let source = picture(1001, 937, ImageFormat::Png, |x, y| value(x, y) as u8);
        let made = pyramid(&*open(source), &options(64, 1));
        let levels = &made.header().levels;
        let sides: Vec<_> = levels
            .iter()
            .map(|l| (l.dimensions.width(), l.dimensions.height()))
            .collect();
        assert_eq!(
            sides,
            [(1001, 937), (501, 469), (251, 235), (126, 118), (63, 59)]
        );
        for (index, level) in levels.iter().enumerate() {
            let factor = level.scale_factor.get();
            assert_eq!(factor, 1 << index);
            let raster = whole(&*made, index);
            let inner = Dimensions::new(1001 / factor, 937 / factor).unwrap();
            for (i, sample) in raster.as_u8().unwrap().iter().enumerate() {
                let (x, y) = (
                    i as u32 % level.dimensions.width(),
                    i as u32 / level.dimensions.width(),
                );
                if x >= inner.width() || y >= inner.height() {
                    continue;
                }
                let at = if is_down { y } else { x };
                let middle = f64::from(at * factor) + f64::from(factor - 1) / 2.0;
                let wanted = (middle - 1.5) / 4.0;
                let off = f64::from(*sample) - wanted;
                assert!(
                    off.abs() <= 0.9,
                    "level {index} at {x},{y}: {sample} for {wanted}"
                );
            }
        }
    }
}

/// However the image is cut into bands and however many threads encode: the same bytes.
#[test]
fn bands_and_threads_do_not_show() {
    let source = picture(300, 517, ImageFormat::Jpg, |x, y| ((x * 7) ^ (y * 3)) as u8);
    let source = open(source);
    let bytes = |band_bytes, threads| {
        let path = NamedTempFile::new().unwrap();
        let options = Options {
            threads: NonZeroUsize::new(threads).unwrap(),
            ..options(64, band_bytes)
        };
        write(&*source, path.reopen().unwrap(), &options, &|| false).unwrap();
        std::fs::read(path.path()).unwrap()
    };
    let wanted = bytes(1 << 30, 1);
    assert!(wanted.len() > 10_000);
    assert!(bytes(1, 1) == wanted);
    assert!(bytes(30_000, 7) == wanted);
}

/// Flat images stay flat and as light as they were, down to the last level.
#[test]
fn no_level_is_lighter_than_the_image() {
    for value in [0, 1, 127, 254, 255] {
        let source = picture(500, 333, ImageFormat::Png, |_, _| value);
        let made = pyramid(&*open(source), &options(16, 1));
        let last = made.header().levels.len() - 1;
        assert!(last >= 5);
        let raster = whole(&*made, last);
        assert!(
            raster
                .as_u8()
                .unwrap()
                .iter()
                .all(|sample| *sample == value)
        );
    }
    let noise =
        |x: u32, y: u32| ((x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) as u8;
    let source = picture(512, 512, ImageFormat::Png, noise);
    let made = pyramid(&*open(source), &options(16, 1));
    let mean = |level| {
        let samples = samples(&whole(&*made, level));
        f64::from(samples.iter().sum::<u32>()) / samples.len() as f64
    };
    assert!((mean(0) - mean(5)).abs() < 0.3, "{} {}", mean(0), mean(5));
}

#[test]
fn building_stops_when_asked() {
    let source = open(picture(100, 100, ImageFormat::Png, |x, _| x as u8));
    let file = tempfile::tempfile().unwrap();
    let result = write(&*source, file, &options(16, 1), &|| true);
    assert!(matches!(result, Err(BuildError::Stopped)));
}
