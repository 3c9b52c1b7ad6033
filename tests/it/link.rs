//! H: the `Link` header.

use axum::http::Method;

use crate::information_3::strings;
use crate::server::{Picture, Server, VERSIONS};

const IMAGE: &str = "chart.png/10,20,100,50/50,/0/default.jpg";

#[tokio::test]
async fn h01_the_profile_on_images_and_information() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let profile = format!("http://iiif.io/api/image/{version}/level2.json");
        for below in [IMAGE, "chart.png/info.json"] {
            let answer = server.get(&format!("/iiif/{version}/{below}")).await;
            assert_eq!(answer.link("profile"), Some(profile.as_str()), "{below}");
        }
    }
}

#[tokio::test]
async fn h02_one_line_with_quoted_relations() {
    let answer = Server::of_fixtures().get(&format!("/iiif/3/{IMAGE}")).await;
    assert_eq!(answer.headers.get_all("link").iter().count(), 1);
    assert_eq!(
        answer.header("link").unwrap(),
        "<http://images.example.org/iiif/3/chart.png/10,20,100,50/50,25/0/default.jpg>;rel=\"canonical\",\
         <http://iiif.io/api/image/3/level2.json>;rel=\"profile\""
    );
}

#[tokio::test]
async fn h03_semicolons_of_identifiers_are_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::new(4, 4, |_, _| [1, 2, 3, 255]);
    std::fs::write(folder.path().join("a;b,c.png"), picture.to_png()).unwrap();
    let server = Server::over(folder.path());
    for version in VERSIONS {
        let path = format!("/iiif/{version}/a;b,c.png/full/2,/0/default.png");
        let answer = server.get(&path).await;
        answer.assert_ok();
        assert!(answer.canonical().contains("/a%3Bb"), "{path}");
        assert_eq!(server.get(answer.canonical()).await.body, answer.body);
    }
}

#[tokio::test]
async fn h04_what_is_sent_is_declared() {
    let server = Server::of_fixtures();
    let v3 = server.json("/iiif/3/chart.png/info.json").await;
    let v2 = server.json("/iiif/2/chart.png/info.json").await;
    for declared in [&v3["extraFeatures"], &v2["profile"][1]["supports"]] {
        let declared = strings(declared);
        assert!(declared.contains(&"canonicalLinkHeader"));
        assert!(declared.contains(&"profileLinkHeader"));
    }
}

#[tokio::test]
async fn h05_the_same_on_304_and_head() {
    let server = Server::of_fixtures();
    for below in [IMAGE, "chart.png/info.json"] {
        let path = format!("/iiif/3/{below}");
        let full = server.get(&path).await;
        let tag = full.header("etag").unwrap();
        let head = server.send(Method::HEAD, &path, &[]).await;
        let unchanged = server
            .send(Method::GET, &path, &[("if-none-match", tag)])
            .await;
        assert_eq!(unchanged.status, 304);
        assert!(full.header("link").is_some());
        assert_eq!(head.header("link"), full.header("link"));
        assert_eq!(unchanged.header("link"), full.header("link"));
    }
}
