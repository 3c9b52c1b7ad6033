//! Names of an image beside that of its file: no rule is walked around by one of them.

use std::fs;

use axum::http::Method;
use azulejo::config::Config;
use azulejo::route::config::{Coding, RouteConfig};
use azulejo::source::config::SourceConfig;
use azulejo::source::remote::http::config::HttpSourceConfig;
use tempfile::TempDir;

use super::rules::{access, folder};
use crate::file_server::{FileServer, Manner};
use crate::scripted_service::{Reply, ScriptedService};
use crate::server::{Server, fixtures};

async fn status(server: &Server, identifier: &str) -> u16 {
    let path = format!("/iiif/3/{identifier}/full/max/0/default.png");
    server.status(&path).await
}

#[tokio::test]
async fn servers_that_merge_slashes_and_decode_show_the_same_file() {
    let web = FileServer::start(Manner::USUAL);
    let bytes = fs::read(fixtures("images/chart.png")).unwrap();
    for path in ["/a/b/x.png", "/a//b/x.png", "/a/%62/x.png"] {
        web.put(path, &bytes);
    }
    let source = HttpSourceConfig {
        hosts: vec![web.host().parse().unwrap()],
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..HttpSourceConfig::default()
    };
    let rule = format!(
        "[[rules]]\nidentifiers = [\"{}/a/b/{{x}}\"]",
        web.url().trim_end_matches('/')
    );
    let server = Server::configured("/", |config| {
        config.sources.http.insert("web".to_owned(), source);
        config.routes.push(RouteConfig::to("web"));
        config.access = access(&rule);
    });
    let host = web.host();
    for path in [
        "a%2Fb%2Fx.png",
        "a%2F%2Fb%2Fx.png",
        "a%2F%2562%2Fx.png",
        "a%2Fb%2Fx.png%3Fq=1",
    ] {
        let identifier = format!("http:%2F%2F{host}%2F{path}");
        assert_eq!(status(&server, &identifier).await, 403, "{path}");
    }
}

#[tokio::test]
async fn what_a_coded_identifier_says_is_one_of_its_names() {
    let folder = folder();
    let coded = |coding| RouteConfig {
        identifier: "shelf:{x}".parse().unwrap(),
        keys: vec!["a/secret/{x}.png".parse().unwrap()],
        coding,
        ..RouteConfig::default()
    };
    let server = Server::configured(folder.path(), |config| {
        config.routes = vec![coded(Coding::Plain), coded(Coding::Base64)];
        config.access = access("[[rules]]\nidentifiers = [\"shelf:{x}\"]");
    });
    // The Base64 of `shelf:x` with padding and without, and of one that is not there.
    for name in ["shelf:x", "c2hlbGY6eA==", "c2hlbGY6eA", "c2hlbGY6eQ"] {
        assert_eq!(status(&server, name).await, 403, "{name}");
    }
}

/// A server with a registry that has these entries.
async fn registered(
    folder: &TempDir,
    entries: &[(&str, &str, Option<u32>)],
    change: impl FnOnce(&mut Config),
) -> Server {
    const TOKEN: &str = "correct-horse-battery-staple";
    let url = format!("sqlite:{}/azulejo.db", folder.path().display());
    let server = Server::opened(folder.path(), |config| {
        config.registry.url = Some(url.parse().unwrap());
        config.registry.token = Some(TOKEN.parse().unwrap());
        change(config);
    })
    .await;
    let lines = entries.iter().map(|(identifier, location, page)| {
        let page = page
            .map(|page| format!(",\"page\":{page}"))
            .unwrap_or_default();
        format!("{{\"identifier\":\"{identifier}\",\"location\":\"{location}\"{page}}}\n")
    });
    let body: String = lines.collect();
    let bearer = [("authorization", "Bearer correct-horse-battery-staple")];
    let answer = server
        .send_body(Method::POST, "/resources/bulk", &bearer, body.into())
        .await;
    answer.assert_ok();
    server
}

#[tokio::test]
async fn an_entry_that_stands_for_one_page_leads_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let pages = crate::documents::tiff(&[(60, 40), (50, 30)]);
    fs::write(folder.path().join("book.tif"), pages).unwrap();
    let entries = [
        ("first", "file:book.tif", Some(1)),
        ("second", "file:book.tif", Some(2)),
    ];
    let rule = "[[rules]]\nidentifiers = [\"second\"]";
    let server = registered(&folder, &entries, |config| config.access = access(rule)).await;
    assert_eq!(status(&server, "first").await, 200);
    assert_eq!(status(&server, "first;2").await, 404);
    for name in ["second", "second;1"] {
        assert_eq!(status(&server, name).await, 403, "{name}");
    }
    let manifest = server.json("/presentation/3/first/manifest").await;
    assert_eq!(manifest["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_source_is_known_behind_the_registry() {
    let folder = folder();
    let vault = tempfile::tempdir().unwrap();
    fs::copy(fixtures("images/chart.png"), vault.path().join("v.png")).unwrap();
    let entries = [("alias", "file:v.png", None)];
    let source = SourceConfig {
        root: vault.path().to_owned(),
        ..SourceConfig::default()
    };
    let server = registered(&folder, &entries, |config| {
        config.sources.files.insert("vault".to_owned(), source);
        config.access = access("[[rules]]\nsources = [\"vault\"]");
    })
    .await;
    assert_eq!(status(&server, "alias").await, 403);
    assert_eq!(status(&server, "open.png").await, 200);
}

/// Lists decide by the names that images have.
#[tokio::test]
async fn lists_know_images_of_further_directories_and_entries() {
    let folder = folder();
    let further = tempfile::tempdir().unwrap();
    fs::create_dir(further.path().join("more")).unwrap();
    fs::copy(
        fixtures("images/chart.png"),
        further.path().join("more/f.png"),
    )
    .unwrap();
    let rule = format!(
        "[[rules]]\nidentifiers = [\"{}/more/{{x}}\"]",
        further.path().canonicalize().unwrap().display()
    );
    let server = Server::configured(folder.path(), |config| {
        config.source.further_roots = vec![further.path().to_owned()];
        config.access = access(&rule);
    });
    assert_eq!(status(&server, "more%2Ff.png").await, 403);
    assert!(!server.get("/?folder=more").await.text().contains("f.png"));
    assert_eq!(server.status("/presentation/3/more/manifest").await, 404);
}

#[tokio::test]
async fn an_ambiguous_name_does_not_tell_what_there_is() {
    let folder = folder();
    for name in ["two.png", "two.jpg"] {
        fs::copy(fixtures("images/chart.png"), folder.path().join(name)).unwrap();
    }
    let rules = "[[rules]]\nidentifiers = [\"two.{x}\"]\nrefusal = \"not_found\"";
    let access = access(rules);
    let server = Server::configured(folder.path(), |config| config.access = access);
    let told = async |name: &str| server.get(&format!("/iiif/3/{name}/info.json")).await;
    let (ambiguous, absent) = (told("two").await, told("six").await);
    assert_eq!(ambiguous.status, 404);
    assert_eq!(ambiguous.text(), absent.text().replace("six", "two"));
}

#[tokio::test]
async fn whoever_decides_outside_is_asked_by_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let pages = crate::documents::tiff(&[(60, 40), (50, 30)]);
    fs::write(folder.path().join("book.tif"), pages).unwrap();
    let service = ScriptedService::start(Reply::status(403)).await;
    let rules = format!(
        "[[rules]]\nexternal = true\n[external]\nurl = \"{}\"",
        service.url
    );
    let access = access(&rules);
    let server = Server::configured(folder.path(), |config| config.access = access);
    for name in [
        "book.tif",
        "book",
        "book.tif;1",
        "book.tif;2",
        "book;2",
        "book.tif;max40",
    ] {
        let status = status(&server, name).await;
        assert!([403, 404].contains(&status), "{status} {name}");
    }
    assert_eq!(service.times_asked(), 1);
    assert_eq!(service.last_headers()["x-azulejo-identifier"], "book.tif");
}
