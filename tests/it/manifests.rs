//! Manifests of documents and folders, Presentation 3.0 and 2.1.

use std::fs;
use std::path::Path;

use axum::http::Method;
use azulejo::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::{TOKEN, WITH_TOKEN};
use crate::documents::pdf;
use crate::log::Log;
use crate::pages::{Gray, tiff};
use crate::server::{HOST, Server, VERSIONS, fixtures};

/// Of these sides, so that none is a level of another.
const PAGES: [(u32, u32); 3] = [(300, 500), (410, 200), (90, 70)];

fn grays() -> Vec<Gray> {
    let gray = |((width, height), value)| Gray::new(width, height, value);
    PAGES.into_iter().zip([50, 100, 150]).map(gray).collect()
}

fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn over(root: impl AsRef<Path>) -> Server {
    configured(root, |_| {})
}

/// With the token.
fn configured(root: impl AsRef<Path>, change: impl FnOnce(&mut Config)) -> Server {
    Server::configured(root, |config| {
        config.admin.token = Some(TOKEN.parse().unwrap());
        change(config);
    })
}

/// What the canvases of a manifest of version 3 are called, and their sides.
fn canvases(manifest: &Value) -> Vec<(String, u64, u64)> {
    let items = manifest["items"].as_array().unwrap().iter();
    items
        .map(|canvas| {
            let label = canvas["label"]["none"][0].as_str().unwrap().to_owned();
            let side = |name: &str| canvas[name].as_u64().unwrap();
            (label, side("width"), side("height"))
        })
        .collect()
}

fn labels(manifest: &Value) -> Vec<String> {
    canvases(manifest).into_iter().map(|it| it.0).collect()
}

/// What of an address the server is asked for.
fn path_of(address: &Value) -> &str {
    let address = address.as_str().unwrap();
    let path = address.strip_prefix(&format!("http://{HOST}"));
    path.unwrap_or_else(|| panic!("{address} is elsewhere"))
}

fn small_image() -> Vec<u8> {
    tiff(&[Gray::new(90, 70, 7)])
}

#[tokio::test]
async fn an_image_is_a_document_of_one_page_in_3_0() {
    let folder = folder_with(&[("maps/a b.tif", &small_image())]);
    let server = Server::over(folder.path());
    let manifest = server
        .json("/presentation/3/maps%2Fa%20b.tif/manifest")
        .await;
    let base = "http://images.example.org/presentation/3/maps%2Fa%20b.tif";
    let image = "http://images.example.org/iiif/3/maps%2Fa%20b.tif";
    let service = json!([{ "id": image, "type": "ImageService3", "profile": "level2" }]);
    let thumbnail = json!([{
        "id": format!("{image}/full/90,70/0/default.jpg"), "type": "Image", "format": "image/jpeg",
        "width": 90, "height": 70, "service": service,
    }]);
    let expected = json!({
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": format!("{base}/manifest"), "type": "Manifest", "label": { "none": ["a b.tif"] }, "thumbnail": thumbnail,
        "items": [{
            "id": format!("{base}/canvas/1"), "type": "Canvas", "label": { "none": ["1"] }, "width": 90, "height": 70,
            "thumbnail": thumbnail,
            "items": [{
                "id": format!("{base}/canvas/1/page"), "type": "AnnotationPage",
                "items": [{
                    "id": format!("{base}/canvas/1/image"), "type": "Annotation", "motivation": "painting",
                    "body": {
                        "id": format!("{image}/full/max/0/default.jpg"), "type": "Image", "format": "image/jpeg",
                        "width": 90, "height": 70, "service": service,
                    },
                    "target": format!("{base}/canvas/1"),
                }],
            }],
        }],
    });
    assert_eq!(manifest, expected);
    let first = manifest.as_object().unwrap().keys().next().unwrap();
    assert_eq!(first, "@context");
}

#[tokio::test]
async fn an_image_is_a_document_of_one_page_in_2_1() {
    let folder = folder_with(&[("a.tif", &small_image())]);
    let server = Server::over(folder.path());
    let manifest = server.json("/presentation/2/a.tif/manifest").await;
    let base = "http://images.example.org/presentation/2/a.tif";
    let image = "http://images.example.org/iiif/2/a.tif";
    let service = json!({
        "@context": "http://iiif.io/api/image/2/context.json", "@id": image,
        "profile": "http://iiif.io/api/image/2/level2.json",
    });
    let thumbnail = json!({
        "@id": format!("{image}/full/90,70/0/default.jpg"), "@type": "dctypes:Image", "format": "image/jpeg",
        "width": 90, "height": 70, "service": service,
    });
    let expected = json!({
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": format!("{base}/manifest"), "@type": "sc:Manifest", "label": "a.tif", "thumbnail": thumbnail,
        "sequences": [{
            "@id": format!("{base}/sequence/normal"), "@type": "sc:Sequence",
            "canvases": [{
                "@id": format!("{base}/canvas/1"), "@type": "sc:Canvas", "label": "1", "width": 90, "height": 70,
                "thumbnail": thumbnail,
                "images": [{
                    "@id": format!("{base}/canvas/1/image"), "@type": "oa:Annotation", "motivation": "sc:painting",
                    "resource": {
                        "@id": format!("{image}/full/max/0/default.jpg"), "@type": "dctypes:Image", "format": "image/jpeg",
                        "width": 90, "height": 70, "service": service,
                    },
                    "on": format!("{base}/canvas/1"),
                }],
            }],
        }],
    });
    assert_eq!(manifest, expected);
}

/// Each address that a manifest has is one of this server, and gives what the manifest says of it.
#[tokio::test]
async fn every_page_is_where_the_manifest_says() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let server = over(folder.path());
    let manifest = server.json("/presentation/3/book.tif/manifest").await;
    let pages = PAGES.map(|(width, height)| (u64::from(width), u64::from(height)));
    let numbered = ["1", "2", "3"].into_iter().zip(pages);
    let expected: Vec<_> = numbered
        .map(|(label, (w, h))| (label.to_owned(), w, h))
        .collect();
    assert_eq!(canvases(&manifest), expected);
    assert_eq!(manifest["label"]["none"][0], "book.tif");
    for (canvas, gray) in manifest["items"].as_array().unwrap().iter().zip(grays()) {
        let body = &canvas["items"][0]["items"][0]["body"];
        let service = &body["service"][0]["id"];
        let information = server
            .json(&format!("{}/info.json", path_of(service)))
            .await;
        assert_eq!(information["id"], *service);
        assert_eq!(information["width"], canvas["width"]);
        for image in [body, &canvas["thumbnail"][0]] {
            let picture = server.picture(path_of(&image["id"])).await;
            let sides = (u64::from(picture.width), u64::from(picture.height));
            assert_eq!(sides.0, image["width"].as_u64().unwrap());
            assert_eq!(sides.1, image["height"].as_u64().unwrap());
            let seen = picture.pixels[0][0];
            assert!(seen.abs_diff(gray.value) <= 2, "{seen} for {}", gray.value);
        }
    }
    assert_eq!(manifest["thumbnail"], manifest["items"][0]["thumbnail"]);
}

#[tokio::test]
async fn both_versions_show_the_same_pages() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let server = over(folder.path());
    let manifest = server.json("/presentation/2/book.tif/manifest").await;
    let sides = |canvas: &Value| (canvas["width"].clone(), canvas["height"].clone());
    let found = manifest["sequences"][0]["canvases"].as_array().unwrap();
    let found: Vec<_> = found.iter().map(sides).collect();
    assert_eq!(found, PAGES.map(|(w, h)| (json!(w), json!(h))));
    let third = &manifest["sequences"][0]["canvases"][2]["images"][0]["resource"];
    let information = format!("{}/info.json", path_of(&third["service"]["@id"]));
    assert_eq!(server.json(&information).await["width"], 90);
}

/// Where an identifier cannot name a page, no page is named.
#[tokio::test]
async fn a_page_or_a_part_by_itself_is_one_canvas() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let server = over(folder.path());
    let sides = |manifest: Value| {
        let canvases = canvases(&manifest).into_iter();
        canvases.map(|(_, w, h)| (w, h)).collect::<Vec<_>>()
    };
    let second = server.json("/presentation/3/book.tif;2/manifest").await;
    assert_eq!(labels(&second), ["2"]);
    let base = "http://images.example.org/iiif/3/book.tif;2";
    let body = &second["items"][0]["items"][0]["items"][0]["body"];
    assert_eq!(body["service"][0]["id"], base, "as it was written");
    assert_eq!(sides(second), [(410, 200)]);
    let first = server.json("/presentation/3/book.tif;1/manifest").await;
    assert_eq!(labels(&first), ["1"]);
    let beyond = "/presentation/3/book.tif;4/manifest";
    assert_eq!(server.status(beyond).await, 404);
    let without = configured(folder.path(), |config| config.pages.patterns.clear());
    let only = without.json("/presentation/3/book.tif/manifest").await;
    assert_eq!(sides(only), [(300, 500)]);
    let lenient = configured(folder.path(), |config| {
        config.compatibility.meta_identifiers = true;
    });
    let halves = lenient.json("/presentation/3/book.tif;1:2/manifest").await;
    assert_eq!(sides(halves.clone()), [(150, 250), (205, 100), (45, 35)]);
    let second = &halves["items"][1]["items"][0]["items"][0]["body"]["service"][0]["id"];
    let information = lenient
        .json(&format!("{}/info.json", path_of(second)))
        .await;
    assert_eq!(
        (&information["id"], &information["width"]),
        (second, &json!(205))
    );
}

#[tokio::test]
async fn pages_are_named_as_the_configuration_says() {
    let folder = folder_with(&[("maps/book.tif", &tiff(&grays()))]);
    let server = configured(folder.path(), |config| {
        config.pages.patterns = vec!["{id}/page/{page}".parse().unwrap()];
    });
    let manifest = server
        .json("/presentation/3/maps%2Fbook.tif/manifest")
        .await;
    let service = |index: usize| {
        let body = &manifest["items"][index]["items"][0]["items"][0]["body"];
        &body["service"][0]["id"]
    };
    let second = "http://images.example.org/iiif/3/maps%2Fbook.tif%2Fpage%2F2";
    assert_eq!(service(1), second);
    for (index, (width, _)) in PAGES.into_iter().enumerate() {
        let information = format!("{}/info.json", path_of(service(index)));
        assert_eq!(server.json(&information).await["width"], width);
    }
}

/// All pages from one opened document, without rendering.
#[tokio::test]
async fn a_pdf_is_a_document_with_its_title() {
    let server = Server::over(fixtures("pdf"));
    let manifest = server.json("/presentation/3/many-pages.pdf/manifest").await;
    let information = server.json("/iiif/3/many-pages.pdf/info.json").await;
    let found = canvases(&manifest);
    assert!(found.len() > 1);
    assert_eq!(found[0].1, information["width"].as_u64().unwrap());
    let last = format!("/iiif/3/many-pages.pdf;{}/info.json", found.len());
    let information = server.json(&last).await;
    let sides = (
        information["width"].as_u64(),
        information["height"].as_u64(),
    );
    let (_, width, height) = found[found.len() - 1];
    assert_eq!(sides, (Some(width), Some(height)));
}

/// Of one page, too. Where there is none, the identifier has to do.
#[tokio::test]
async fn a_pdf_is_labelled_with_its_title() {
    for (name, pages) in [("many-pages.pdf", 24), ("embedded-truetype.pdf", 1)] {
        let untitled = fs::read(fixtures("pdf").join(name)).unwrap();
        let (before, after) = (b"(untitled)", b"(Old maps)");
        let windows = untitled.windows(before.len());
        let at = windows.enumerate().find(|(_, window)| window == before);
        let at = at.unwrap().0;
        let mut titled = untitled.clone();
        titled[at..at + after.len()].copy_from_slice(after);
        let folder = folder_with(&[("titled.pdf", &titled), ("untitled.pdf", &untitled)]);
        let server = over(folder.path());
        for (identifier, label) in [("titled.pdf", "Old maps"), ("untitled.pdf", "untitled.pdf")] {
            let path = format!("/presentation/3/{identifier}/manifest");
            let manifest = server.json(&path).await;
            assert_eq!(manifest["label"]["none"][0], label);
            assert_eq!(canvases(&manifest).len(), pages, "{name}");
        }
    }
}

#[tokio::test]
async fn what_max_gives_is_what_is_declared_of_the_painted_image() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let server = configured(folder.path(), |config| config.image.max_width = Some(100));
    let manifest = server.json("/presentation/3/book.tif/manifest").await;
    let canvas = &manifest["items"][1];
    assert_eq!(
        (&canvas["width"], &canvas["height"]),
        (&json!(410), &json!(200))
    );
    for image in [
        &canvas["items"][0]["items"][0]["body"],
        &canvas["thumbnail"][0],
    ] {
        let picture = server.picture(path_of(&image["id"])).await;
        assert_eq!(json!([picture.width, picture.height]), json!([100, 49]));
        assert_eq!(json!([image["width"], image["height"]]), json!([100, 49]));
    }
}

#[tokio::test]
async fn a_folder_is_shown_in_the_order_of_the_index() {
    let (book, small) = (tiff(&grays()), small_image());
    let folder = folder_with(&[
        ("maps/b.tif", &small),
        ("maps/a #1.tif", &book),
        ("maps/notes.txt", b"text"),
        ("maps/more/c.tif", &small),
        ("top.tif", &small),
    ]);
    let server = over(folder.path());
    let manifest = server.json("/presentation/3/maps/manifest").await;
    let base = "http://images.example.org/presentation/3/maps";
    assert_eq!(manifest["id"], format!("{base}/manifest"));
    assert_eq!(manifest["label"]["none"][0], "maps");
    let first = ("a #1.tif".to_owned(), 300, 500);
    let second = ("b.tif".to_owned(), 90, 70);
    assert_eq!(
        canvases(&manifest),
        [first, second],
        "first pages, no subfolder"
    );
    let canvas = &manifest["items"][0];
    assert_eq!(canvas["id"], format!("{base}/canvas/a%20%231%2Etif"));
    let service = &canvas["items"][0]["items"][0]["body"]["service"][0]["id"];
    let information = server
        .json(&format!("{}/info.json", path_of(service)))
        .await;
    assert_eq!(information["width"], 300);
    let below = server.json("/presentation/3/maps%2Fmore/manifest").await;
    assert_eq!(below["label"]["none"][0], "more");
    assert_eq!(labels(&below), ["c.tif"]);
    let root = server.json("/presentation/3/manifest").await;
    assert_eq!(
        root["id"],
        "http://images.example.org/presentation/3/manifest"
    );
    assert_eq!(labels(&root), ["top.tif"]);
    let (canvas, page) = (&root["items"][0]["id"], "presentation/3/canvas/top%2Etif");
    assert_eq!(*canvas, format!("http://images.example.org/{page}"));
}

#[tokio::test]
async fn a_long_folder_is_shown_in_part_and_says_so() {
    let folder = folder_with(&[("0.tif", &small_image())]);
    for index in 1..=1000 {
        let copy = folder.path().join(format!("{index}.tif"));
        fs::hard_link(folder.path().join("0.tif"), copy).unwrap();
    }
    let server = over(folder.path());
    let answer = server.get("/presentation/3/manifest").await;
    let manifest = answer.json();
    assert_eq!(manifest["items"].as_array().unwrap().len(), 1000);
    let told = "1000 of 1001 images are shown.";
    assert_eq!(manifest["summary"]["en"][0], told);
    assert!(
        answer.header("etag").is_some(),
        "it is all that there is to tell"
    );
    let older = server.json("/presentation/2/manifest").await;
    assert_eq!(older["description"], told);
}

#[tokio::test]
async fn what_is_not_there_is_answered_as_for_images() {
    let folder = folder_with(&[("a.tif", &small_image()), ("broken.tif", b"II*\0")]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let server = over(folder.path());
    for (path, status) in [
        ("/presentation/3/nothing/manifest", 404),
        ("/presentation/3/empty/manifest", 404),
        ("/presentation/3/..%2F/manifest", 404),
        ("/presentation/3/a.tif", 404),
        ("/presentation/3/a.tif/manifest.json", 404),
        ("/presentation/3/x/a.tif/manifest", 404),
        ("/presentation/4/a.tif/manifest", 404),
        ("/presentation/3/broken.tif/manifest", 500),
        ("/presentation/3/%ff/manifest", 400),
        ("/presentation/3/a.tif;0/manifest", 404),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let posted = server.send(Method::POST, "/presentation/3/a.tif/manifest", &[]);
    assert_eq!(posted.await.status, 405);
}

#[tokio::test]
async fn a_folder_with_a_broken_image_is_shown_without_it_and_not_kept() {
    let small = small_image();
    let folder = folder_with(&[("a.tif", &small), ("b.tif", b"II*\0"), ("c.tif", &small)]);
    let server = over(folder.path());
    let partial = server.get("/presentation/3/manifest").await;
    assert_eq!(labels(&partial.json()), ["a.tif", "c.tif"]);
    let told = &partial.json()["summary"]["en"][0];
    assert_eq!(*told, "2 of 3 images are shown.");
    assert_eq!(partial.header("cache-control"), Some("no-store"));
    assert_eq!(partial.header("etag"), None);
    fs::write(folder.path().join("b.tif"), &small).unwrap();
    let whole = server.get("/presentation/3/manifest").await;
    assert_eq!(labels(&whole.json()), ["a.tif", "b.tif", "c.tif"]);
    assert!(whole.json().get("summary").is_none());
    assert_ne!(whole.header("cache-control"), Some("no-store"));
}

/// The repaired file has the same size and time, so that it would be found if anything had been kept.
#[tokio::test]
async fn a_document_with_a_broken_page_is_shown_without_it_and_not_kept() {
    let pages = grays();
    let broken = tiff(&[pages[0], pages[1].broken(), pages[2]]);
    let folder = folder_with(&[("book.tif", &broken)]);
    let file = folder.path().join("book.tif");
    let server = over(folder.path());
    let path = "/presentation/3/book.tif/manifest";
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let partial = server.get(path).await;
    assert_eq!(labels(&partial.json()), ["1", "3"]);
    assert_eq!(partial.header("cache-control"), Some("no-store"));
    fs::write(&file, tiff(&pages)).unwrap();
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(modified).unwrap();
    let whole = server.get(path).await;
    assert_eq!(labels(&whole.json()), ["1", "2", "3"]);
    assert!(whole.header("etag").is_some());
}

/// The second server has the cache on disk only: of the file it sees size and time, and nothing in it can be read.
#[tokio::test]
async fn the_pages_of_a_document_are_kept_until_they_are_purged() {
    let book = tiff(&grays());
    let folder = folder_with(&[("book.tif", &book)]);
    let kept = tempfile::tempdir().unwrap();
    let server = || {
        configured(folder.path(), |config| {
            config.cache.disk.directory = Some(kept.path().to_owned());
        })
    };
    let path = "/presentation/3/book.tif/manifest";
    let first = server();
    let answer = first.get(path).await;
    answer.assert_ok();
    first.settle().await;
    let file = folder.path().join("book.tif");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, vec![0; book.len()]).unwrap();
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(modified).unwrap();
    let second = server();
    assert_eq!(second.get(path).await.body, answer.body);
    let fresh = format!("{path}?cache=false");
    let fresh = second.send(Method::GET, &fresh, &[WITH_TOKEN]);
    assert_eq!(fresh.await.status, 500);
    let purge = second.send(Method::DELETE, "/admin/cache/book.tif", &[WITH_TOKEN]);
    assert_eq!(purge.await.status, 204);
    assert_eq!(second.status(path).await, 500);
}

#[tokio::test]
async fn a_changed_document_has_another_manifest() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let server = over(folder.path());
    let path = "/presentation/3/book.tif/manifest";
    let before = server.get(path).await;
    assert_eq!(labels(&before.json()).len(), 3);
    fs::write(folder.path().join("book.tif"), tiff(&grays()[..2])).unwrap();
    let after = server.get(path).await;
    assert_eq!(labels(&after.json()).len(), 2);
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn a_copy_is_confirmed_as_long_as_it_is_current() {
    let small = small_image();
    let folder = folder_with(&[("a.tif", &small), ("b.tif", &small)]);
    let server = over(folder.path());
    for version in VERSIONS {
        for name in ["a.tif/", ""] {
            let path = format!("/presentation/{version}/{name}manifest");
            let whole = server.get(&path).await;
            whole.assert_ok();
            let etag = whole.header("etag").unwrap();
            let confirmed = server
                .send(Method::GET, &path, &[("if-none-match", etag)])
                .await;
            assert_eq!(confirmed.status, 304, "{path}");
            assert!(confirmed.body.is_empty());
            for name in ["etag", "cache-control", "vary", "last-modified"] {
                assert_eq!(confirmed.header(name), whole.header(name), "{path} {name}");
            }
            let head = server.send(Method::HEAD, &path, &[]).await;
            assert_eq!(head.status, 200);
            assert!(head.body.is_empty());
            assert_eq!(head.header("etag"), Some(etag));
            let length = whole.body.len().to_string();
            assert_eq!(head.header("content-length"), Some(&*length));
            assert_eq!(whole.header("access-control-allow-origin"), Some("*"));
        }
    }
    let folder_path = "/presentation/3/manifest";
    let before = server.get(folder_path).await;
    assert_eq!(
        before.header("last-modified"),
        None,
        "no date changes with a removal"
    );
    fs::remove_file(folder.path().join("b.tif")).unwrap();
    let copy = [("if-none-match", before.header("etag").unwrap())];
    assert_eq!(
        server.send(Method::GET, folder_path, &copy).await.status,
        200
    );
}

#[tokio::test]
async fn manifests_have_two_media_types() {
    let server = Server::of_fixtures();
    let rows = [
        (
            3,
            None,
            "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"",
        ),
        (3, Some("application/json"), "application/json"),
        (2, None, "application/json"),
        (2, Some("application/ld+json"), "application/ld+json"),
    ];
    for (version, accept, expected) in rows {
        let path = format!("/presentation/{version}/chart.png/manifest");
        let accept: Vec<_> = accept
            .map(|accept| ("accept", accept))
            .into_iter()
            .collect();
        let answer = server.send(Method::GET, &path, &accept).await;
        assert_eq!(answer.header("content-type"), Some(expected));
        assert_eq!(answer.header("vary"), Some("Accept"));
    }
}

#[tokio::test]
async fn the_addresses_are_those_that_clients_see() {
    let (book, small) = (tiff(&grays()), small_image());
    let folder = folder_with(&[("maps/book.tif", &book), ("maps/old.tif", &small)]);
    let server = configured(folder.path(), |config| {
        config.server.public_url = Some("https://a.example/img".parse().unwrap());
        config.server.slash_substitute = Some("~".to_owned());
        config.routes = toml::from_str::<Rules>(
            "[[routes]]\nidentifier = \"maps/old{x}\"\npublic_url = \"https://old.example\"\nkeys = [\"maps/old{x}\"]\n[[routes]]",
        )
        .unwrap()
        .routes;
    });
    let manifest = server.json("/presentation/3/maps~book.tif/manifest").await;
    let id = "https://a.example/img/presentation/3/maps~book.tif/manifest";
    assert_eq!(manifest["id"], id);
    let service = |manifest: &Value, index: usize| {
        let body = &manifest["items"][index]["items"][0]["items"][0]["body"];
        body["service"][0]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        service(&manifest, 0),
        "https://a.example/img/iiif/3/maps~book.tif"
    );
    assert_eq!(
        service(&manifest, 1),
        "https://a.example/img/iiif/3/maps~book.tif%3B2"
    );
    let folder = server.json("/presentation/3/maps/manifest").await;
    assert_eq!(
        service(&folder, 0),
        "https://a.example/img/iiif/3/maps~book.tif"
    );
    assert_eq!(
        service(&folder, 1),
        "https://old.example/iiif/3/maps~old.tif"
    );
    let old = server.json("/presentation/3/maps~old.tif/manifest").await;
    assert_eq!(
        old["id"],
        "https://old.example/presentation/3/maps~old.tif/manifest"
    );
}

#[derive(serde::Deserialize)]
struct Rules {
    routes: Vec<azulejo::route::config::RouteConfig>,
}

#[tokio::test]
async fn the_licence_and_the_attribution_of_the_images_are_told() {
    let rights = "https://creativecommons.org/licenses/by/4.0/";
    let server = |rights: &str| {
        let rights = rights.to_owned();
        configured(fixtures("images"), |config| {
            config.image.rights = Some(rights);
            config.image.attribution = Some("The Museum".to_owned());
        })
    };
    let known = server(rights);
    let manifest = known.json("/presentation/3/chart.png/manifest").await;
    assert_eq!(manifest["rights"], rights);
    let statement =
        json!({ "label": { "en": ["Attribution"] }, "value": { "none": ["The Museum"] } });
    assert_eq!(manifest["requiredStatement"], statement);
    let older = known.json("/presentation/2/chart.png/manifest").await;
    assert_eq!(older["license"], rights);
    assert_eq!(older["attribution"], "The Museum");
    let own = server("https://example.org/terms");
    let manifest = own.json("/presentation/3/chart.png/manifest").await;
    assert!(
        manifest.get("rights").is_none(),
        "3.0 allows only known statements"
    );
}

#[tokio::test]
async fn the_index_leads_to_manifests() {
    let small = small_image();
    let folder = folder_with(&[("maps/a b.tif", &small), ("c.tif", &small)]);
    let server = over(folder.path());
    for (query, name) in [("", "c.tif"), ("?folder=maps", "a b.tif")] {
        let page = format!("/{query}");
        let accept = [("accept", "application/json")];
        let index = server.send(Method::GET, &page, &accept).await.json();
        for link in [&index["manifest"], &index["images"][0]["manifest"]] {
            let manifest = server.json(path_of(link)).await;
            assert_eq!(manifest["id"], *link);
            assert_eq!(manifest["items"].as_array().unwrap().len(), 1);
        }
        assert_eq!(
            labels(&server.json(path_of(&index["manifest"])).await),
            [name]
        );
        let html = server.get(&page).await;
        for link in [&index["manifest"], &index["images"][0]["manifest"]] {
            let href = format!("href=\"{}\"", link.as_str().unwrap());
            assert!(html.text().contains(&href), "{href}");
        }
    }
}

/// The second server knows the header and nothing else: of the file it sees size and time, and nothing in it can be read.
#[tokio::test]
async fn a_copy_of_a_document_is_confirmed_without_asking_its_file() {
    let book = tiff(&grays());
    let folder = folder_with(&[("book.tif", &book)]);
    let kept = tempfile::tempdir().unwrap();
    let path = "/presentation/3/book.tif/manifest";
    let whole = over(folder.path()).get(path).await;
    let server = || {
        configured(folder.path(), |config| {
            config.cache.disk.directory = Some(kept.path().to_owned());
        })
    };
    let first = server();
    first.get("/iiif/3/book.tif/info.json").await.assert_ok();
    first.settle().await;
    let file = folder.path().join("book.tif");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, vec![0; book.len()]).unwrap();
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(modified).unwrap();
    let second = server();
    let copy = [("if-none-match", whole.header("etag").unwrap())];
    let confirmed = second.send(Method::GET, path, &copy).await;
    assert_eq!(confirmed.status, 304);
    assert_eq!(second.status(path).await, 500);
}

/// What is configured stands in manifests, and so is part of their tag.
#[tokio::test]
async fn another_configuration_makes_another_manifest() {
    let folder = folder_with(&[("book.tif", &tiff(&grays()))]);
    let path = "/presentation/3/book.tif/manifest";
    let tag = |server: Server| async move {
        let answer = server.get(path).await;
        answer.header("etag").unwrap().to_owned()
    };
    let plain = tag(over(folder.path())).await;
    assert_eq!(plain, tag(over(folder.path())).await);
    type Change = fn(&mut Config);
    let changes: [Change; 4] = [
        |config| config.pages.patterns = vec!["{id}/page/{page}".parse().unwrap()],
        |config| config.image.max_width = Some(100),
        |config| config.image.attribution = Some("ours".to_owned()),
        |config| config.server.slash_substitute = Some("~".to_owned()),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let changed = tag(configured(folder.path(), change)).await;
        assert_ne!(changed, plain, "{index}");
    }
}

/// Of the same budget as images: what is too much for all of it is refused before anything is written.
#[tokio::test]
async fn a_long_manifest_has_its_place_in_the_memory() {
    let pages = vec![Gray::new(3, 3, 9); 300];
    let folder = folder_with(&[("long.tif", &tiff(&pages)), ("book.tif", &tiff(&grays()))]);
    let server = configured(folder.path(), |config| {
        config.work.memory = Some("1 MiB".parse().unwrap());
    });
    assert_eq!(
        server.status("/presentation/3/book.tif/manifest").await,
        200
    );
    assert_eq!(
        server.status("/presentation/3/long.tif/manifest").await,
        400
    );
    let enough = over(folder.path());
    let manifest = enough.json("/presentation/3/long.tif/manifest").await;
    assert_eq!(labels(&manifest).len(), 300);
    assert!(manifest.get("summary").is_none());
}

#[tokio::test]
async fn a_long_document_is_shown_in_part_and_says_so() {
    let document = pdf(&vec![(72.0, 72.0); 5_001]);
    let folder = folder_with(&[("long.pdf", &document)]);
    let server = over(folder.path());
    let answer = server.get("/presentation/3/long.pdf/manifest").await;
    let manifest = answer.json();
    assert_eq!(labels(&manifest).len(), 5_000);
    let told = &manifest["summary"]["en"][0];
    assert_eq!(*told, "5000 of 5001 images are shown.");
    assert!(answer.header("etag").is_some());
}

#[tokio::test]
async fn a_tiff_with_more_directories_than_are_read_says_so() {
    for (pages, told) in [
        (1_000, None),
        (1_001, Some("1000 of more than 1000 images are shown.")),
    ] {
        let folder = folder_with(&[("a.tif", &tiff(&vec![Gray::new(3, 3, 9); pages]))]);
        let server = over(folder.path());
        let manifest = server.json("/presentation/3/a.tif/manifest").await;
        assert_eq!(labels(&manifest).len(), 1_000);
        assert_eq!(manifest["summary"]["en"][0].as_str(), told);
    }
}

/// Where the extension was left out, the name of a page might be that of another image.
#[tokio::test]
async fn every_canvas_is_a_page_of_the_document_and_no_other_image() {
    let other = tiff(&[Gray::new(11, 12, 1)]);
    let files = [
        ("maps/y.tif", &tiff(&grays())[..]),
        ("maps/y;2.tiff", &other),
    ];
    let folder = folder_with(&files);
    let server = over(folder.path());
    for name in ["maps%2Fy", "maps%2Fy.tif"] {
        let manifest = server
            .json(&format!("/presentation/3/{name}/manifest"))
            .await;
        let items = manifest["items"].as_array().unwrap();
        assert_eq!(items.len(), 3);
        for (canvas, (width, height)) in items.iter().zip(PAGES) {
            let service = &canvas["items"][0]["items"][0]["body"]["service"][0]["id"];
            let information = format!("{}/info.json", path_of(service));
            let information = server.json(&information).await;
            let sides = (&information["width"], &information["height"]);
            assert_eq!(sides, (&json!(width), &json!(height)), "{service}");
        }
    }
    let information = server.json("/iiif/3/maps%2Fy;2/info.json").await;
    assert_eq!(information["width"], 11);
}

/// Its own name looks like that of a page.
#[tokio::test]
async fn a_document_may_be_called_like_a_page() {
    let folder = folder_with(&[("scan;2.tif", &tiff(&grays()))]);
    let server = over(folder.path());
    for name in ["scan;2", "scan;2.tif"] {
        let manifest = server
            .json(&format!("/presentation/3/{name}/manifest"))
            .await;
        assert_eq!(labels(&manifest), ["1", "2", "3"], "{name}");
    }
    let page = server.json("/presentation/3/scan;2.tif;3/manifest").await;
    assert_eq!(labels(&page), ["3"]);
    let first = server.json("/presentation/3/scan;2.tif;1/manifest").await;
    assert_eq!(labels(&first), ["1"]);
}

#[tokio::test]
async fn one_line_is_logged_however_much_is_left_out() {
    let mut pages = vec![Gray::new(3, 3, 9).broken(); 40];
    pages[0] = Gray::new(3, 3, 9);
    let document = tiff(&pages);
    let files: Vec<String> = (0..30).map(|number| format!("{number}.png")).collect();
    let broken = files.iter().map(|name| (&name[..], &b"no image"[..]));
    let files: Vec<_> = broken.chain([("a.tif", &document[..])]).collect();
    let folder = folder_with(&files);
    let server = over(folder.path());
    for (path, left_out) in [("a.tif/manifest", 39), ("manifest", 30)] {
        let log = Log::start();
        let manifest = server.json(&format!("/presentation/3/{path}")).await;
        let log = log.text();
        assert_eq!(labels(&manifest).len(), 1);
        let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), 1, "{log}");
        let told = format!("left_out={left_out}");
        assert!(warnings[0].contains(&told), "{log}");
    }
}

/// Only who runs the server may decide that everybody gets the documents.
#[tokio::test]
async fn documents_are_given_to_nobody_unless_that_is_configured() {
    let folder = folder_with(&[("a.pdf", &pdf(&[(72.0, 72.0)]))]);
    let server = over(folder.path());
    for version in VERSIONS {
        let path = format!("/presentation/{version}/a.pdf/manifest");
        assert!(server.json(&path).await.get("rendering").is_none());
    }
    assert_eq!(server.status("/presentation/download/a.pdf").await, 404);
}

/// The last one is larger than what is read at one time.
#[tokio::test]
async fn a_document_can_be_downloaded_where_its_manifest_says() {
    let small = pdf(&[(72.0, 72.0), (90.0, 72.0)]);
    let document = pdf(&vec![(72.0, 72.0); 1_500]);
    assert!(document.len() > 256 << 10);
    let folder = folder_with(&[("maps/a b.pdf", &small), ("large.pdf", &document)]);
    fs::write(folder.path().join("a.tif"), small_image()).unwrap();
    let server = configured(folder.path(), |config| config.presentation.download = true);
    for (name, file, bytes) in [
        ("maps%2Fa%20b.pdf", "a b.pdf", &small),
        ("maps%2Fa%20b", "a b.pdf", &small),
        ("maps%2Fa%20b.pdf;2", "a b.pdf_2.pdf", &small),
        ("large.pdf", "large.pdf", &document),
    ] {
        let manifest = server
            .json(&format!("/presentation/3/{name}/manifest"))
            .await;
        let link = &manifest["rendering"][0];
        assert_eq!(link["format"], "application/pdf");
        let older = server
            .json(&format!("/presentation/2/{name}/manifest"))
            .await;
        assert_eq!(older["rendering"]["@id"], link["id"]);
        let path = path_of(&link["id"]);
        let whole = server.get(path).await;
        whole.assert_ok();
        assert!(whole.body[..] == bytes[..], "{name}");
        assert_eq!(whole.header("content-type"), Some("application/pdf"));
        let length = bytes.len().to_string();
        assert_eq!(whole.header("content-length"), Some(&*length));
        let saved = format!("attachment; filename=\"{file}\"");
        assert_eq!(whole.header("content-disposition"), Some(&*saved));
        let head = server.send(Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(&*length));
        let copy = [("if-none-match", whole.header("etag").unwrap())];
        assert_eq!(server.send(Method::GET, path, &copy).await.status, 304);
    }
    let image = server.json("/presentation/3/a.tif/manifest").await;
    assert!(image.get("rendering").is_none());
    for name in ["a.tif", "nothing.pdf", "maps/a%20b.pdf", "large.pdf;1501"] {
        let path = format!("/presentation/download/{name}");
        assert_eq!(server.status(&path).await, 404, "{name}");
    }
}
