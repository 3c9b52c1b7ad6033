//! What is shown of an image to those who may not see all of it: nothing else can be asked out of the server.

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use azulejo::config::Config;
use azulejo::iiif::{Identifier, ImageRequest, Version};
use azulejo::pipeline::{Caching, Pipeline};
use azulejo::view::View;

use crate::server::{Picture, bytes, fixtures};

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
    Picture::from_png(&bytes(answer.ok().unwrap()))
}

fn no_larger_than(largest: u32) -> Arc<View> {
    View::of(NonZeroU32::new(largest))
}

/// The image that is shown, stored as a file of its own; and a pipeline over that.
async fn stored(pipeline: &Pipeline, name: &str, view: &Arc<View>, folder: &Path) -> Pipeline {
    let asked = request(name, "full/max/0");
    let prepared = pipeline.prepare(asked, Arc::clone(view), Caching::Use, true);
    let prepared = prepared.await.ok().unwrap();
    let answer = pipeline.render(prepared, Caching::Use).await.ok().unwrap();
    fs::write(folder.join("small.png"), bytes(answer)).unwrap();
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
            // Regions begin at fractions of a stored pixel, which are rounded.
            let apart = shown.difference(&wanted);
            assert!(apart <= 2, "{name}/{parameters}: {apart}");
        }
    }
}

/// The smaller version is the image at that size.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_the_image_at_that_size() {
    let all = pipeline(&fixtures("images"), |_| {});
    for name in SOURCES.iter().filter(|name| name.starts_with("sample")) {
        for (largest, size) in [(80, (80, 60)), (700, (700, 525))] {
            let shown = picture(&all, name, "full/max/0", &no_larger_than(largest)).await;
            let (width, height) = size;
            let scaled = format!("full/{width},{height}/0");
            let wanted = picture(&all, name, &scaled, &Arc::default()).await;
            assert_eq!(shown.size(), size, "{name}");
            assert!(shown.difference(&wanted) <= 1, "{name} at {largest}");
        }
    }
}

/// A scale in the identifier comes first, and the smaller of both counts: `^max` gives no more of either.
#[tokio::test(flavor = "multi_thread")]
async fn a_scale_in_the_identifier_leads_to_no_more() {
    let all = pipeline(&fixtures("images"), |config| {
        config.compatibility.meta_identifiers = true;
    });
    let view = no_larger_than(700);
    for (name, full) in [
        ("sample-azulejo.tif;1:2", (700, 525)),
        ("sample-azulejo.tif;1:4", (600, 450)),
    ] {
        let seen = information(&all, name, &view).await;
        assert_eq!(seen, full, "{name}");
        let shown = picture(&all, name, "full/max/0", &view).await;
        assert_eq!(shown.size(), full, "{name}");
    }
}

async fn information(pipeline: &Pipeline, name: &str, view: &View) -> (u32, u32) {
    let identifier = request(name, "full/max/0").identifier;
    let told = pipeline.information(identifier, view, Caching::Use).await;
    told.ok().unwrap().information.full.into()
}

/// `info.json`, the image and the manifest say the same, however the shorter side is rounded.
#[tokio::test(flavor = "multi_thread")]
async fn all_say_the_same_of_how_large_it_is() {
    let all = pipeline(&fixtures("images"), |_| {});
    let name = "sample-azulejo.tif";
    for largest in [1, 2, 3, 31, 97, 333, 899, 2_399, 2_400, 5_000] {
        let view = no_larger_than(largest);
        let told = information(&all, name, &view).await;
        let asked = request(name, "full/max/0");
        let prepared = all.prepare(asked.clone(), view.clone(), Caching::Use, false);
        let plan = prepared.await.ok().unwrap().plan;
        assert_eq!(told, plan.full.into(), "{largest}");
        let document = all.document(asked.identifier, view.largest, Caching::Use);
        let pages = all.pages(document.await.ok().unwrap()).await.ok().unwrap();
        let contents = pages.contents().ok().unwrap();
        assert_eq!(told, contents.images[0].full.into(), "{largest}");
        assert_eq!(told.0, largest.min(2_400));
    }
}

/// What one may see is kept apart from what another may see, also where both ask for what looks the same.
#[tokio::test(flavor = "multi_thread")]
async fn views_are_never_mixed_in_the_cache() {
    let all = pipeline(&fixtures("images"), |_| {});
    let name = "chart.png";
    let whole = Arc::default();
    let mut seen = Vec::new();
    for view in [no_larger_than(90), whole, no_larger_than(40)] {
        let prepared = all.prepare(
            request(name, "full/16,12/0"),
            view.clone(),
            Caching::Use,
            true,
        );
        let tag = prepared.await.ok().unwrap().validators.etag;
        assert!(!seen.contains(&tag));
        seen.push(tag);
        let full = information(&all, name, &view).await;
        for _ in ["cold", "warm"] {
            let shown = picture(&all, name, "full/max/0", &view).await;
            assert_eq!(shown.size(), full);
        }
    }
}

/// Otherwise, whoever counts up would fill the caches with the same answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_version_that_is_not_smaller_is_kept_once() {
    let all = pipeline(&fixtures("images"), |config| {
        config.compatibility.meta_identifiers = true;
    });
    for (name, confining, longest) in [
        ("sample-azulejo.tif", 2_399, 2_400),
        ("sample-azulejo.tif;1:2", 1_199, 1_200),
    ] {
        let tag = async |view: Arc<View>| {
            let asked = request(name, "full/max/0");
            let prepared = all.prepare(asked, view, Caching::Use, false);
            prepared.await.ok().unwrap().validators.etag
        };
        let whole = tag(Arc::default()).await;
        assert_ne!(tag(no_larger_than(confining)).await, whole, "{name}");
        for largest in [longest, longest + 1, 8_000, u32::MAX] {
            assert_eq!(
                tag(no_larger_than(largest)).await,
                whole,
                "{name} {largest}"
            );
        }
    }
}

/// The header is in the cache but the image is closed; then the image is opened, and the request prepared again.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_prepared_again_keeps_its_view() {
    let cache = tempfile::tempdir().unwrap();
    let open = || {
        pipeline(&fixtures("images"), |config| {
            config.cache.disk.directory = Some(cache.path().to_owned());
        })
    };
    let (name, view) = ("sample-azulejo.tif", no_larger_than(90));
    let first = open();
    assert_eq!(information(&first, name, &view).await, (90, 68));
    first.settle().await;
    drop(first);
    let again = open();
    assert_eq!(information(&again, name, &view).await, (90, 68));
    assert_eq!(again.kept_report()[0].entries, 0, "it is not open");
    let shown = picture(&again, name, "full/^max/0", &view).await;
    let fresh = pipeline(&fixtures("images"), |_| {});
    let wanted = picture(&fresh, name, "full/^max/0", &view).await;
    assert_eq!(shown, wanted);
}
