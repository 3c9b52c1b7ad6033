//! Every fixture decodes to what `fixtures/manifest.json` says of it; every broken file is refused.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use azulejo::decode::{self, DecodeError, Decoder, Limits, Window};
use azulejo::geometry::Rect;
use azulejo::raster::{Layout, Raster, Samples};
use azulejo::transform::{color, orient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::chart;

/// One image, as `fixtures/make.py` recorded it.
#[derive(Deserialize)]
struct Fixture {
    file: String,
    /// What the header must say: the fields are named as in [`decode::Header`].
    #[serde(flatten)]
    header: serde_json::Map<String, serde_json::Value>,
    expected: Option<Expected>,
}

/// What the upright image must show, and by how much a sample may differ.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Expected {
    Chart { chart: String, tolerance: u16 },
    Picture { png: PathBuf, tolerance: u16 },
}

/// A broken file and what is wrong with it.
#[derive(Deserialize)]
struct Broken {
    file: String,
    problem: String,
    /// Whether it must be refused; a few may be shown as far as they go.
    refused: bool,
}

const LIMITS: Limits = Limits {
    source_pixels: 1 << 32,
    decoded_bytes: 1 << 28,
    ..Limits::DEFAULT
};

#[test]
fn headers_are_as_the_manifest_says() {
    for_each_fixture(|fixture| {
        let decoder = open("images", &fixture.file).map_err(|error| error.to_string())?;
        let found = described(decoder.header());
        let wrong: Vec<String> = fixture
            .header
            .iter()
            .filter(|(_, wanted)| !wanted.is_null())
            .filter(|(field, wanted)| found.get(*field) != Some(*wanted))
            .map(|(field, wanted)| format!("{field} is {:?}, not {wanted}", found.get(field)))
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    });
}

#[test]
fn pixels_are_as_computed() {
    for_each_fixture(|fixture| match &fixture.expected {
        Some(expected) => check_pixels(&fixture.file, expected),
        None => Ok(()),
    });
}

/// K04: refused with an error, without a panic and within the limits of memory.
#[test]
fn broken_files_are_refused() {
    let broken: Vec<Broken> = read_list("corrupt/manifest.json");
    let accepted: Vec<String> = broken
        .into_iter()
        .filter(|Broken { file, refused, .. }| decodes(file) && *refused)
        .map(|Broken { file, problem, .. }| format!("{file}: {problem}"))
        .collect();
    assert!(accepted.is_empty(), "decoded:\n{}", accepted.join("\n"));
}

fn decodes(broken: &str) -> bool {
    open("corrupt", broken)
        .and_then(|image| whole(&*image))
        .is_ok()
}

/// Looks at all fixtures before it fails, so that one run shows everything that is wrong.
fn for_each_fixture(check: impl Fn(&Fixture) -> Result<(), String>) {
    let fixtures: Vec<Fixture> = read_list("manifest.json");
    assert!(fixtures.len() > 100, "the manifest is incomplete");
    let failures: Vec<String> = fixtures
        .iter()
        .filter_map(|fixture| Some(format!("{}: {}", fixture.file, check(fixture).err()?)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} fixtures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn described(header: &decode::Header) -> serde_json::Value {
    let levels = header.levels.iter().map(|level| level.dimensions);
    json!({
        "format": header.format,
        "width": header.dimensions().width(),
        "height": header.dimensions().height(),
        "levels": levels.map(|level| [level.width(), level.height()]).collect::<Vec<_>>(),
        "color": header.color,
        "alpha": header.alpha,
        "bit_depth": header.bit_depth,
        "orientation": header.orientation.tag(),
        "pages": header.pages,
        "profile": header.profile.is_some(),
    })
}

fn check_pixels(file: &str, expected: &Expected) -> Result<(), String> {
    let (wanted, tolerance) = match expected {
        Expected::Chart { chart, tolerance } => (chart_of(chart), *tolerance),
        Expected::Picture { png, tolerance } => (read_png(&fixtures().join(png)), *tolerance),
    };
    let decoder = open("images", file).map_err(|error| error.to_string())?;
    let raster = whole(&*decoder).map_err(|error| error.to_string())?;
    let upright = orient::orient(raster, decoder.header().orientation);
    let found = if wanted.deep {
        Picture::of(&upright)
    } else {
        let profile = decoder.header().profile.as_deref();
        Picture::of(&color::to_srgb(upright, profile).map_err(|error| error.to_string())?)
    };
    wanted.compare(&found, tolerance)
}

fn open(folder: &str, file: &str) -> Result<Box<dyn Decoder>, DecodeError> {
    let bytes = fs::read(fixtures().join(folder).join(file)).unwrap();
    decode::open(Arc::new(bytes), &LIMITS)
}

fn whole(decoder: &dyn Decoder) -> Result<Raster, DecodeError> {
    let rect = Rect::whole(decoder.header().stored_dimensions());
    decoder.decode(&Window { level: 0, rect })
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn read_list<T: DeserializeOwned>(name: &str) -> Vec<T> {
    serde_json::from_slice(&fs::read(fixtures().join(name)).unwrap()).unwrap()
}

/// Pixels of any layout as red, green, blue and opacity, so that layouts compare.
struct Picture {
    dimensions: (u32, u32),
    /// Samples of 16 bits.
    deep: bool,
    pixels: Vec<[u16; 4]>,
}

impl Picture {
    fn of(raster: &Raster) -> Self {
        let (samples, deep) = match raster.samples() {
            Samples::U8(samples) => (samples.iter().map(|&sample| sample.into()).collect(), false),
            Samples::U16(samples) => (samples.clone(), true),
        };
        assert!(
            raster.layout() != Layout::Cmyk,
            "inks do not compare with colours"
        );
        let dimensions = (raster.dimensions().width(), raster.dimensions().height());
        Self::from_samples(dimensions, deep, &samples, raster.layout().channels())
    }

    fn from_samples(dimensions: (u32, u32), deep: bool, samples: &[u16], channels: usize) -> Self {
        let opaque = if deep { u16::MAX } else { 255 };
        let pixels = samples.chunks_exact(channels).map(|pixel| match *pixel {
            [gray] => [gray, gray, gray, opaque],
            [gray, alpha] => [gray, gray, gray, alpha],
            [r, g, b] => [r, g, b, opaque],
            [r, g, b, alpha] => [r, g, b, alpha],
            _ => panic!("{channels} channels"),
        });
        Self {
            dimensions,
            deep,
            pixels: pixels.collect(),
        }
    }

    /// The first pixel that differs by more than allowed. The colour of what cannot be seen does not count.
    fn compare(&self, found: &Self, tolerance: u16) -> Result<(), String> {
        if (self.dimensions, self.deep) != (found.dimensions, found.deep) {
            let Self {
                dimensions, deep, ..
            } = found;
            return Err(format!("{dimensions:?} pixels, 16 bits: {deep}"));
        }
        let differs = |(wanted, found): (&[u16; 4], &[u16; 4])| {
            let seen = wanted[3] > 0 || found[3] > 0;
            seen && wanted
                .iter()
                .zip(found)
                .any(|(a, b)| a.abs_diff(*b) > tolerance)
        };
        let pairs = || self.pixels.iter().zip(&found.pixels);
        let Some(index) = pairs().position(differs) else {
            return Ok(());
        };
        let width = self.dimensions.0 as usize;
        let count = pairs().filter(|pair| differs(*pair)).count();
        Err(format!(
            "{:?} instead of {:?} at {},{} and {} more",
            found.pixels[index],
            self.pixels[index],
            index % width,
            index / width,
            count - 1
        ))
    }
}

/// The chart in the colours and the depth of this name.
fn chart_of(name: &str) -> Picture {
    let (width, height) = chart::DIMENSIONS;
    let deep = name.ends_with("16") || name.ends_with("12");
    let points = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples: Vec<Vec<u16>> = points.map(|(x, y)| chart_samples(name, x, y)).collect();
    Picture::from_samples((width, height), deep, &samples.concat(), samples[0].len())
}

fn chart_samples(name: &str, x: u32, y: u32) -> Vec<u16> {
    let [r, g, b] = chart::pixel(x, y);
    let (gray, alpha) = (chart::gray(x, y), chart::alpha(x, y));
    match name {
        "rgb" => shallow(&[r, g, b]),
        "rgba" => shallow(&[r, g, b, alpha]),
        "gray" => shallow(&[gray]),
        "gray-alpha" => shallow(&[gray, alpha]),
        "bilevel" => shallow(&[chart::bilevel(x, y)]),
        "indexed" => shallow(&chart::indexed(x, y)),
        "indexed-transparent" => {
            let color = chart::indexed(x, y);
            shallow(&[&color[..], &[if color == [255; 3] { 0 } else { 255 }]].concat())
        }
        "rgb16" => deep(&[r, g, b], x, y),
        "rgba16" => deep(&[r, g, b, alpha], x, y),
        "gray16" => deep(&[gray], x, y),
        "gray12" => deep(&[gray], x, y)
            .into_iter()
            .map(|sample| twelve_bits(sample >> 4))
            .collect(),
        _ => panic!("no chart is called {name}"),
    }
}

fn shallow(samples: &[u8]) -> Vec<u16> {
    samples.iter().map(|&sample| sample.into()).collect()
}

fn deep(samples: &[u8], x: u32, y: u32) -> Vec<u16> {
    (0..)
        .zip(samples)
        .map(|(channel, &sample)| chart::deep(sample, x, y, channel))
        .collect()
}

/// Twelve bits as sixteen, so that the brightest stays the brightest.
fn twelve_bits(sample: u16) -> u16 {
    ((u32::from(sample) * 65_535 + 2_047) / 4_095) as u16
}

fn read_png(path: &Path) -> Picture {
    let mut reader = png::Decoder::new(BufReader::new(fs::File::open(path).unwrap()))
        .read_info()
        .unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut samples).unwrap();
    let channels = frame.color_type.samples();
    Picture::from_samples(
        (frame.width, frame.height),
        false,
        &shallow(&samples),
        channels,
    )
}
