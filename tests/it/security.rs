//! K: what a hostile request or file cannot do.

use azulejo::config::byte_size::ByteSize;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use azulejo::config::Config;
use azulejo::http::{App, router};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::server::{Server, fixtures};

/// The `id` that is told to a client who sends these headers from this address.
async fn id(headers: &[(&str, &str)], peer: [u8; 4]) -> String {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let peer = ConnectInfo(SocketAddr::from((peer, 50_000)));
    let mut request = Request::get("/iiif/3/chart.png/info.json").extension(peer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let server = router(App::new(&config).unwrap());
    let response = server.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let document: Value = serde_json::from_slice(&body).unwrap();
    document["id"].as_str().unwrap().to_owned()
}

const PROXY: [u8; 4] = [10, 0, 0, 7];
const STRANGER: [u8; 4] = [192, 0, 2, 1];

#[tokio::test]
async fn k01_no_identifier_leads_out_of_the_directory() {
    let server = Server::over(fixtures("images"));
    for identifier in [
        "..%2Fmanifest.json",
        "%2e%2e%2Fcorrupt%2Ftext.jpg",
        "..%2Fcorrupt%2Ftruncated-chart.png",
        "%252e%252e%252fmanifest.json",
        "%2Fetc%2Fpasswd",
        "..%5Cmanifest.json",
        "chart.png%00.jpg",
        "chart.png%0d%0aX-Injected:%20yes",
        &"a".repeat(5_000),
    ] {
        for below in ["", "/info.json", "/full/max/0/default.jpg"] {
            let answer = server.get(&format!("/iiif/3/{identifier}{below}")).await;
            let status = answer.status.as_u16();
            assert!([400, 404].contains(&status), "{status} {identifier}{below}");
            assert_eq!(answer.header("x-injected"), None);
        }
    }
}

/// Before any file is looked for: the image does not exist, but it is the parameters that are refused.
#[tokio::test]
async fn k02_parameters_are_checked_first() {
    let server = Server::of_fixtures();
    let long = "9".repeat(5_000);
    for parameters in [
        format!("{long},0,1,1/max/0/default.jpg"),
        format!("full/{long},/0/default.jpg"),
        format!("full/max/{long}/default.jpg"),
        format!("full/max/0/{long}.jpg"),
        format!("full/max/0/default.{long}"),
    ] {
        let status = server.status(&format!("/iiif/3/no.png/{parameters}")).await;
        assert!(status == 400 || status == 404, "{status}");
    }
    assert_eq!(server.status("/iiif/3/no.png/full/0/0/x.jpg").await, 400);
}

#[tokio::test]
async fn k03_enlarging_ends_at_a_maximum() {
    let server = Server::of_fixtures();
    for path in [
        "/iiif/3/chart.png/full/^100000,/0/default.jpg",
        "/iiif/3/chart.png/full/^4294967295,4294967295/0/default.jpg",
        "/iiif/3/chart.png/full/^pct:100000/0/default.jpg",
        "/iiif/2/chart.png/full/100000,/0/default.jpg",
        "/iiif/2/chart.png/full/pct:100000/0/default.jpg",
    ] {
        assert_eq!(server.status(path).await, 400, "{path}");
    }
}

/// 141 bytes that claim to be 512 MiB of pixels.
#[tokio::test]
async fn k04_claims_are_checked_before_memory_is_taken() {
    let server = Server::configured(fixtures("corrupt"), |config| {
        config.decode.decoded_bytes = 64 << 20;
    });
    for below in ["info.json", "0,0,1,1/max/0/default.jpg"] {
        let path = format!("/iiif/3/png-67-megapixels.png/{below}");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 500);
        let limit = "exceeds the limit of 67108864";
        assert!(answer.text().contains(limit), "{}", answer.text());
    }
}

/// What would need terabytes is refused before a byte of it is allocated, even where no side has a limit.
#[tokio::test]
async fn k04_nothing_larger_than_the_memory_is_begun() {
    let server = Server::configured(fixtures("images"), |config| {
        config.image.max_width = None;
        config.work.memory = Some(ByteSize(64 << 20));
    });
    for request in [
        // The canvas of a turned thread.
        "full/%5E1000000,100/45/default.png",
        // Between the two passes of scaling, a thread is as wide as the image was.
        "full/%5E1,100000000/0/default.png",
        "full/%5E9000,9000/0/default.jp2",
    ] {
        let path = format!("/iiif/3/sample-azulejo.tif/{request}");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 400, "{request}");
        assert!(answer.text().contains("MiB"), "{}", answer.text());
    }
    let tile = "/iiif/3/sample-azulejo.tif/0,0,256,256/max/0/default.jpg";
    assert_eq!(server.status(tile).await, 200);
}

#[tokio::test]
async fn k04_sources_have_a_maximum() {
    let server = Server::configured(fixtures("images"), |config| {
        config.decode.source_pixels = 301 * 211;
    });
    let status = async |file| server.status(&format!("/iiif/3/{file}/info.json")).await;
    assert_eq!(status("chart.png").await, 200);
    assert_eq!(status("sample-azulejo.tif").await, 500);
}

#[tokio::test]
async fn k05_a_host_cannot_break_out_of_the_document() {
    let listen = "http://127.0.0.1:8182/iiif/3/chart.png";
    for host in [
        "a\",\"x\":\"y",
        "a/b",
        "user@a.example",
        "a example",
        "a<script>",
        "",
    ] {
        assert_eq!(id(&[("host", host)], STRANGER).await, listen, "{host}");
    }
    let host = ("host", "a.example:8443");
    assert_eq!(
        id(&[host], STRANGER).await,
        "http://a.example:8443/iiif/3/chart.png"
    );
}

#[tokio::test]
async fn k05_only_trusted_proxies_are_believed() {
    let headers = [
        ("host", "inner:8182"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "images.example.org"),
    ];
    let told = "https://images.example.org/iiif/3/chart.png";
    assert_eq!(id(&headers, PROXY).await, told);
    let asked = "http://inner:8182/iiif/3/chart.png";
    assert_eq!(id(&headers, STRANGER).await, asked);
}

/// There are no remote sources: an address is an identifier like any other.
#[tokio::test]
async fn k06_addresses_are_not_fetched() {
    let server = Server::of_fixtures();
    for identifier in ["http:%2F%2F127.0.0.1%2Fa.jpg", "file:%2F%2F%2Fetc%2Fpasswd"] {
        let path = format!("/iiif/3/{identifier}/info.json");
        assert_eq!(server.status(&path).await, 404, "{identifier}");
    }
}

/// The test ends: that is what it shows.
#[tokio::test]
async fn k07_loops_in_files_end() {
    let server = Server::over(fixtures("corrupt"));
    for file in ["tiff-ifd-loop.tif", "tiff-subifd-loop.tif"] {
        let path = format!("/iiif/3/{file}/full/20,/0/default.jpg");
        assert_eq!(server.picture(&path).await.width, 20, "{file}");
    }
}

#[tokio::test]
async fn k07_only_the_first_frame_of_an_animation_is_shown() {
    let path = "/iiif/3/gif-animated.gif/full/max/0/default.png";
    assert_eq!(Server::of_fixtures().picture(path).await.size(), (301, 211));
}
