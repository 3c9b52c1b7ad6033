//! What the registry, and documents that it has pages of, tell of images that are not for everyone.

use std::fs;

use axum::http::Method;
use tempfile::TempDir;

use super::rules::access;
use crate::documents::pdf;
use crate::server::{Answer, Server, fixtures};

const BEARER: [(&str, &str); 1] = [("authorization", "Bearer correct-horse-battery-staple")];

/// `x` is somewhere else, `letter` and `diary` are pages of `book.pdf`, and `papers` all of it.
const ENTRIES: &str = r#"{"identifier": "x", "location": "https://example.org/x.tif"}
{"identifier": "letter", "location": "file:book.pdf", "page": 1}
{"identifier": "diary", "location": "file:book.pdf", "page": 2}
{"identifier": "papers", "location": "file:book.pdf"}
"#;

async fn server(folder: &TempDir, rules: &str) -> Server {
    let book = pdf(&[(72.0, 72.0), (90.0, 72.0)]);
    fs::write(folder.path().join("book.pdf"), book).unwrap();
    fs::copy(fixtures("images/chart.png"), folder.path().join("a.png")).unwrap();
    let url = format!("sqlite:{}/azulejo.db", folder.path().display());
    let server = Server::opened(folder.path(), |config| {
        config.registry.url = Some(url.parse().unwrap());
        config.registry.token = Some("correct-horse-battery-staple".parse().unwrap());
        config.registry.open_minting = true;
        config.presentation.download = true;
        config.access = access(rules);
    })
    .await;
    let bulk = server.send_body(Method::POST, "/resources/bulk", &BEARER, ENTRIES.into());
    assert_eq!(bulk.await.status, 200);
    server
}

async fn with_token(server: &Server, path: &str) -> Answer {
    server.send(Method::GET, path, &BEARER).await
}

#[tokio::test]
async fn where_there_are_rules_the_registry_answers_those_with_the_token_only() {
    let folders = [(), ()].map(|()| TempDir::new().unwrap());
    let open = server(&folders[0], "").await;
    let ruled = server(&folders[1], "[[rules]]\nidentifiers = ['x']").await;
    for (path, status) in [
        ("/resources/x", 200),
        ("/resources/x/redirect", 302),
        ("/entity/x", 200),
        ("/resources/lookup?uri=https://example.org/x.tif", 200),
        ("/entity?url=https://example.org/x.tif", 200),
        ("/entity?url=https://example.org/new.tif", 200),
    ] {
        assert_eq!(open.status(path).await, status, "{path}");
        let refused = ruled.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.header("location"), None);
        assert_eq!(with_token(&ruled, path).await.status, status, "{path}");
    }
    assert_eq!(
        ruled.status("/resources/nothing").await,
        401,
        "nor that there is none"
    );
}

/// The file has pages that others may not see.
#[tokio::test]
async fn a_page_that_is_an_image_of_its_own_does_not_open_the_document() {
    let folders = [(), ()].map(|()| TempDir::new().unwrap());
    let open = server(&folders[0], "").await;
    let ruled = server(&folders[1], "[[rules]]\nidentifiers = ['letter']").await;
    for (name, status) in [
        ("diary", 403),
        ("papers", 403),
        ("letter", 403),
        ("book.pdf", 200),
        ("book.pdf;2", 200),
    ] {
        let download = format!("/presentation/download/{name}");
        assert_eq!(open.status(&download).await, 200, "{name}");
        assert_eq!(ruled.status(&download).await, status, "{name}");
    }
    for (name, is_linked) in [("diary", false), ("papers", false), ("book.pdf", true)] {
        let manifest = format!("/presentation/3/{name}/manifest");
        let linked = ruled.json(&manifest).await.get("rendering").is_some();
        assert_eq!(linked, is_linked, "{name}");
    }
}
