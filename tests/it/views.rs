//! What is shown of an image to those who may not see all of it: nothing else can be asked out of the server.

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use azulejo::config::Config;
use azulejo::iiif::{Identifier, ImageRequest, Version};
use azulejo::pipeline::{Caching, Pipeline};
use azulejo::view::View;

use crate::server::{Picture, fixtures};

/// Sources of every kind: with levels and without, read whole or in part, turned, with a profile.
const SOURCES: [&str; 10] = [
    "sample-azulejo.tif",
    "sample-azulejo.jp2",
    "sample-azulejo.jpg",
    "chart.png",
    "tiff-pyramid-pages.tif",
    "tiff-orientation-6.tif",
    "jpeg-orientation-7.jpg",
    "jpeg-icc-cmyk.jpg",
    "png-palette-transparent.png",
    "jp2-rgb-16bit.jp2",
];

/// Everything that might ask for more than is shown.
const REQUESTS: [&str; 16] = [
    "full/max/0",
    "full/^max/0",
    "full/^700,/0",
    "full/^pct:300/0",
    "full/pct:40/0",
    "full/!31,31/0",
    "0,0,20,20/^400,400/0",
    "13,7,41,29/max/0",
    "13,7,41,29/^!300,300/90",
    "13,7,41,29/17,12/!180",
    "0,0,3,3/2,2/0",
    "1,0,3,3/2,2/0",
    "pct:10,10,33.3,20.7/max/0",
    "pct:10,10,33.3,20.7/^300,200/0",
    "square/^max/0",
    "0,0,99999,99999/^999,/22.5",
];

fn pipeline(root: &Path, change: impl FnOnce(&mut Config)) -> Pipeline {
    let mut config = Config::default();
    config.source.root = root.to_owned();
    config.pyramids.enabled = false;
    // Otherwise `^max` has the answer grow up to the limit on its area.
    config.image.max_width = Some(1_000);
    config.image.upscaling = true;
    change(&mut config);
    Pipeline::new(&config, None, None).unwrap()
}

fn request(name: &str, parameters: &str) -> ImageRequest {
    let identifier = Identifier::new(name.to_owned()).unwrap();
    let identifier = identifier.with_suffixes().unwrap();
    let parameters: Vec<&str> = parameters.split('/').collect();
    let [region, size, rotation] = parameters[..] else {
        panic!("three parameters");
    };
    let segments = [region, size, rotation, "default.png"];
    ImageRequest::parse(Version::V3, identifier, segments).unwrap()
}

async fn picture(pipeline: &Pipeline, name: &str, parameters: &str, view: &Arc<View>) -> Picture {
    let asked = request(name, parameters);
    let prepared = pipeline.prepare(asked, Arc::clone(view), Caching::Use, true);
    let prepared = prepared.await.ok().unwrap();
    let answer = pipeline.render(prepared, Caching::Use).await;
    Picture::from_png(&answer.ok().unwrap().bytes)
}

fn no_larger_than(largest: u32) -> Arc<View> {
    Arc::new(View {
        largest: NonZeroU32::new(largest),
    })
}

/// The largest difference of any sample.
fn difference(a: &Picture, b: &Picture) -> u8 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let samples = a.pixels.as_flattened().iter().zip(b.pixels.as_flattened());
    samples.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// The image that is shown, stored as a file of its own; and a pipeline over that.
async fn stored(pipeline: &Pipeline, name: &str, view: &Arc<View>, folder: &Path) -> Pipeline {
    let asked = request(name, "full/max/0");
    let prepared = pipeline.prepare(asked, Arc::clone(view), Caching::Use, true);
    let prepared = prepared.await.ok().unwrap();
    let answer = pipeline.render(prepared, Caching::Use).await.ok().unwrap();
    fs::write(folder.join("small.png"), &answer.bytes).unwrap();
    self::pipeline(folder, |_| {})
}

/// Whatever is asked of the smaller version is what a server would answer that has nothing but the smaller version.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_finer_than_what_is_shown_can_be_asked_for() {
    let all = pipeline(&fixtures("images"), |_| {});
    let view = no_larger_than(90);
    for name in SOURCES {
        let folder = tempfile::tempdir().unwrap();
        let small = stored(&all, name, &view, folder.path()).await;
        for parameters in REQUESTS {
            let shown = picture(&all, name, parameters, &view).await;
            let wanted = picture(&small, "small.png", parameters, &Arc::default()).await;
            // Both round once to 8 bits, one before the colours are converted.
            let apart = difference(&shown, &wanted);
            assert!(apart <= 4, "{name}/{parameters}: {apart}");
        }
    }
}

/// The smaller version is the image at that size, and of that size only.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_the_image_at_that_size() {
    let all = pipeline(&fixtures("images"), |_| {});
    for name in SOURCES {
        let shown = picture(&all, name, "full/max/0", &no_larger_than(90)).await;
        let wanted = picture(&all, name, "full/!90,90/0", &Arc::default()).await;
        assert!(difference(&shown, &wanted) <= 1, "{name}");
        assert_eq!(shown.width.max(shown.height), 90, "{name}");
    }
}
