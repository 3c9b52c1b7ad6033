//! What is accepted beyond the specification, if that is switched on: F000-15, F001-4 of the requirements of the systems
//! that were replaced.

use std::collections::HashSet;

use axum::http::Method;
use serde_json::json;

use crate::admin::{TOKEN, WITH_TOKEN};
use crate::server::{Server, fixtures};

/// A server that accepts all of it.
fn lenient() -> Server {
    Server::configured(fixtures("images"), |config| {
        config.compatibility.version_1_qualities = true;
        config.compatibility.carets = true;
        config.compatibility.meta_identifiers = true;
        config.compatibility.page_count = true;
    })
}

async fn assert_same(server: &Server, spelled: &str, standard: &str) {
    let path = |parameters: &str| format!("/iiif/2/chart.png/{parameters}");
    let wanted = server.get(&path(standard)).await;
    wanted.assert_ok();
    let found = server.get(&path(spelled)).await;
    found.assert_ok();
    assert_eq!(found.canonical(), wanted.canonical(), "{spelled}");
    assert_eq!(found.header("etag"), wanted.header("etag"), "{spelled}");
    let status = found.header("cache-status");
    assert_eq!(status, Some("azulejo; hit; detail=memory"), "{spelled}");
}

#[tokio::test]
async fn f000_15_f001_4_native_and_grey_are_default_and_gray() {
    let server = lenient();
    for (spelled, standard) in [("native", "default"), ("grey", "gray")] {
        let path = |quality: &str| format!("full/40,/0/{quality}.png");
        assert_same(&server, &path(spelled), &path(standard)).await;
        let version_3 = format!("/iiif/3/chart.png/{}", path(spelled));
        assert_eq!(server.status(&version_3).await, 400, "{spelled}");
    }
}

#[tokio::test]
async fn f001_4_a_caret_is_tolerated_in_version_2() {
    let server = lenient();
    for size in ["40,", ",30", "40,30", "!40,30", "max", "1000,"] {
        let path = |size: &str| format!("full/{size}/0/default.png");
        assert_same(&server, &path(&format!("^{size}")), &path(size)).await;
    }
    let path = "/iiif/2/chart.png/full/^full/0/default.png";
    assert_eq!(server.status(path).await, 400);
}

#[tokio::test]
async fn other_spellings_are_refused_by_default() {
    let server = Server::of_fixtures();
    for parameters in [
        "full/40,/0/native.png",
        "full/40,/0/grey.png",
        "full/^40,/0/default.png",
        "full/^max/0/default.png",
    ] {
        let path = format!("/iiif/2/chart.png/{parameters}");
        assert_eq!(server.status(&path).await, 400, "{path}");
    }
}

async fn sides(server: &Server, identifier: &str) -> (u64, u64) {
    let information = server
        .json(&format!("/iiif/2/{identifier}/info.json"))
        .await;
    let side = |name: &str| information[name].as_u64().unwrap();
    (side("width"), side("height"))
}

#[tokio::test]
async fn f000_9_pages_have_dimensions_and_pixels_of_their_own() {
    let server = lenient();
    let name = "tiff-two-pages.tif";
    let picture = |identifier: String, size: &'static str| {
        let path = format!("/iiif/3/{identifier}/full/{size}/0/default.png");
        let server = &server;
        async move { server.picture(&path).await }
    };
    for size in ["max", "40,"] {
        let first = picture(name.to_owned(), size).await;
        let again = picture(format!("{name};1"), size).await;
        let second = picture(format!("{name}%3B2"), size).await;
        assert_eq!(first.difference(&again), 0);
        assert!(first.size() != second.size() || first.difference(&second) > 0);
        // Now all headers and answers are in the cache.
        let first_again = picture(name.to_owned(), size).await;
        assert_eq!(first.difference(&first_again), 0);
    }
    let second = server.json(&format!("/iiif/2/{name};2/info.json")).await;
    let id = format!("http://images.example.org/iiif/2/{name};2");
    assert_eq!(second["@id"], id);
    assert_eq!(second["page_count"], 2);
    let whole = picture(format!("{name};2"), "max").await.size();
    let (width, height) = (whole.0, whole.1);
    assert_eq!(
        (&second["width"], &second["height"]),
        (&json!(width), &json!(height))
    );
}

#[tokio::test]
async fn f000_9_a_page_that_is_not_there_is_not_found() {
    let server = lenient();
    for (identifier, status) in [
        ("tiff-two-pages.tif;3", 404),
        ("chart.png;2", 404),
        ("chart.png;1", 200),
        ("chart.png;0", 400),
        ("chart.png;2:1", 400),
        ("nothing;2", 404),
    ] {
        let path = format!("/iiif/2/{identifier}/info.json");
        assert_eq!(server.status(&path).await, status, "{identifier}");
    }
    let answer = server.get("/iiif/2/chart.png;2/info.json").await;
    assert!(
        answer.text().contains("the number of pages is 1"),
        "{}",
        answer.text()
    );
    let strict = Server::of_fixtures();
    let cut = "/iiif/2/chart.png;1;1:2/info.json";
    assert_eq!(strict.status(cut).await, 404);
    assert_eq!(server.status(cut).await, 200);
    let pageless = Server::configured(fixtures("images"), |config| config.pages.patterns.clear());
    assert_eq!(pageless.status("/iiif/2/chart.png;1/info.json").await, 404);
    let information = strict.json("/iiif/2/tiff-two-pages.tif/info.json").await;
    assert!(information.get("page_count").is_none());
}

/// As if the file were smaller: every tile that is declared is the part of the reduced image where it lies.
#[tokio::test]
async fn an_image_seems_smaller() {
    let server = lenient();
    for name in [
        "sample-azulejo.tif",
        "sample-azulejo.jp2",
        "chart.png",
        "tiff-orientation-6.tif",
    ] {
        let full = sides(&server, name).await;
        for (scale, n, d) in [("1:2", 1, 2), ("3:4", 3, 4), ("1:3", 1, 3)] {
            let identifier = format!("{name};{scale}");
            let half_up = |side: u64| ((2 * side * n + d) / (2 * d)).max(1);
            let expected = (half_up(full.0), half_up(full.1));
            assert_eq!(sides(&server, &identifier).await, expected, "{identifier}");
            assert_tiles_fit(&server, &identifier).await;
        }
    }
}

/// Each tile of the information has the size that it must have, and is not far from where it lies in the whole.
async fn assert_tiles_fit(server: &Server, identifier: &str) {
    let base = format!("/iiif/2/{identifier}");
    let information = server.json(&format!("{base}/info.json")).await;
    let (width, height) = sides(server, identifier).await;
    let whole = server
        .picture(&format!("{base}/full/full/0/default.png"))
        .await;
    assert_eq!(
        (u64::from(whole.size().0), u64::from(whole.size().1)),
        (width, height)
    );
    let side = information["tiles"][0]["width"].as_u64().unwrap();
    for (x, y) in [(0, 0), (width / side * side, height / side * side)] {
        if x == width || y == height {
            continue;
        }
        let (w, h) = (side.min(width - x), side.min(height - y));
        let path = format!("{base}/{x},{y},{w},{h}/{w},/0/default.png");
        let tile = server.picture(&path).await;
        assert_eq!(
            (u64::from(tile.size().0), u64::from(tile.size().1)),
            (w, h),
            "{path}"
        );
        let (x, y) = (x as u32, y as u32);
        let middle = (tile.size().0 / 2, tile.size().1 / 2);
        let (found, wanted) = (
            tile.at(middle.0, middle.1),
            whole.at(x + middle.0, y + middle.1),
        );
        let difference = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let most = found.iter().zip(&wanted).map(difference).max().unwrap();
        assert!(most <= 40, "{path}: {found:?} {wanted:?}");
    }
}

/// Two pixels of the file are one: where the file has that level its pixels are the answer, and the same as those of a
/// request for half the size.
#[tokio::test]
async fn a_half_is_a_level_to_the_pixel() {
    let server = lenient();
    for name in [
        "sample-azulejo.tif",
        "sample-azulejo.jp2",
        "tiff-pyramid-pages.tif",
    ] {
        let picture = |path: String| {
            let server = &server;
            async move {
                server
                    .picture(&format!("/iiif/2/{path}/0/default.png"))
                    .await
            }
        };
        for (half, plain) in [
            ("40,32,60,50/full", "80,64,120,100/60,50"),
            ("0,0,96,96/48,", "0,0,192,192/48,"),
            ("3,5,20,10/full", "6,10,40,20/20,10"),
        ] {
            let found = picture(format!("{name};1:2/{half}")).await;
            let wanted = picture(format!("{name}/{plain}")).await;
            assert_eq!(found.size(), wanted.size(), "{name} {half}");
            assert_eq!(found.difference(&wanted), 0, "{name} {half}");
        }
    }
}

#[tokio::test]
async fn a_scale_that_is_not_in_lowest_terms_is_a_redirect() {
    let server = lenient();
    for (asked, usual) in [
        ("2/chart.png;2:4/info.json", "2/chart.png;1:2/info.json"),
        ("2/chart.png;5:5/info.json", "2/chart.png/info.json"),
        (
            "3/chart.png%3B1%3A1/full/max/0/default.jpg?dl",
            "3/chart.png/full/max/0/default.jpg?dl",
        ),
        (
            "2/chart.png;1;3:9/full/full/0/default.jpg",
            "2/chart.png;1;1:3/full/full/0/default.jpg",
        ),
        ("2/chart.png;6:8", "2/chart.png;3:4/info.json"),
    ] {
        let answer = server.get(&format!("/iiif/{asked}")).await;
        assert_eq!(answer.status, 301, "{asked}");
        let location = format!("http://images.example.org/iiif/{usual}");
        assert_eq!(answer.header("location"), Some(&location[..]), "{asked}");
        let path = usual.split('?').next().unwrap();
        assert_eq!(
            server.status(&format!("/iiif/{path}")).await,
            200,
            "{usual}"
        );
    }
    assert_eq!(server.status("/iiif/2/nothing;2:4/info.json").await, 404);
}

/// Each has entries of its own, and a purge of one of them forgets all: they are of one file.
#[tokio::test]
async fn pages_and_scales_are_kept_apart_and_purged_together() {
    let server = Server::configured(fixtures("images"), |config| {
        config.compatibility.meta_identifiers = true;
        config.admin.token = Some(TOKEN.parse().unwrap());
    });
    let identifiers = ["", ";2", ";1:2", ";2;1:2"].map(|end| format!("tiff-two-pages.tif{end}"));
    let mut tags = HashSet::new();
    for purged in &identifiers {
        for identifier in &identifiers {
            let path = format!("/iiif/3/{identifier}/full/20,20/0/default.jpg");
            let answer = server.get(&path).await;
            let status = answer.header("cache-status");
            assert_eq!(status, Some("azulejo; fwd=miss"), "{identifier}");
            tags.insert(answer.header("etag").unwrap().to_owned());
        }
        let path = format!("/admin/cache/{purged}");
        let answer = server.send(Method::DELETE, &path, &[WITH_TOKEN]).await;
        assert_eq!(answer.status, 204, "{purged}");
    }
    assert_eq!(tags.len(), identifiers.len());
}
