//! I3: `info.json` of Image API 3.0.

use serde_json::{Value, json};

use crate::server::{HOST, Server};

const PATH: &str = "/iiif/3/chart.png/info.json";

async fn chart() -> Value {
    Server::of_fixtures().json(PATH).await
}

async fn sample() -> Value {
    Server::of_fixtures()
        .json("/iiif/3/sample-azulejo.tif/info.json")
        .await
}

fn keys(document: &Value) -> Vec<&str> {
    let object = document.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

pub fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

pub fn integers(list: &Value) -> Vec<u64> {
    let list = list.as_array().unwrap();
    list.iter().map(|number| number.as_u64().unwrap()).collect()
}

/// Every value of the document, however deep.
pub fn values(document: &Value) -> Vec<&Value> {
    let inner: Vec<&Value> = match document {
        Value::Array(list) => list.iter().flat_map(values).collect(),
        Value::Object(object) => object.values().flat_map(values).collect(),
        _ => Vec::new(),
    };
    std::iter::once(document).chain(inner).collect()
}

#[tokio::test]
async fn i3_01_an_object_in_utf8_without_bom() {
    let answer = Server::of_fixtures().get(PATH).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text().chars().next(), Some('{'));
    assert!(answer.json().is_object());
}

#[tokio::test]
async fn i3_02_the_context_is_a_string_and_first() {
    let document = chart().await;
    assert_eq!(keys(&document)[0], "@context");
    assert_eq!(
        document["@context"],
        "http://iiif.io/api/image/3/context.json"
    );
}

#[tokio::test]
async fn i3_03_the_id_is_the_base_uri_as_the_client_sees_it() {
    let document = chart().await;
    assert_eq!(document["id"], format!("http://{HOST}/iiif/3/chart.png"));
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.server.public_url = Some("https://example.org/prefix".parse().unwrap());
    });
    let document = server.json(PATH).await;
    assert_eq!(
        document["id"],
        "https://example.org/prefix/iiif/3/chart.png"
    );
}

#[tokio::test]
async fn i3_04_i3_05_i3_06_type_protocol_and_profile() {
    let document = chart().await;
    assert_eq!(document["type"], "ImageService3");
    assert_eq!(document["protocol"], "http://iiif.io/api/image");
    assert_eq!(document["profile"], "level2");
}

#[tokio::test]
async fn i3_07_width_and_height_of_the_upright_image() {
    let server = Server::of_fixtures();
    for (file, width, height) in [
        ("chart.png", 301, 211),
        // Stored as 211 by 301, and as 61 by 93.
        ("tiff-orientation-6.tif", 301, 211),
        ("jpeg-orientation-6.jpg", 93, 61),
        ("sample-azulejo.jp2", 2400, 1800),
    ] {
        let document = server.json(&format!("/iiif/3/{file}/info.json")).await;
        assert_eq!(document["width"], json!(width), "{file}");
        assert_eq!(document["height"], json!(height), "{file}");
    }
}

#[tokio::test]
async fn i3_08_limits_are_declared_and_enforced() {
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.max_width = Some(120);
        config.image.max_height = Some(100);
        config.image.max_area = 9_000;
    });
    let document = server.json(PATH).await;
    assert_eq!(document["maxWidth"], 120);
    assert_eq!(document["maxHeight"], 100);
    assert_eq!(document["maxArea"], 9_000);
    for (size, status) in [
        ("120,75", 200),
        ("121,10", 400),
        ("50,100", 200),
        ("50,101", 400),
        ("100,91", 400),
    ] {
        let path = format!("/iiif/3/chart.png/full/{size}/0/default.png");
        assert_eq!(server.status(&path).await, status, "{size}");
    }
}

#[tokio::test]
async fn i3_08_max_height_requires_max_width() {
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.max_width = Some(120);
    });
    let document = server.json(PATH).await;
    assert_eq!(document["maxWidth"], 120);
    assert!(document.get("maxHeight").is_none());
}

#[tokio::test]
async fn i3_09_i3_12_sizes_ascend_one_for_each_scale_factor() {
    let expected = json!([
        {"width": 150, "height": 113},
        {"width": 300, "height": 225},
        {"width": 600, "height": 450},
        {"width": 1200, "height": 900},
        {"width": 2400, "height": 1800},
    ]);
    assert_eq!(sample().await["sizes"], expected);
}

#[tokio::test]
async fn i3_09_sizes_stay_within_the_limits() {
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.max_width = Some(1_000);
    });
    let document = server.json("/iiif/3/sample-azulejo.tif/info.json").await;
    let expected = json!([
        {"width": 150, "height": 113},
        {"width": 300, "height": 225},
        {"width": 600, "height": 450},
    ]);
    assert_eq!(document["sizes"], expected);
}

#[tokio::test]
async fn i3_10_i3_12_i3_13_tiles_with_both_sides_and_ascending_factors() {
    let document = sample().await;
    assert_eq!(
        document["tiles"],
        json!([{"width": 256, "height": 256, "scaleFactors": [1, 2, 4, 8, 16]}])
    );
}

#[tokio::test]
async fn i3_11_tiles_are_unique_and_within_the_limits() {
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.max_width = Some(200);
    });
    let document = server.json("/iiif/3/sample-azulejo.tif/info.json").await;
    let tiles = document["tiles"].as_array().unwrap();
    assert_eq!(tiles.len(), 1);
    assert_eq!(tiles[0]["width"], 128);
    let mut factors = integers(&tiles[0]["scaleFactors"]);
    let count = factors.len();
    factors.dedup();
    assert_eq!(factors.len(), count);
}

#[tokio::test]
async fn i3_15_rights_is_one_string() {
    const RIGHTS: &str = "http://creativecommons.org/publicdomain/mark/1.0/";
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.rights = Some(RIGHTS.to_owned());
    });
    assert_eq!(server.json(PATH).await["rights"], RIGHTS);
    assert!(chart().await.get("rights").is_none());
}

#[tokio::test]
async fn i3_16_i3_17_all_that_is_beyond_level_2() {
    let document = chart().await;
    assert_eq!(
        strings(&document["extraQualities"]),
        ["color", "gray", "bitonal"]
    );
    assert_eq!(
        strings(&document["extraFormats"]),
        ["webp", "tif", "gif", "jp2", "pdf"]
    );
    let features = [
        "canonicalLinkHeader",
        "mirroring",
        "profileLinkHeader",
        "rotationArbitrary",
        "sizeUpscaling",
    ];
    assert_eq!(strings(&document["extraFeatures"]), features);
}

#[tokio::test]
async fn i3_18_enlarging_comes_with_a_maximum() {
    assert_eq!(chart().await["maxArea"], 100_000_000);
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.upscaling = false;
    });
    let document = server.json(PATH).await;
    assert!(!strings(&document["extraFeatures"]).contains(&"sizeUpscaling"));
}

/// Nothing is said that cannot be known from the file: no preferred formats, links or services, hence no labels and no
/// context of an extension.
#[tokio::test]
async fn i3_14_i3_19_to_i3_22_i3_24_nothing_beyond_the_image_api() {
    let expected = [
        "@context",
        "id",
        "type",
        "protocol",
        "profile",
        "width",
        "height",
        "maxWidth",
        "maxArea",
        "sizes",
        "tiles",
        "extraQualities",
        "extraFormats",
        "extraFeatures",
    ];
    assert_eq!(keys(&chart().await), expected);
}

#[tokio::test]
async fn i3_23_no_names_of_2_1() {
    let server = Server::configured(crate::server::fixtures("images"), |config| {
        config.image.rights = Some("http://creativecommons.org/licenses/by/4.0/".to_owned());
        config.image.attribution = Some("Provided by Example Library".to_owned());
    });
    let answer = server.get(PATH).await;
    for name in [
        "@id",
        "@type",
        "license",
        "logo",
        "attribution",
        "formats",
        "qualities",
        "supports",
        "sizeAboveFull",
        "sizeByWhListed",
        "sizeByForcedWh",
        "sizeByDistortedWh",
    ] {
        assert!(!answer.text().contains(&format!("\"{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn i3_25_no_null_nothing_empty_and_whole_numbers() {
    for document in [chart().await, sample().await] {
        for value in values(&document) {
            assert!(!value.is_null());
            assert!(!value.as_array().is_some_and(Vec::is_empty), "{document}");
            assert!(!value.is_number() || value.is_u64(), "{value}");
        }
    }
}
