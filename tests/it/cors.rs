//! X: what scripts of other sites may do.

use axum::http::Method;

use crate::server::{Answer, Server, fixtures};

const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.jpg";
const INFORMATION: &str = "/iiif/3/chart.png/info.json";
const BASE: &str = "/iiif/3/chart.png";
const ORIGIN: (&str, &str) = ("origin", "https://viewer.example.org");

fn assert_open(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.path);
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, Some("*"), "{}", answer.path);
    // X06: browsers refuse the two together.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn x01_x06_every_origin_with_or_without_an_origin_header() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION] {
        assert_open(&server.get(path).await, 200);
        assert_open(&server.send(Method::GET, path, &[ORIGIN]).await, 200);
    }
}

#[tokio::test]
async fn x02_on_redirects_and_unchanged_answers() {
    let server = Server::of_fixtures();
    assert_open(&server.get(BASE).await, 303);
    for path in [IMAGE, INFORMATION] {
        let tag = server.get(path).await;
        let tag = ("if-none-match", tag.header("etag").unwrap());
        assert_open(&server.send(Method::GET, path, &[tag]).await, 304);
    }
}

#[tokio::test]
async fn x02_on_the_errors_of_clients() {
    let server = Server::of_fixtures();
    let wrong = "/iiif/3/chart.png/full/0,/0/default.jpg";
    assert_open(&server.get(wrong).await, 400);
    assert_open(&server.get("/iiif/3/no.png/info.json").await, 404);
    assert_open(&server.get("/elsewhere").await, 404);
    assert_open(&server.send(Method::POST, IMAGE, &[]).await, 405);
}

#[tokio::test]
async fn x02_on_the_errors_of_the_server() {
    let server = Server::over(fixtures("corrupt"));
    assert_open(&server.get("/iiif/3/text.jpg/info.json").await, 500);
    let server = Server::configured(fixtures("images"), |config| config.image.upscaling = false);
    let enlarged = "/iiif/3/chart.png/full/^600,/0/default.jpg";
    assert_open(&server.get(enlarged).await, 501);
}

#[tokio::test]
async fn x03_preflight_mirrors_the_headers_asked_for() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION, BASE, "/iiif/3/no.png/info.json"] {
        let asked = [
            ORIGIN,
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization,x-other"),
        ];
        let answer = server.send(Method::OPTIONS, path, &asked).await;
        assert_open(&answer, 200);
        let allowed = answer.header("access-control-allow-headers");
        assert_eq!(allowed, Some("authorization,x-other"), "{path}");
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(methods.split(',').any(|method| method.trim() == "GET"));
    }
}

#[tokio::test]
async fn x04_plain_options_neither_redirects_nor_fails() {
    let server = Server::of_fixtures();
    for path in [IMAGE, INFORMATION, BASE] {
        let answer = server.send(Method::OPTIONS, path, &[]).await;
        assert_open(&answer, 200);
        assert_eq!(answer.header("location"), None);
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn x05_scripts_may_read_the_headers_and_remember_the_preflight() {
    let server = Server::of_fixtures();
    let answer = server.send(Method::GET, IMAGE, &[ORIGIN]).await;
    let exposed = answer.header("access-control-expose-headers").unwrap();
    let exposed: Vec<&str> = exposed.split(',').map(str::trim).collect();
    for name in ["link", "etag", "content-disposition", "retry-after"] {
        assert!(exposed.contains(&name), "{name}");
    }
    let preflight = server.send(Method::OPTIONS, IMAGE, &[ORIGIN]).await;
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
}

#[tokio::test]
async fn x07_the_same_headers_every_time_and_for_every_origin() {
    let server = Server::of_fixtures();
    let answers = [
        server.get(IMAGE).await,
        server.get(IMAGE).await,
        server.send(Method::GET, IMAGE, &[ORIGIN]).await,
        Server::of_fixtures().get(IMAGE).await,
    ];
    for answer in &answers {
        let mut headers = answer.headers.clone();
        let mut expected = answers[0].headers.clone();
        assert!(headers.remove("x-request-id").is_some());
        expected.remove("x-request-id");
        // Says how the answer was found.
        headers.remove("cache-status");
        expected.remove("cache-status");
        assert_eq!(headers, expected);
    }
}
