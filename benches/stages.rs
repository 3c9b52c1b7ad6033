//! Each stage of the walk by itself, over the sample image of 2400 by 1800 pixels: `cargo bench`. One name runs a part, as
//! in `cargo bench -- decode/`.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use azulejo::decode::{self, Decoder, Limits};
use azulejo::encode::{Settings, encode};
use azulejo::geometry::Dimensions;
use azulejo::iiif::{Format, Identifier, ImageRequest, SizeLimits, Version};
use azulejo::input::Input;
use azulejo::plan::Plan;
use azulejo::raster::Raster;
use azulejo::transform::scale::{Crop, scale};
use azulejo::view::View;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// A tile that is stored as asked.
const TILE: [&str; 4] = ["512,512,512,512", "512,512", "0", "default.jpg"];
/// Every pixel, a quarter as wide.
const QUARTER: [&str; 4] = ["full", "600,450", "0", "default.jpg"];
const EVERYTHING: [&str; 4] = ["full", "max", "0", "default.jpg"];

/// The sample image in one of its formats, in memory.
fn sample(extension: &str) -> Input {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/fixtures/images/sample-azulejo.{extension}");
    Arc::new(fs::read(path).expect("the fixture is there"))
}

fn open(extension: &str) -> Box<dyn Decoder> {
    decode::open(sample(extension), &Limits::default()).expect("the fixture is sound")
}

fn request(segments: [&str; 4]) -> ImageRequest {
    let identifier = Identifier::new("sample-azulejo.tif".to_owned()).expect("a good identifier");
    ImageRequest::parse(Version::V3, identifier, segments).expect("a good request")
}

fn plan(decoder: &dyn Decoder, segments: [&str; 4]) -> Plan {
    Plan::new(
        &request(segments),
        &View::default(),
        decoder.header(),
        &SizeLimits::default(),
    )
    .expect("a possible request")
}

/// What a decoder makes for a request.
fn raster(extension: &str, segments: [&str; 4]) -> Raster {
    let decoder = open(extension);
    let plan = plan(&*decoder, segments);
    decoder.decode(&plan.window).expect("the fixture is sound")
}

fn resolve(criterion: &mut Criterion) {
    criterion.bench_function("request", |bencher| {
        bencher.iter(|| request(black_box(TILE)));
    });
    let decoder = open("tif");
    let (request, limits) = (request(TILE), SizeLimits::default());
    let view = View::default();
    criterion.bench_function("plan", |bencher| {
        bencher.iter(|| Plan::new(black_box(&request), &view, decoder.header(), &limits));
    });
}

fn headers(criterion: &mut Criterion) {
    for extension in ["tif", "jp2", "jpg"] {
        let (input, limits) = (sample(extension), Limits::default());
        criterion.bench_function(&format!("open/{extension}"), |bencher| {
            bencher.iter(|| decode::open(Arc::clone(&input), &limits).is_ok());
        });
    }
}

/// The first window of an opened image: what was decoded for one is kept for the next.
fn windows(criterion: &mut Criterion) {
    let cases = [
        ("a tile", TILE),
        ("a quarter", QUARTER),
        ("everything", EVERYTHING),
    ];
    for extension in ["tif", "jp2", "jpg"] {
        for (name, segments) in cases {
            let window = plan(&*open(extension), segments).window;
            criterion.bench_function(&format!("decode/{extension}, {name}"), |bencher| {
                bencher.iter_batched(
                    || open(extension),
                    |decoder| decoder.decode(black_box(&window)).is_ok(),
                    BatchSize::PerIteration,
                );
            });
        }
    }
}

fn transforms(criterion: &mut Criterion) {
    let full = raster("jpg", EVERYTHING);
    let targets = [("to a half", 1200, 900), ("to a thumbnail", 200, 150)];
    for (name, width, height) in targets {
        let to = Dimensions::new(width, height).expect("not empty");
        criterion.bench_function(&format!("scale/{name}"), |bencher| {
            bencher.iter_batched(
                || full.clone(),
                |raster| {
                    let crop = Crop::whole(raster.dimensions());
                    scale(raster, crop, to).is_ok()
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn encoders(criterion: &mut Criterion) {
    let tile = raster("tif", TILE);
    let settings = Settings::from(&azulejo::config::Config::default().encode);
    for format in [Format::Jpg, Format::Png, Format::Webp] {
        criterion.bench_function(&format!("encode/{}", format.name()), |bencher| {
            bencher.iter_batched(
                || tile.clone(),
                |raster| encode(raster, format, None, &settings).map(|bytes| bytes.len()),
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(stages, resolve, headers, windows, transforms, encoders);
criterion_main!(stages);
