//! I2: `info.json` of Image API 2.1.

use serde_json::{Value, json};

use crate::information_3::{integers, strings, values};
use crate::server::{HOST, Server, fixtures};

const PATH: &str = "/iiif/2/chart.png/info.json";

async fn chart() -> Value {
    Server::of_fixtures().json(PATH).await
}

#[tokio::test]
async fn i2_01_the_context() {
    assert_eq!(
        chart().await["@context"],
        "http://iiif.io/api/image/2/context.json"
    );
}

#[tokio::test]
async fn i2_02_the_id_is_the_base_uri() {
    assert_eq!(
        chart().await["@id"],
        format!("http://{HOST}/iiif/2/chart.png")
    );
}

#[tokio::test]
async fn i2_03_i2_14_no_type_and_no_service() {
    let document = chart().await;
    assert!(document.get("@type").is_none());
    assert!(document.get("service").is_none());
}

#[tokio::test]
async fn i2_04_protocol_width_and_height() {
    let server = Server::of_fixtures();
    for file in ["chart.png", "tiff-orientation-6.tif"] {
        let document = server.json(&format!("/iiif/2/{file}/info.json")).await;
        assert_eq!(document["protocol"], "http://iiif.io/api/image");
        assert_eq!(document["width"], 301, "{file}");
        assert_eq!(document["height"], 211, "{file}");
    }
}

#[tokio::test]
async fn i2_05_the_profile_is_an_array_that_begins_with_the_level() {
    let document = chart().await;
    let profile = document["profile"].as_array().unwrap();
    assert_eq!(profile.len(), 2);
    assert_eq!(profile[0], "http://iiif.io/api/image/2/level2.json");
    assert!(profile[1].is_object());
}

#[tokio::test]
async fn i2_06_i2_08_limits_live_in_the_profile() {
    let server = Server::configured(fixtures("images"), |config| {
        config.image.max_width = Some(120);
        config.image.max_height = Some(100);
    });
    let document = server.json(PATH).await;
    let profile = &document["profile"][1];
    assert_eq!(profile["maxWidth"], 120);
    assert_eq!(profile["maxHeight"], 100);
    assert_eq!(profile["maxArea"], 100_000_000);
    for name in [
        "formats",
        "qualities",
        "supports",
        "maxArea",
        "maxHeight",
        "maxWidth",
    ] {
        assert!(document.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn i2_07_the_profile_is_plain_and_nothing_in_it_is_empty() {
    let document = chart().await;
    let profile = document["profile"][1].as_object().unwrap();
    assert!(profile.keys().all(|key| !key.starts_with('@')));
    for value in values(&document) {
        assert!(!value.is_null());
        assert!(!value.as_array().is_some_and(Vec::is_empty));
    }
}

#[tokio::test]
async fn i2_09_features_beyond_level_2() {
    let features = [
        "canonicalLinkHeader",
        "mirroring",
        "profileLinkHeader",
        "regionSquare",
        "rotationArbitrary",
        "sizeAboveFull",
    ];
    assert_eq!(strings(&chart().await["profile"][1]["supports"]), features);
}

#[tokio::test]
async fn i2_10_qualities_and_formats_beyond_level_2() {
    let profile = &chart().await["profile"][1];
    assert_eq!(strings(&profile["qualities"]), ["color", "gray"]);
    assert_eq!(
        strings(&profile["formats"]),
        ["webp", "tif", "gif", "jp2", "pdf"]
    );
}

#[tokio::test]
async fn i2_11_sizes_and_tiles_are_those_of_3_0() {
    let server = Server::of_fixtures();
    for file in ["chart.png", "sample-azulejo.tif", "tiff-orientation-6.tif"] {
        let v2 = server.json(&format!("/iiif/2/{file}/info.json")).await;
        let v3 = server.json(&format!("/iiif/3/{file}/info.json")).await;
        assert!(!integers(&v2["tiles"][0]["scaleFactors"]).is_empty());
        assert_eq!(v2["tiles"], v3["tiles"], "{file}");
        assert_eq!(v2["sizes"], v3["sizes"], "{file}");
    }
}

#[tokio::test]
async fn i2_12_sizes_and_tiles_in_all_qualities_and_formats() {
    let server = Server::of_fixtures();
    let document = server.json(PATH).await;
    let profile = &document["profile"][1];
    let qualities = [vec!["default", "bitonal"], strings(&profile["qualities"])].concat();
    let formats = [vec!["jpg", "png"], strings(&profile["formats"])].concat();
    let sizes = document["sizes"].as_array().unwrap();
    let sizes = sizes.iter().map(|size| format!("full/{},", size["width"]));
    // One tile holds the image.
    assert_eq!(document["tiles"][0]["scaleFactors"], json!([1]));
    for place in sizes.chain(["0,0,301,211/301,".to_owned()]) {
        for quality in &qualities {
            for format in &formats {
                let path = format!("/iiif/2/chart.png/{place}/0/{quality}.{format}");
                server.get(&path).await.assert_ok();
            }
        }
    }
}

#[tokio::test]
async fn i2_13_attribution_and_license() {
    let server = Server::configured(fixtures("images"), |config| {
        config.image.rights = Some("http://creativecommons.org/licenses/by/4.0/".to_owned());
        config.image.attribution = Some("Provided by Example Library".to_owned());
    });
    let document = server.json(PATH).await;
    assert_eq!(
        document["license"],
        "http://creativecommons.org/licenses/by/4.0/"
    );
    assert_eq!(document["attribution"], "Provided by Example Library");
    assert!(chart().await.get("license").is_none());
}

#[tokio::test]
async fn i2_15_sizes_above_full_come_with_a_maximum() {
    let server = Server::configured(fixtures("images"), |config| {
        config.image.max_area = 70_000;
    });
    let document = server.json(PATH).await;
    let profile = &document["profile"][1];
    assert!(strings(&profile["supports"]).contains(&"sizeAboveFull"));
    assert_eq!(profile["maxArea"], json!(70_000));
    let status = |size| format!("/iiif/2/chart.png/full/{size}/0/default.jpg");
    assert_eq!(server.status(&status("305,")).await, 200);
    assert_eq!(server.status(&status("602,")).await, 400);
}

#[tokio::test]
async fn i2_16_no_names_of_3_0() {
    let answer = Server::of_fixtures().get(PATH).await;
    for name in [
        "id",
        "type",
        "extraFeatures",
        "extraFormats",
        "extraQualities",
        "rights",
        "preferredFormats",
        "sizeUpscaling",
    ] {
        assert!(!answer.text().contains(&format!("\"{name}\"")), "{name}");
    }
}
