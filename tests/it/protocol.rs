//! P: HTTP.

use std::fs;

use axum::http::{Method, Request, Version};
use azulejo::config::Config;
use azulejo::http::{App, router};
use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Answer, Server, fixtures};

const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.jpg";
const INFORMATION: &str = "/iiif/3/chart.png/info.json";
const BASE: &str = "/iiif/3/chart.png";
/// Its header is fine, its pixels are not.
const BROKEN_PIXELS: &str = "/iiif/3/png-flipped-byte.png/full/max/0/default.jpg";

async fn get_with(server: &Server, path: &str, header: (&str, &str)) -> Answer {
    server.send(Method::GET, path, &[header]).await
}

#[tokio::test]
async fn p01_p05_get_gives_the_image_or_the_document() {
    let server = Server::of_fixtures();
    let image = server.get(IMAGE).await;
    assert_eq!(image.picture().size(), (50, 35));
    assert!(image.body.starts_with(&[0xFF, 0xD8]) && image.body.ends_with(&[0xFF, 0xD9]));
    let information = server.get(INFORMATION).await;
    assert_eq!(information.json()["width"], 301);
}

#[tokio::test]
async fn p02_head_is_get_without_a_body() {
    let server = Server::of_fixtures();
    for path in [
        IMAGE,
        INFORMATION,
        BASE,
        "/iiif/3/no.png/info.json",
        "/iiif/3/chart.png/full/0,/0/default.jpg",
        "/elsewhere",
    ] {
        let get = server.get(path).await;
        let head = server.send(Method::HEAD, path, &[]).await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        let of_the_answer = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            // Says how the answer was found.
            headers.remove("cache-status");
            headers
        };
        assert_eq!(of_the_answer(&head), of_the_answer(&get), "{path}");
    }
}

#[tokio::test]
async fn p03_options() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION, BASE] {
        let answer = server.send(Method::OPTIONS, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("access-control-allow-methods").is_some());
    }
}

#[tokio::test]
async fn p04_other_methods_are_refused_and_the_right_ones_named() {
    let server = Server::of_fixtures();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        for path in [IMAGE, INFORMATION, BASE] {
            let answer = server.send(method.clone(), path, &[]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
    }
}

#[tokio::test]
async fn p06_the_redirect_has_a_location_and_no_body() {
    let answer = Server::of_fixtures().get(BASE).await;
    assert_eq!(answer.status, 303);
    let expected = format!("http://{}{INFORMATION}", crate::server::HOST);
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn p07_unchanged_answers_have_no_body() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION] {
        let first = server.get(path).await;
        let tag = first.header("etag").unwrap();
        let modified = first.header("last-modified").unwrap();
        for condition in [("if-none-match", tag), ("if-modified-since", modified)] {
            for method in [Method::GET, Method::HEAD] {
                let answer = server.send(method, path, &[condition]).await;
                assert_eq!(answer.status, 304, "{path} {condition:?}");
                assert!(answer.body.is_empty());
                for name in ["etag", "last-modified", "cache-control", "vary"] {
                    assert_eq!(answer.header(name), first.header(name), "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn p07_changed_answers_are_sent() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION] {
        for condition in [
            ("if-none-match", "\"other\""),
            ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            get_with(&server, path, condition).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn p07_304_touches_no_pixel() {
    let server = Server::over(fixtures("corrupt"));
    assert_eq!(server.status(BROKEN_PIXELS).await, 500);
    let answer = get_with(&server, BROKEN_PIXELS, ("if-none-match", "*")).await;
    assert_eq!(answer.status, 304);
}

#[tokio::test]
async fn p07_the_tag_follows_the_file_and_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.png");
    fs::copy(fixtures("images/chart.png"), &file).unwrap();
    let server = Server::over(folder.path());
    let tag = async |size: &str| {
        let path = format!("/iiif/3/a.png/full/{size}/0/default.jpg");
        let answer = server.get(&path).await;
        answer.assert_ok();
        answer.header("etag").unwrap().to_owned()
    };
    let before = tag("50,").await;
    assert_eq!(tag("50,35").await, before);
    assert_ne!(tag("51,").await, before);
    fs::copy(fixtures("images/png-gray.png"), &file).unwrap();
    assert_ne!(tag("50,").await, before);
}

/// With prior knowledge, as a proxy would.
#[tokio::test]
async fn p08_http_2_without_tls() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router(App::new(&config).unwrap());
    let server = tokio::spawn(async { axum::serve(listener, service).await });

    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("http://{address}{INFORMATION}")).body(());
    let (response, _) = client.send_request(request.unwrap(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let mut document = Vec::new();
    while let Some(data) = body.data().await {
        document.extend_from_slice(&data.unwrap());
    }
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["id"], format!("http://{address}{BASE}"));
    connection.abort();
    server.abort();
}

#[tokio::test]
async fn p09_a_telling_file_name() {
    let server = Server::of_fixtures();
    let disposition = async |query: &str| {
        let answer = server.get(&format!("{IMAGE}{query}")).await;
        answer.header("content-disposition").unwrap().to_owned()
    };
    assert_eq!(
        disposition("").await,
        "inline; filename=\"chart.png full_50,35_0_default.jpg\""
    );
    assert_eq!(
        disposition("?dl=map.jpg").await,
        "attachment; filename=\"map.jpg\""
    );
}

#[tokio::test]
async fn p10_content_length() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION, "/iiif/3/no.png/info.json"] {
        let answer = server.get(path).await;
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()));
    }
}

#[tokio::test]
async fn p11_errors_are_not_stored() {
    let server = Server::configured(fixtures("images"), |config| {
        config.server.cache_control = "public, max-age=60".to_owned();
    });
    for path in [IMAGE, INFORMATION] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    }
    for path in ["/iiif/3/no.png/info.json", "/iiif/3/chart.png/a/b/c/d.jpg"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// One thread and no queue: of many requests at once some find no place. Each is for another image, which takes far longer to make than
/// to ask for.
#[tokio::test]
async fn p12_an_overloaded_server_says_when_to_ask_again() {
    let server = Server::configured(fixtures("images"), |config| {
        config.work.threads = 1;
        config.work.queue = 0;
    });
    let paths: Vec<String> = (2395..2401)
        .map(|width| format!("/iiif/3/sample-azulejo.tif/full/{width},/0/default.png"))
        .collect();
    let answers = join_all(paths.iter().map(|path| server.get(path))).await;
    assert!(answers.iter().any(|answer| answer.status == 200));
    let busy = answers.iter().find(|answer| answer.status == 503).unwrap();
    assert_eq!(busy.header("retry-after"), Some("2"));
    assert_eq!(busy.header("cache-control"), Some("no-store"));
}
