//! N: which media type `info.json` has.

use axum::http::Method;

use crate::server::{Answer, Server};

const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const JSON_LD_3: &str = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

async fn information(version: u8, accept: Option<&str>) -> Answer {
    let headers: Vec<_> = accept.iter().map(|accept| ("accept", *accept)).collect();
    let path = format!("/iiif/{version}/chart.png/info.json");
    let answer = Server::of_fixtures()
        .send(Method::GET, &path, &headers)
        .await;
    answer.assert_ok();
    answer
}

async fn check(version: u8, rows: &[(Option<&str>, &str)]) {
    for (accept, expected) in rows {
        let answer = information(version, *accept).await;
        assert_eq!(answer.header("content-type"), Some(*expected), "{accept:?}");
    }
}

#[tokio::test]
async fn n01_json_ld_with_a_profile_by_default_in_3_0() {
    check(3, &[(None, JSON_LD_3), (Some("*/*"), JSON_LD_3)]).await;
}

#[tokio::test]
async fn n02_plain_json_by_default_in_2_1() {
    let rows = [
        (None, JSON),
        (Some("*/*"), JSON),
        (Some("application/*"), JSON),
    ];
    check(2, &rows).await;
}

/// N09: without a profile in 2.1, which allows but does not ask for one.
#[tokio::test]
async fn n03_n09_json_ld_where_it_is_named() {
    check(2, &[(Some(JSON_LD), JSON_LD)]).await;
    check(3, &[(Some(JSON_LD), JSON_LD_3)]).await;
}

#[tokio::test]
async fn n04_plain_json_where_it_is_named() {
    check(2, &[(Some(JSON), JSON)]).await;
    check(3, &[(Some(JSON), JSON)]).await;
}

#[tokio::test]
async fn n05_the_answer_varies_by_accept() {
    for version in [2, 3] {
        let answer = information(version, None).await;
        assert_eq!(answer.header("vary"), Some("Accept"));
    }
}

#[tokio::test]
async fn n05_the_tag_tells_the_types_apart() {
    let json = information(3, Some(JSON)).await;
    let json_ld = information(3, Some(JSON_LD)).await;
    assert_ne!(json.header("etag"), json_ld.header("etag"));
    assert_eq!(json.body, json_ld.body);
}

#[tokio::test]
async fn n06_weights_and_precedence() {
    let rows = [
        (
            Some("application/json;q=0.5, application/ld+json;q=0.4"),
            JSON,
        ),
        (
            Some("application/json;q=0.4, application/ld+json;q=0.5"),
            JSON_LD_3,
        ),
        (Some("application/ld+json;q=0, */*"), JSON),
        (Some("*/*;q=0.1, application/json"), JSON),
        (Some("text/html, application/*;q=0.9"), JSON_LD_3),
    ];
    check(3, &rows).await;
}

#[tokio::test]
async fn n07_parameters_do_not_matter() {
    let rows = [
        (Some(JSON_LD_3), JSON_LD_3),
        (Some("application/json; charset=utf-8"), JSON),
        (
            Some("application/ld+json;profile=\"http://example.org/other\""),
            JSON_LD_3,
        ),
    ];
    check(3, &rows).await;
}

#[tokio::test]
async fn n08_the_default_where_neither_is_accepted() {
    check(2, &[(Some("text/html"), JSON)]).await;
    check(3, &[(Some("text/html"), JSON_LD_3)]).await;
}

#[tokio::test]
async fn n10_images_have_the_format_of_their_suffix() {
    let server = Server::of_fixtures();
    let path = "/iiif/3/chart.png/full/50,/0/default.png";
    for accept in ["image/webp", "image/jpeg", "application/json"] {
        let answer = server.send(Method::GET, path, &[("accept", accept)]).await;
        answer.assert_ok();
        assert_eq!(answer.header("content-type"), Some("image/png"), "{accept}");
        assert_eq!(answer.header("vary"), None);
    }
}
