use serde_json::json;

use super::*;

const MANIFEST_2: &str = include_str!("../../../fixtures/presentation/manifest-2.json");
const MANIFEST_3: &str = include_str!("../../../fixtures/presentation/manifest-3.json");
const COLLECTION_2: &str = include_str!("../../../fixtures/presentation/collection-2.json");
const COLLECTION_3: &str = include_str!("../../../fixtures/presentation/collection-3.json");

fn read(text: &str) -> Document {
    Document::read(text.as_bytes()).unwrap()
}

fn kind(value: &Value) -> Kind {
    read(&value.to_string()).kind
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// URLs below the address that the fixtures are published at.
fn published(paths: &[&str]) -> Vec<String> {
    let url = |path| format!("https://published.example.org/{path}");
    paths.iter().map(url).collect()
}

#[test]
fn a_manifest_of_presentation_2() {
    let manifest = read(MANIFEST_2);
    assert_eq!(manifest.kind, Kind::Manifest);
    let mut images = published(&[
        "iiif/2/chart.png",
        "iiif/2/chart.png",
        "iiif/2/jpeg-420.jpg",
        "iiif/2/jpeg-444.jpg",
    ]);
    images.push("https://elsewhere.example.net/images/9".to_owned());
    assert_eq!(manifest.images, images);
    let thumbnails = [
        "iiif/2/chart.png/full/!100,100/0/default.jpg",
        "iiif/2/chart.png/full/90,/0/default.jpg",
    ];
    assert_eq!(manifest.thumbnails, published(&thumbnails));
    assert_eq!(manifest.members, [""; 0], "what stands above it");
    let others = [
        "http://geojson.org/geojson-ld/geojson-context.jsonld",
        "http://iiif.io/api/auth/1/login",
        "http://iiif.io/api/search/1/autocomplete",
        "http://iiif.io/api/search/1/search",
        "https://transcribe.example.org/structure/1/context.json",
    ];
    assert_eq!(sorted(manifest.other_services), others);
}

#[test]
fn a_manifest_of_presentation_3() {
    let manifest = read(MANIFEST_3);
    assert_eq!(manifest.kind, Kind::Manifest);
    let images = [
        "iiif/2/jpeg-444.jpg",
        "iiif/3/chart.png",
        "iiif/3/chart.png",
        "iiif/3/jpeg-420.jpg",
        "iiif/3/jpeg-422.jpg",
    ];
    assert_eq!(sorted(manifest.images), published(&images));
    let thumbnail = "iiif/3/chart.png/full/80,56/0/default.jpg";
    assert_eq!(manifest.thumbnails, published(&[thumbnail]));
    assert_eq!(manifest.members, [""; 0]);
    let others = ["AuthCookieService1", "AuthCookieService1", "SearchService2"];
    assert_eq!(sorted(manifest.other_services), others);
}

#[test]
fn a_collection_of_presentation_2() {
    let collection = read(COLLECTION_2);
    assert_eq!(collection.kind, Kind::Collection);
    let members = [
        "manifests/2.json",
        "manifests/text.json",
        "collections/2.json",
        "collections/3.json",
        "manifests/deep.json",
        "collections/2-page-2.json",
    ];
    assert_eq!(collection.members, published(&members));
    assert_eq!(collection.images, published(&["iiif/2/jpeg-411.jpg"]));
    let thumbnail = "iiif/2/chart.png/full/70,/0/default.jpg";
    assert_eq!(collection.thumbnails, published(&[thumbnail]));
}

#[test]
fn a_collection_of_presentation_3() {
    let collection = read(COLLECTION_3);
    assert_eq!(collection.kind, Kind::Collection);
    let members = [
        "manifests/3.json",
        "collections/2.json",
        "manifests/deep.json",
    ];
    assert_eq!(collection.members, published(&members));
    assert_eq!(collection.thumbnails, published(&["collection.jpg"]));
    assert_eq!(collection.images, [""; 0]);
}

#[test]
fn an_info_json_names_its_image() {
    let information = json!({
        "@context": "http://iiif.io/api/image/3/context.json", "id": "https://a.org/iiif/3/x", "type": "ImageService3",
        "protocol": "http://iiif.io/api/image", "width": 8, "height": 8,
        "service": [{"id": "https://a.org/probe", "type": "AuthProbeService2"}],
    });
    let document = read(&information.to_string());
    assert_eq!(document.kind, Kind::Information);
    assert_eq!(document.images, ["https://a.org/iiif/3/x"]);
    assert_eq!(document.other_services, ["AuthProbeService2"]);
}

#[test]
fn a_type_may_be_missing_or_spelt_otherwise() {
    let canvas = json!({"type": "Canvas"});
    for manifest in [
        json!({"type": "Manifest"}),
        json!({"@type": "http://iiif.io/api/presentation/2#Manifest"}),
        json!({"@type": ["sc:Manifest"]}),
        json!({"sequences": []}),
        json!({"items": [canvas]}),
    ] {
        assert_eq!(kind(&manifest), Kind::Manifest, "{manifest}");
    }
    for collection in [
        json!({"@type": "sc:Collection"}),
        json!({"manifests": []}),
        json!({"items": [{"type": "Manifest"}]}),
    ] {
        assert_eq!(kind(&collection), Kind::Collection, "{collection}");
    }
}

#[test]
fn of_anything_else_nothing_is_read() {
    let service = json!({"@id": "x", "profile": "http://iiif.io/api/image/2/level2.json"});
    for other in [
        json!([{"service": service}]),
        json!({"@type": "sc:AnnotationList", "resources": [{"service": service}]}),
        json!("text"),
        json!(null),
    ] {
        assert_eq!(read(&other.to_string()), Document::default(), "{other}");
    }
}

#[test]
fn values_of_unexpected_kinds_are_passed_over() {
    let strange = json!({
        "@type": "sc:Manifest", "@id": 7, "thumbnail": [null, {"@id": null}, 3, {"service": "x"}],
        "service": null, "sequences": [[[]], {"canvases": "none"}],
    });
    let document = read(&strange.to_string());
    assert_eq!(document.kind, Kind::Manifest);
    assert!(document.images.is_empty() && document.thumbnails.is_empty());
    let others = document.other_services;
    assert_eq!(others, ["a service without a description"], "of the object");
}

#[test]
fn a_byte_order_mark_is_no_error_and_broken_json_is_one() {
    assert_eq!(
        read("\u{FEFF}{\"type\": \"Manifest\"}").kind,
        Kind::Manifest
    );
    for broken in [
        "",
        "<html>",
        "{\"type\": \"Manifest\"",
        &"[".repeat(100_000),
    ] {
        assert!(Document::read(broken.as_bytes()).is_err());
    }
}
