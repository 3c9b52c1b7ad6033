//! `/resources` and `/entity`: the registry over HTTP.

use std::io;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Method;
use azulejo::config::Config;
use futures_util::stream;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres_server::PostgresServer;
use crate::process::{Process, ask, command};
use crate::server::{Answer, Server, fixtures};

const TOKEN: &str = "correct-horse-battery-staple";
const BEARER: (&str, &str) = ("authorization", "Bearer correct-horse-battery-staple");
/// `librarian` and the token.
const BASIC: (&str, &str) = (
    "authorization",
    "Basic bGlicmFyaWFuOmNvcnJlY3QtaG9yc2UtYmF0dGVyeS1zdGFwbGU=",
);
/// As in the tests of the TAMU IR IIIF service.
const LOCATION: &str = "http://localhost:900/fcrepo/rest/image02";
const IDENTIFIER: &str = "9d04505e-6fc2-3275-bae8-d3e9be15afaf";

fn configure(config: &mut Config, url: &str) {
    config.registry.url = Some(url.parse().unwrap());
    config.registry.token = Some(TOKEN.parse().unwrap());
}

/// A server with a registry in a new file.
struct Desk {
    server: Server,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}/azulejo.db", folder.path().display());
        let server = Server::opened(fixtures("images"), |config| {
            configure(config, &url);
            change(config);
        })
        .await;
        Self { server, folder }
    }

    async fn write(&self, method: Method, path: &str) -> Answer {
        self.server.send(method, path, &[BASIC]).await
    }

    async fn bulk(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.server
            .send_body(Method::POST, path, &[BEARER], body.into())
            .await
    }

    async fn list(&self, query: &str) -> Value {
        let path = format!("/resources{query}");
        self.server.send(Method::GET, &path, &[BEARER]).await.json()
    }
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// Of any status.
fn document(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn f000_6_a_location_gets_an_identifier_that_leads_back() {
    let desk = Desk::new().await;
    let path = format!("/resources?uri={LOCATION}");
    let lookup = format!("/resources/lookup?uri={LOCATION}");
    assert_eq!(desk.server.status(&lookup).await, 404);
    let created = desk.write(Method::POST, &path).await;
    assert_eq!((created.status.as_u16(), text(&created)), (201, IDENTIFIER));
    for method in [Method::POST, Method::PUT] {
        let existing = desk.write(method, &path).await;
        assert_eq!(
            (existing.status.as_u16(), text(&existing)),
            (200, IDENTIFIER)
        );
    }
    let found = desk.server.get(&lookup).await;
    assert_eq!((found.status.as_u16(), text(&found)), (200, IDENTIFIER));
    let location = desk.server.get(&format!("/resources/{IDENTIFIER}")).await;
    assert_eq!((location.status.as_u16(), text(&location)), (200, LOCATION));
    assert_eq!(
        location.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(location.header("access-control-allow-origin"), Some("*"));
    let redirect = desk
        .server
        .get(&format!("/resources/{IDENTIFIER}/redirect"))
        .await;
    assert_eq!(redirect.status, 302, "it may change");
    assert_eq!(redirect.header("location"), Some(LOCATION));
    assert_eq!(redirect.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn f000_4_what_is_removed_is_gone() {
    let desk = Desk::new().await;
    let create = format!("/resources?uri={LOCATION}");
    let resource = format!("/resources/{IDENTIFIER}");
    assert_eq!(desk.write(Method::DELETE, &resource).await.status, 404);
    desk.write(Method::POST, &create).await;
    let removed = desk.write(Method::DELETE, &resource).await;
    assert_eq!((removed.status.as_u16(), text(&removed)), (204, ""));
    for path in [
        &resource,
        &format!("{resource}/redirect"),
        &format!("/entity/{IDENTIFIER}"),
    ] {
        assert_eq!(desk.server.status(path).await, 410, "{path}");
    }
    assert_eq!(desk.write(Method::DELETE, &resource).await.status, 410);
    assert_eq!(
        desk.server
            .status(&format!("/resources/lookup?uri={LOCATION}"))
            .await,
        404
    );
    assert_eq!(desk.write(Method::POST, &create).await.status, 410);
    let mint = format!("/entity?url={LOCATION}");
    assert_eq!(desk.write(Method::GET, &mint).await.status, 410);
    let revived = desk
        .write(Method::PUT, &format!("{create}&revive=true"))
        .await;
    assert_eq!((revived.status.as_u16(), text(&revived)), (201, IDENTIFIER));
    assert_eq!(desk.server.status(&resource).await, 200);
}

#[tokio::test]
async fn what_is_removed_leaves_the_caches() {
    const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.jpg";
    let desk = Desk::new().await;
    let created = desk
        .write(Method::PUT, "/resources?id=chart.png&uri=file:chart.png")
        .await;
    assert_eq!(created.status, 201);
    let is_hit = async || {
        let answer = desk.server.get(IMAGE).await;
        answer
            .header("cache-status")
            .unwrap_or_default()
            .contains("hit")
    };
    is_hit().await;
    assert!(is_hit().await);
    assert_eq!(
        desk.write(Method::DELETE, "/resources/chart.png")
            .await
            .status,
        204
    );
    assert!(!is_hit().await);
}

#[tokio::test]
async fn an_identifier_may_be_given_and_moved() {
    let desk = Desk::new().await;
    let put = async |query: &str| {
        let path = format!("/resources?id=a%2Fb%20%C3%BC&uri={query}");
        desk.write(Method::PUT, &path).await.status.as_u16()
    };
    assert_eq!(put("https://a.org/1%3Fx=y%26z%2523").await, 201);
    assert_eq!(put("https://a.org/1%3Fx=y%26z%2523").await, 200);
    assert_eq!(put("https://a.org/2").await, 409);
    let location = desk.server.get("/resources/a%2Fb%20%C3%BC").await;
    assert_eq!(text(&location), "https://a.org/1?x=y&z%23");
    assert_eq!(put("https://a.org/2&replace=true").await, 200);
    let location = desk.server.get("/entity/a%2Fb%20%C3%BC").await;
    assert_eq!(text(&location), "https://a.org/2");
    let listed = desk.list("").await;
    assert_eq!(listed["resources"][0]["provenance"], "api, librarian");
}

#[tokio::test]
async fn f000_5_the_entities_have_the_shape_of_the_resolver() {
    let desk = Desk::new().await;
    let path = format!("/entity?url={LOCATION}");
    assert_eq!(desk.server.status(&path).await, 401, "it would make one");
    let minted = desk.write(Method::GET, &path).await;
    assert_eq!((minted.status.as_u16(), text(&minted)), (200, IDENTIFIER));
    let found = desk.server.get(&path).await;
    assert_eq!((found.status.as_u16(), text(&found)), (200, IDENTIFIER));
    let other = "/entity?url=http://a.org/other";
    assert_eq!(desk.write(Method::POST, other).await.status, 201);
    assert_eq!(desk.write(Method::POST, other).await.status, 200);
    let location = desk.server.get(&format!("/entity/{IDENTIFIER}")).await;
    assert_eq!((location.status.as_u16(), text(&location)), (200, LOCATION));
    let entity = format!("/entity/{IDENTIFIER}");
    assert_eq!(
        desk.server.send(Method::DELETE, &entity, &[]).await.status,
        401
    );
    assert_eq!(desk.write(Method::DELETE, &entity).await.status, 204);
    assert_eq!(desk.server.status("/entity/unknown").await, 404);
}

#[tokio::test]
async fn minting_may_be_open_to_all() {
    let desk = Desk::with(|config| config.registry.open_minting = true).await;
    let minted = desk.server.get(&format!("/entity?url={LOCATION}")).await;
    assert_eq!((minted.status.as_u16(), text(&minted)), (200, IDENTIFIER));
    let listed = desk.list("").await;
    assert_eq!(
        listed["resources"][0]["provenance"],
        "anyone, by GET /entity"
    );
    let post = format!("/entity?url={LOCATION}2");
    assert_eq!(desk.server.send(Method::POST, &post, &[]).await.status, 401);
}

/// Otherwise it would show what only the server can read.
#[tokio::test]
async fn open_minting_opens_no_files_and_nothing_that_was_removed() {
    let desk = Desk::with(|config| config.registry.open_minting = true).await;
    for location in ["file:chart.png", "s3://bucket/key", "gs://b/k", "az://c/k"] {
        let path = format!("/entity?url={location}");
        assert_eq!(desk.server.status(&path).await, 401, "{location}");
        assert_eq!(desk.write(Method::GET, &path).await.status, 200);
        assert_eq!(desk.server.status(&path).await, 200, "it is there already");
    }
    let put = format!("/resources?id=secret&uri={LOCATION}");
    assert_eq!(desk.write(Method::PUT, &put).await.status, 201);
    desk.write(Method::DELETE, "/resources/secret").await;
    let mint = format!("/entity?url={LOCATION}");
    assert_eq!(desk.server.status(&mint).await, 410);
    let minted = desk.write(Method::GET, &mint).await;
    assert_eq!((minted.status.as_u16(), text(&minted)), (200, IDENTIFIER));
}

#[tokio::test]
async fn what_is_no_location_is_a_bad_request() {
    let desk = Desk::new().await;
    for query in [
        "",
        "?uri=",
        "?uri=image.jpg",
        "?uri=ftp://a.org/b",
        "?uri=http://u:p@a.org/b",
    ] {
        let path = format!("/resources{query}");
        assert_eq!(desk.write(Method::POST, &path).await.status, 400, "{path}");
        let path = format!("/resources/lookup{query}");
        assert_eq!(desk.server.status(&path).await, 400, "{path}");
        let path = format!("/entity{}", query.replace("uri", "url"));
        assert_eq!(desk.write(Method::GET, &path).await.status, 400, "{path}");
    }
    assert_eq!(
        desk.write(Method::POST, "/resources?uri=http://a.org&id=")
            .await
            .status,
        400
    );
    assert_eq!(desk.server.status("/resources/%FF").await, 400);
    assert_eq!(desk.server.status("/resources/unknown").await, 404);
    assert_eq!(desk.server.status("/resources/unknown/redirect").await, 404);
}

/// Every address that writes, or tells of everything.
const DOORS: [(Method, &str); 7] = [
    (Method::GET, "/resources"),
    (Method::POST, "/resources?uri=http://a.org"),
    (Method::PUT, "/resources?uri=http://a.org"),
    (Method::DELETE, "/resources/a"),
    (Method::POST, "/resources/bulk"),
    (Method::POST, "/entity?url=http://a.org"),
    (Method::DELETE, "/entity/a"),
];

/// Where images take `doc;2` for a page of `doc`, and `:` for a slash.
#[tokio::test]
async fn entries_have_no_pages_and_scales() {
    let desk = Desk::with(|config| {
        config.compatibility.meta_identifiers = true;
        config.server.slash_substitute = Some(":".to_owned());
    })
    .await;
    let put = async |identifier: &str| {
        let path = format!("/resources?id={identifier}&uri={LOCATION}/{identifier}");
        assert_eq!(desk.write(Method::PUT, &path).await.status, 201);
    };
    let status = async |identifier: &str| {
        let path = format!("/resources/{identifier}");
        desk.server.status(&path).await
    };
    put("doc").await;
    let remove = desk.write(Method::DELETE, "/resources/doc%3B2").await;
    assert_eq!(remove.status, 404);
    assert_eq!(status("doc").await, 200);
    for identifier in ["m%3B3", "m%3B1%3A2", "a:b"] {
        put(identifier).await;
        assert_eq!(status(identifier).await, 200, "{identifier}");
        let path = format!("/resources/{identifier}");
        assert_eq!(desk.write(Method::DELETE, &path).await.status, 204);
        assert_eq!(status(identifier).await, 410, "{identifier}");
    }
    assert_eq!(status("doc").await, 200);
}

/// To bring back what was removed is no leave to change what was not.
#[tokio::test]
async fn revive_does_not_replace() {
    let desk = Desk::new().await;
    let put = async |location: &str, over: &str| {
        let path = format!("/resources?id=a&uri=http://a.org/{location}{over}");
        desk.write(Method::PUT, &path).await.status.as_u16()
    };
    assert_eq!(put("1", "").await, 201);
    assert_eq!(put("2", "&revive=true").await, 409);
    assert_eq!(put("2", "&replace=true").await, 200);
    assert_eq!(put("1", "&revive=true&replace=true").await, 200);
    desk.write(Method::DELETE, "/resources/a").await;
    assert_eq!(put("1", "&replace=true").await, 410);
    assert_eq!(put("1", "&revive=true").await, 201);
}

#[tokio::test]
async fn nobody_writes_without_the_token() {
    let desk = Desk::new().await;
    let wrong = [
        ("authorization", "Bearer correct-horse-battery-stapl"),
        ("authorization", "Basic bGlicmFyaWFuOndyb25n"),
        ("x-token", TOKEN),
    ];
    for (method, path) in DOORS {
        for headers in [&[][..], &wrong[..1], &wrong[1..2], &wrong[2..]] {
            let answer = desk.server.send(method.clone(), path, headers).await;
            assert_eq!(answer.status, 401, "{method} {path} {headers:?}");
            let ways = answer.headers.get_all("www-authenticate").iter();
            assert_eq!(ways.count(), 2, "Bearer and Basic");
        }
    }
    assert_eq!(desk.list("").await["resources"], json!([]));
}

/// A browser that knows the password sends it for any page.
#[tokio::test]
async fn pages_of_other_sites_do_not_write() {
    let desk = Desk::new().await;
    let site = |site| [BASIC, ("sec-fetch-site", site)];
    for (method, path) in DOORS {
        for other in ["cross-site", "same-site"] {
            let answer = desk.server.send(method.clone(), path, &site(other)).await;
            assert_eq!(answer.status, 403, "{method} {path}");
        }
    }
    let path = format!("/resources?uri={LOCATION}");
    let own = desk
        .server
        .send(Method::POST, &path, &site("same-origin"))
        .await;
    assert_eq!(own.status, 201);
    let asked = [
        ("origin", "https://a.org"),
        ("access-control-request-method", "PUT"),
    ];
    let preflight = desk
        .server
        .send(Method::OPTIONS, "/resources", &asked)
        .await;
    let allowed = preflight
        .header("access-control-allow-methods")
        .unwrap_or_default();
    assert!(!allowed.contains("PUT"), "{allowed}");
}

#[tokio::test]
async fn where_files_and_buckets_are_is_told_to_those_with_the_token() {
    let desk = Desk::new().await;
    for location in ["file:a/b.tif", "s3://bucket/key"] {
        let created = desk
            .write(Method::POST, &format!("/resources?uri={location}"))
            .await;
        let path = format!("/resources/{}", text(&created));
        assert_eq!(desk.server.status(&path).await, 401);
        assert_eq!(text(&desk.write(Method::GET, &path).await), location);
        assert_eq!(desk.server.status(&format!("{path}/redirect")).await, 404);
    }
}

#[tokio::test]
async fn without_a_token_in_the_configuration_there_is_nothing() {
    let desk = Desk::with(|config| config.registry.token = None).await;
    for (method, path) in DOORS {
        let answer = desk.server.send(method, path, &[BEARER]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_listing_has_pages_and_can_be_given_back() {
    let desk = Desk::new().await;
    let lines: String = (0..25)
        .map(|number| json!({"identifier": format!("a/{number:02}"), "location": "file:a", "page": number + 1}))
        .map(|line| format!("{line}\n"))
        .collect();
    let report = desk.bulk("/resources/bulk", lines.clone()).await;
    assert_eq!(report.status, 200, "{}", text(&report));
    assert_eq!(report.json()["new"], 25);
    let mut seen = Vec::new();
    let mut next = Some("?limit=10".to_owned());
    while let Some(query) = next {
        let page = desk.list(&query).await;
        seen.extend(page["resources"].as_array().unwrap().clone());
        next = page["next"]
            .as_str()
            .map(|url| url.replace("/resources", ""));
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(seen[24]["identifier"], "a/24");
    assert_eq!(seen[24]["page"], 25);
    let other = Desk::new().await;
    let lines: String = seen.iter().map(|entry| format!("{entry}\n")).collect();
    assert_eq!(other.bulk("/resources/bulk", lines).await.json()["new"], 25);
    for wrong in ["?limit=0", "?limit=1001", "?limit=x"] {
        let path = format!("/resources{wrong}");
        let answer = desk.server.send(Method::GET, &path, &[BEARER]).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn an_upload_tells_what_became_of_each_line() {
    let desk = Desk::new().await;
    desk.write(Method::PUT, "/resources?id=a&uri=http://a.org/1")
        .await;
    desk.write(Method::PUT, "/resources?id=gone&uri=http://a.org/1")
        .await;
    desk.write(Method::DELETE, "/resources/gone").await;
    let lines = [
        r#"{"identifier": "a", "location": "http://a.org/1"}"#,
        r#"{"identifier": "a", "location": "http://a.org/2"}"#,
        "",
        "no JSON",
        r#"{"identifier": "gone", "location": "http://a.org/1"}"#,
        r#"{"location": "http://localhost:900/fcrepo/rest/image02", "title": "A title"}"#,
    ]
    .join("\n");
    let report = desk.bulk("/resources/bulk", lines.clone()).await;
    assert_eq!(report.status, 422);
    let report = document(&report);
    assert_eq!((&report["same"], &report["new"]), (&json!(1), &json!(1)));
    assert_eq!(report["failed"], 3);
    let mut places: Vec<_> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["place"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(places, ["line 2", "line 4", "line 5"]);
    assert_eq!(
        desk.server
            .status(&format!("/resources/{IDENTIFIER}"))
            .await,
        200
    );
    let path = "/resources/bulk?revive=true&replace=true";
    let report = desk.bulk(path, lines).await;
    assert_eq!(report.status, 422);
    let report = document(&report);
    let counts =
        ["same", "replaced", "revived", "failed"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1, 1]);
}

/// Lines that are cut anywhere are put together; what arrived before an upload breaks is in the registry chunk by chunk.
#[tokio::test]
async fn an_upload_is_taken_as_it_arrives() {
    let desk = Desk::new().await;
    let lines: String = (0..1200)
        .map(|number| format!("{{\"identifier\": \"{number:04}\", \"location\": \"file:a\"}}\n"))
        .collect();
    let mut parts: Vec<_> = lines
        .as_bytes()
        .chunks(7)
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .collect();
    parts.push(Err(io::Error::other("the client is gone")));
    let broken = Body::from_stream(stream::iter(parts));
    let answer = desk.bulk("/resources/bulk", broken).await;
    assert_eq!(answer.status, 400, "{}", text(&answer));
    assert!(
        text(&answer).contains("after line 1200"),
        "{}",
        text(&answer)
    );
    assert_eq!(
        desk.list("?after=0998&limit=10").await["resources"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let again = desk.bulk("/resources/bulk", lines).await.json();
    assert_eq!((&again["same"], &again["new"]), (&json!(1000), &json!(200)));
    let endless = desk.bulk("/resources/bulk", "x".repeat(70_000)).await;
    assert_eq!(endless.status, 400);
}

/// F000-3: never 404 because the registry cannot be asked.
#[tokio::test]
async fn a_registry_that_does_not_answer_is_503() {
    let mut postgres = PostgresServer::start();
    let url = postgres.new_database("azulejo");
    let server = Server::opened(fixtures("images"), |config| {
        configure(config, &url);
        config.registry.timeout_ms = 3_000;
    })
    .await;
    let path = format!("/resources?uri={LOCATION}");
    assert_eq!(
        server.send(Method::POST, &path, &[BEARER]).await.status,
        201
    );
    postgres.stop();
    for (method, path) in [
        (Method::GET, "/resources/unknown"),
        (Method::GET, "/resources/unknown/redirect"),
        (Method::GET, "/resources/lookup?uri=http://a.org/x"),
        (Method::GET, "/resources"),
        (Method::GET, "/entity?url=http://a.org/x"),
        (Method::GET, "/iiif/3/unknown/info.json"),
        (Method::GET, "/iiif/2/unknown/full/full/0/default.jpg"),
        // Who knows whether the registry has another image of this name?
        (Method::GET, "/iiif/3/chart.png/info.json"),
    ] {
        let answer = server.send(method, path, &[BEARER]).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.header("retry-after").is_some(), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    postgres.start_again();
    // It is left alone for a moment.
    for _ in 0..2400 {
        if server.status("/resources/unknown").await != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.status("/resources/unknown").await, 404);
    assert_eq!(server.status("/iiif/3/unknown/info.json").await, 404);
    assert_eq!(server.status("/iiif/3/chart.png/info.json").await, 200);
    let found = server.get(&format!("/resources/{IDENTIFIER}")).await;
    assert_eq!((found.status.as_u16(), text(&found)), (200, LOCATION));
}

/// F000-2.
#[tokio::test]
async fn a_restart_loses_nothing() {
    let desk = Desk::new().await;
    desk.write(Method::POST, &format!("/resources?uri={LOCATION}"))
        .await;
    let Desk { server, folder } = desk;
    drop(server);
    let url = format!("sqlite:{}/azulejo.db", folder.path().display());
    let server = Server::opened(fixtures("images"), |config| configure(config, &url)).await;
    let found = server.get(&format!("/resources/{IDENTIFIER}")).await;
    assert_eq!((found.status.as_u16(), text(&found)), (200, LOCATION));
}

/// Committed before it is answered: also if the process is killed the moment after. Two processes have one file.
#[test]
fn what_was_answered_outlives_the_process() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}/azulejo.db", folder.path().display());
    let variables = [
        ("AZULEJO_REGISTRY__URL", &*url),
        ("AZULEJO_REGISTRY__TOKEN", TOKEN),
    ];
    let authorization = format!("{}: {}\r\n", BEARER.0, BEARER.1);
    for round in 0..3 {
        let (first, second) = (Process::start(&variables), Process::start(&variables));
        for (number, process) in [&first, &second].into_iter().enumerate() {
            let path = format!("/resources?id={round}-{number}&uri=http://a.org/{round}");
            let (status, ..) = ask(process.address(), "PUT", &path, &authorization);
            assert_eq!(status, 201);
        }
        first.stop();
        second.stop();
    }
    let process = Process::start(&variables);
    for round in 0..3 {
        for number in 0..2 {
            let path = format!("/resources/{round}-{number}");
            let (status, _, body) = ask(process.address(), "GET", &path, "");
            assert_eq!(
                (status, body),
                (200, format!("http://a.org/{round}").into_bytes())
            );
        }
    }
}

/// A volume that is not mounted must not turn every identifier into 404.
#[test]
fn where_the_registry_is_lost_nothing_starts() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("azulejo.db");
    let images = fixtures("images");
    let run = |create: &str, arguments: &[&str]| {
        let mut command = command();
        command.args(arguments).current_dir(folder.path());
        command.env(
            "AZULEJO_REGISTRY__URL",
            format!("sqlite:{}", file.display()),
        );
        command.env("AZULEJO_REGISTRY__CREATE", create);
        command.env("AZULEJO_SERVER__LISTEN", "127.0.0.1:0");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let ended = (0..2400).any(|_| {
            thread::sleep(Duration::from_millis(50));
            child.try_wait().unwrap().is_some()
        });
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        assert!(ended && !output.status.success(), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("there is no registry"), "{told}");
        assert!(told.contains(file.to_str().unwrap()), "{told}");
        assert!(!file.exists(), "{arguments:?}");
    };
    let images = images.to_str().unwrap();
    std::fs::write(folder.path().join("list.csv"), "url\nhttp://a.org/1\n").unwrap();
    run("false", &["serve", images]);
    run("false", &["import", "csv", "list.csv"]);
    run("true", &["import", "csv", "list.csv", "--dry-run"]);
    let path = "/iiif/3/chart.png/info.json";
    run("true", &["explain", path, images]);
}

/// Whoever waits for the answer of a lost upload is told so in time.
#[tokio::test]
async fn an_upload_that_stalls_is_given_up() {
    let desk = Desk::new().await;
    tokio::time::pause();
    let stalled = Body::from_stream(stream::pending::<io::Result<Bytes>>());
    let waiting = tokio::time::timeout(
        Duration::from_secs(60),
        desk.bulk("/resources/bulk", stalled),
    );
    assert_eq!(waiting.await.unwrap().status, 400);
}
