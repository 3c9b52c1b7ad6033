//! U: the syntax of URIs, and the base URI.

use crate::server::{HOST, Picture, Server, VERSIONS, fixtures};

#[tokio::test]
async fn u01_five_parameters_in_this_order() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/10,20,100,50/50,/90/gray.png");
        let picture = server.picture(&path).await;
        assert_eq!((picture.size(), picture.channels), ((25, 50), 1));
        let misplaced = format!("/iiif/{version}/chart.png/50,/10,20,100,50/90/gray.png");
        assert_eq!(server.status(&misplaced).await, 400);
    }
}

#[tokio::test]
async fn u02_the_document_belongs_to_the_same_base() {
    let server = Server::of_fixtures();
    for (version, key) in [(2, "@id"), (3, "id")] {
        let path = format!("/iiif/{version}/chart.png");
        let document = server.json(&format!("{path}/info.json")).await;
        assert_eq!(document[key], format!("http://{HOST}{path}"));
    }
}

#[tokio::test]
async fn u03_a_prefix_may_have_several_segments() {
    let server = Server::configured(fixtures("images"), |config| {
        config.server.public_url = Some("https://example.org/a/b".parse().unwrap());
    });
    for (version, key) in [(2, "@id"), (3, "id")] {
        let base = format!("https://example.org/a/b/iiif/{version}/chart.png");
        let path = format!("/iiif/{version}/chart.png");
        assert_eq!(server.json(&format!("{path}/info.json")).await[key], base);
        let image = server.get(&format!("{path}/full/max/0/default.jpg")).await;
        assert!(
            image
                .link("canonical")
                .unwrap()
                .starts_with(&format!("{base}/full/"))
        );
    }
}

#[tokio::test]
async fn u04_the_base_uri_leads_to_the_document() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let answer = server.get(&format!("/iiif/{version}/chart.png")).await;
        assert_eq!(answer.status, 303);
        let location = format!("http://{HOST}/iiif/{version}/chart.png/info.json");
        assert_eq!(answer.header("location"), Some(location.as_str()));
    }
}

#[tokio::test]
async fn u05_too_few_or_too_many_segments_are_refused() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for rest in [
            "",
            "chart.png/",
            "chart.png/full",
            "chart.png/full/max",
            "chart.png/full/max/0",
            "chart.png/full/max/0/default.jpg/",
            "chart.png/full/max/0/0/default.jpg",
            "chart.png/info.json/",
            "info.json",
            "/full/max/0/default.jpg",
        ] {
            let status = server.status(&format!("/iiif/{version}/{rest}")).await;
            assert!([400, 404].contains(&status), "{rest}: {status}");
        }
    }
}

#[tokio::test]
async fn u06_unknown_query_parameters_are_ignored() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for rest in ["full/20,/0/default.png", "info.json"] {
            let path = format!("/iiif/{version}/chart.png/{rest}");
            let plain = server.get(&path).await;
            plain.assert_ok();
            let asked = server.get(&format!("{path}?x=1&size=3,&%ff=/..//?")).await;
            asked.assert_ok();
            assert_eq!(asked.body, plain.body);
        }
    }
}

#[tokio::test]
async fn u07_the_redirect_keeps_the_encoding_and_has_no_body() {
    let root = tempfile::tempdir().unwrap();
    Picture::flat(4, 3, [9; 4]).store(root.path(), "maps/a b.png");
    let server = Server::over(root.path());
    for version in VERSIONS {
        let answer = server
            .get(&format!("/iiif/{version}/maps%2fa%20b%2Epng?x"))
            .await;
        assert_eq!(answer.status, 303);
        let location = format!("http://{HOST}/iiif/{version}/maps%2fa%20b%2Epng/info.json");
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn u08_the_last_dot_separates_the_format() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let status = |last: &'static str| {
            let path = format!("/iiif/{version}/chart.png/full/9,/0/{last}");
            let server = &server;
            async move { server.status(&path).await }
        };
        assert_eq!(status("default.jpg").await, 200);
        for last in [
            "default",
            "default.",
            "jpg",
            ".jpg",
            "default.png.jpg",
            "default.jpg.x",
        ] {
            assert_eq!(status(last).await, 400, "{last}");
        }
    }
}

#[tokio::test]
async fn u09_both_versions_agree() {
    let server = Server::of_fixtures();
    for identifier in [
        "chart.png",
        "tiff-pyramid-pages.tif",
        "jpeg-orientation-6.jpg",
    ] {
        let (two, three) = (
            format!("/iiif/2/{identifier}"),
            format!("/iiif/3/{identifier}"),
        );
        let documents = (
            server.json(&format!("{two}/info.json")).await,
            server.json(&format!("{three}/info.json")).await,
        );
        for key in ["width", "height", "tiles", "sizes"] {
            assert_eq!(documents.0[key], documents.1[key]);
        }
        for rest in ["full/max/0/default.png", "5,6,40,30/pct:50/!90/gray.jpg"] {
            let image = server.get(&format!("{two}/{rest}")).await;
            image.assert_ok();
            assert_eq!(
                image.body,
                server.get(&format!("{three}/{rest}")).await.body
            );
        }
    }
}
