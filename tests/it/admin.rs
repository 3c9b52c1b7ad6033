//! What those who have the token may do, and nobody else.

use std::fs;
use std::path::Path;
use std::process::Output;

use axum::http::Method;

use crate::process::{Process, ask, command};
use crate::server::{Answer, Server, fixtures};

pub const TOKEN: &str = "correct-horse-battery-staple";
pub const WITH_TOKEN: (&str, &str) = ("authorization", "Bearer correct-horse-battery-staple");
const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.jpg";

pub fn server() -> Server {
    Server::configured(fixtures("images"), |config| {
        config.admin.token = Some(TOKEN.parse().unwrap());
    })
}

/// Every address that asks for the token.
const DOORS: [(Method, &str); 4] = [
    (Method::GET, "/admin/cache"),
    (Method::DELETE, "/admin/cache"),
    (Method::DELETE, "/admin/cache/chart.png"),
    (Method::GET, "/metrics"),
];

fn assert_private(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let cors = |name: &&axum::http::HeaderName| name.as_str().starts_with("access-control-");
    assert_eq!(answer.headers.keys().find(cors), None, "{}", answer.path);
}

#[tokio::test]
async fn without_a_token_in_the_configuration_there_is_nothing() {
    let server = Server::of_fixtures();
    for (method, path) in DOORS {
        let answer = server.send(method.clone(), path, &[WITH_TOKEN]).await;
        let elsewhere = server.send(method, "/elsewhere", &[WITH_TOKEN]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body, elsewhere.body);
        let mut headers = [answer.headers, elsewhere.headers];
        for headers in &mut headers {
            headers.remove("x-request-id");
        }
        assert_eq!(headers[0], headers[1]);
    }
}

#[tokio::test]
async fn nobody_comes_in_without_the_token() {
    let server = server();
    let wrong = [
        ("authorization", "Bearer correct-horse-battery-stapl"),
        ("authorization", "Basic correct-horse-battery-staple"),
        ("x-token", TOKEN),
    ];
    for (method, path) in DOORS {
        for headers in [&[][..], &wrong[..1], &wrong[1..2], &wrong[2..]] {
            let answer = server.send(method.clone(), path, headers).await;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_private(&answer);
        }
        let query = format!("{path}?token={TOKEN}");
        assert_eq!(server.send(method, &query, &[]).await.status, 401);
    }
    let unknown_method = server.send(Method::POST, "/admin/cache", &[]).await;
    assert_eq!(unknown_method.status, 401);
}

#[tokio::test]
async fn the_token_opens_every_door() {
    let server = server();
    for (method, path) in DOORS {
        let status = if method == Method::DELETE { 204 } else { 200 };
        let answer = server.send(method, path, &[WITH_TOKEN]).await;
        assert_eq!(answer.status, status, "{path}");
        assert_private(&answer);
    }
    let answer = server
        .send(Method::POST, "/admin/cache", &[WITH_TOKEN])
        .await;
    assert_eq!(answer.status, 405);
    assert_private(&answer);
}

#[tokio::test]
async fn pages_of_other_sites_are_not_let_in() {
    let server = server();
    for (method, path) in DOORS {
        let asked = [
            ("origin", "https://evil.example.org"),
            ("access-control-request-method", method.as_str()),
            ("access-control-request-headers", "authorization"),
        ];
        let answer = server.send(Method::OPTIONS, path, &asked).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_private(&answer);
    }
    // Images stay open to all.
    let image = server.get(IMAGE).await;
    assert_eq!(image.header("access-control-allow-origin"), Some("*"));
}

/// Hits and entries of the memory layer.
async fn memory(server: &Server) -> (u64, u64) {
    let answer = server
        .send(Method::GET, "/admin/cache", &[WITH_TOKEN])
        .await;
    let report = answer.json();
    let layer = &report["layers"][0];
    assert_eq!(layer["name"], "memory");
    assert_eq!(layer["state"], "up");
    let number = |name: &str| layer[name].as_u64().unwrap();
    (number("hits"), number("entries"))
}

#[tokio::test]
async fn the_report_counts_what_happens() {
    let server = server();
    assert_eq!(memory(&server).await, (0, 0));
    server.get(IMAGE).await.assert_ok();
    assert_eq!(memory(&server).await, (0, 2), "with the header");
    server.get(IMAGE).await.assert_ok();
    assert_eq!(memory(&server).await, (1, 2));
    let answer = server
        .send(Method::GET, "/admin/cache", &[WITH_TOKEN])
        .await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let report = answer.json();
    let layer = &report["layers"][0];
    assert!(layer["bytes"].as_u64().unwrap() > 0);
    for name in [
        "stored",
        "evictions",
        "errors",
        "corrupt",
        "skipped",
        "dropped",
    ] {
        assert!(layer[name].is_u64(), "{name}");
    }
    assert!(layer["latency"]["classes"].is_array());
    let kept = &report["kept"][0];
    assert_eq!(kept["name"], "headers");
    assert_eq!((&kept["entries"], &kept["misses"]), (&1.into(), &1.into()));
    assert!(kept["hits"].as_u64().unwrap() >= 1);
}

fn cache_status(answer: &Answer) -> &str {
    answer.assert_ok();
    answer.header("cache-status").unwrap()
}

const HIT: &str = "azulejo; hit; detail=memory";
const MISS: &str = "azulejo; fwd=miss";

#[tokio::test]
async fn a_purge_forgets_one_image_or_all() {
    let server = server();
    let other = "/iiif/3/png-gray.png/full/50,/0/default.jpg";
    for path in [IMAGE, other] {
        assert_eq!(cache_status(&server.get(path).await), MISS);
        assert_eq!(cache_status(&server.get(path).await), HIT);
    }
    let purge = async |path| {
        server
            .send(Method::DELETE, path, &[WITH_TOKEN])
            .await
            .status
    };
    assert_eq!(purge("/admin/cache/chart%2Epng").await, 204);
    assert_eq!(cache_status(&server.get(IMAGE).await), MISS);
    assert_eq!(cache_status(&server.get(other).await), HIT);
    assert_eq!(purge("/admin/cache").await, 204);
    assert_eq!(cache_status(&server.get(IMAGE).await), MISS);
    assert_eq!(cache_status(&server.get(other).await), MISS);
}

#[tokio::test]
async fn what_means_no_one_image_cannot_be_purged() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["two.png", "two.tif"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let server = over(folder.path());
    for (identifier, status) in [("two", 404), ("two.png", 204), ("%ff", 400)] {
        let path = format!("/admin/cache/{identifier}");
        let answer = server.send(Method::DELETE, &path, &[WITH_TOKEN]).await;
        assert_eq!(answer.status, status, "{identifier}");
    }
}

/// The same file put back would be found in the cache, as its size and time are the same.
#[tokio::test]
async fn an_image_that_is_gone_can_be_purged() {
    let folder = tempfile::tempdir().unwrap();
    let (file, away) = (folder.path().join("in/a.png"), folder.path().join("away"));
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::copy(fixtures("images/chart.png"), &file).unwrap();
    let server = over(folder.path());
    let path = "/iiif/3/in%2Fa/full/50,/0/default.jpg";
    assert_eq!(cache_status(&server.get(path).await), MISS);
    for (purged, status) in [
        ("in/other.png", HIT),
        ("in/a.png", MISS),
        ("in%2F%2Fa.png", MISS),
    ] {
        fs::rename(&file, &away).unwrap();
        assert_eq!(server.get(path).await.status, 404);
        let purged = format!("/admin/cache/{purged}");
        let answer = server.send(Method::DELETE, &purged, &[WITH_TOKEN]).await;
        assert_eq!(answer.status, 204);
        fs::rename(&away, &file).unwrap();
        assert_eq!(cache_status(&server.get(path).await), status, "{purged}");
    }
}

fn over(folder: &Path) -> Server {
    Server::configured(folder, |config| {
        config.admin.token = Some(TOKEN.parse().unwrap());
    })
}

#[tokio::test]
async fn slashes_of_the_identifier_may_be_escaped_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a");
    fs::create_dir(&place).unwrap();
    fs::copy(fixtures("images/chart.png"), place.join("b.png")).unwrap();
    let server = Server::configured(folder.path(), |config| {
        config.admin.token = Some(TOKEN.parse().unwrap());
        config.server.slash_substitute = Some("~".to_owned());
    });
    for identifier in ["a%2Fb.png", "a/b.png", "a~b.png", "a%2Fb"] {
        let path = format!("/admin/cache/{identifier}");
        let answer = server.send(Method::DELETE, &path, &[WITH_TOKEN]).await;
        assert_eq!(answer.status, 204, "{identifier}");
    }
}

#[tokio::test]
async fn who_has_the_token_may_go_around_the_cache() {
    let server = server();
    let no_store = ("cache-control", "no-store");
    let get = async |query: &str, headers: &[(&str, &str)]| {
        let path = format!("{IMAGE}{query}");
        server.send(Method::GET, &path, headers).await
    };
    for (query, headers) in [
        ("", &[WITH_TOKEN, no_store][..]),
        ("?cache=false", &[WITH_TOKEN]),
    ] {
        let answer = get(query, headers).await;
        assert_eq!(cache_status(&answer), MISS);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(memory(&server).await.1, 0, "nothing was stored");
    assert_eq!(
        cache_status(&get("?cache=recache", &[WITH_TOKEN]).await),
        MISS
    );
    assert_eq!(memory(&server).await.1, 1, "it was stored");
    assert_eq!(
        cache_status(&get("?cache=recache", &[WITH_TOKEN]).await),
        MISS
    );
    assert_eq!(cache_status(&get("", &[WITH_TOKEN]).await), HIT);
    let tag = get("", &[]).await;
    let tag = ("if-none-match", tag.header("etag").unwrap());
    assert_eq!(get("", &[tag]).await.status, 304);
    assert_eq!(
        cache_status(&get("?cache=recache", &[WITH_TOKEN, tag]).await),
        MISS
    );
}

#[tokio::test]
async fn nobody_else_may() {
    let server = server();
    server.get(IMAGE).await.assert_ok();
    let wrong = ("authorization", "Bearer correct-horse-battery-stable");
    for query in ["?cache=false", "?cache=recache", "?anything"] {
        for headers in [&[("cache-control", "no-store")][..], &[wrong]] {
            let path = format!("{IMAGE}{query}");
            let answer = server.send(Method::GET, &path, headers).await;
            assert_eq!(cache_status(&answer), HIT, "{path}");
            assert_ne!(answer.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(memory(&server).await.1, 2);
}

fn purge(arguments: &[&str], token: Option<&str>) -> Output {
    let mut command = command();
    if let Some(token) = token {
        command.env("AZULEJO_ADMIN__TOKEN", token);
    }
    command.arg("purge").args(arguments).output().unwrap()
}

fn assert_ends(output: &Output, code: i32, says: &str) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(says), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
}

#[test]
fn the_command_purges_running_servers_and_the_token_is_nowhere_told() {
    let variables = [
        ("AZULEJO_ADMIN__TOKEN", TOKEN),
        ("AZULEJO_LOG__LEVEL", "trace"),
    ];
    let servers = [Process::start(&variables), Process::start(&variables)];
    let urls: Vec<String> = servers
        .iter()
        .map(|server| format!("http://{}", server.address()))
        .collect();
    let is_hit = |server: &Process| {
        let (status, head, _) = ask(server.address(), "GET", IMAGE, "");
        assert_eq!(status, 200, "{head}");
        head.contains(HIT)
    };
    let warm = || {
        for server in &servers {
            is_hit(server);
            assert!(is_hit(server));
        }
    };
    let both = ["--server", &urls[0], "--server", &urls[1]];

    warm();
    let done = purge(&[&["chart.png"], &both[..]].concat(), Some(TOKEN));
    assert_ends(&done, 0, &format!("{}: done\n", urls[1]));
    assert!(servers.iter().all(|server| !is_hit(server)));
    warm();
    let done = purge(&[&["--all", "--token", TOKEN], &both[..]].concat(), None);
    assert_ends(&done, 0, &format!("{}: done\n", urls[0]));
    assert!(servers.iter().all(|server| !is_hit(server)));

    let refused = purge(
        &[&["--all"], &both[..]].concat(),
        Some("another-token-of-others"),
    );
    assert_ends(&refused, 1, "2 of 2 servers");
    assert_ends(&refused, 1, "the token is not the one that it has");
    let elsewhere = format!("{}/elsewhere", urls[0]);
    let unknown = purge(&["a.png", "--server", &elsewhere], Some(TOKEN));
    assert_ends(&unknown, 1, "404");

    // With a server in front that is not there any more, the next one is asked all the same.
    let [gone, stays] = servers;
    let log = gone.stop();
    warm_one(&stays);
    let half = purge(&[&["--all"], &both[..]].concat(), Some(TOKEN));
    assert_ends(&half, 1, "1 of 2 servers");
    assert_ends(&half, 1, "it cannot be reached");
    assert!(!is_hit(&stays));
    for log in [log, stays.stop()] {
        assert!(log.contains("/admin/cache"), "{log}");
        assert!(!log.contains(TOKEN));
    }
}

fn warm_one(server: &Process) {
    assert_eq!(ask(server.address(), "GET", IMAGE, "").0, 200);
}

#[test]
fn a_command_that_is_written_wrongly_says_so() {
    assert_ends(&purge(&["--all"], None), 2, "AZULEJO_ADMIN__TOKEN");
    assert_ends(&purge(&[], Some(TOKEN)), 2, "--all");
    assert_ends(
        &purge(&["a", "--all"], Some(TOKEN)),
        2,
        "cannot be used with",
    );
    assert_ends(
        &purge(&["--all", "--server", "a:1"], Some(TOKEN)),
        2,
        "is not the address",
    );
    assert_ends(&purge(&["--all", "--token", "short"], None), 2, "too short");
}

#[test]
fn the_configuration_is_printed_without_the_token() {
    let print = |name: &str, value: &str, command_name: &str| {
        let mut command = command();
        let output = command.env(name, value).arg(command_name).output().unwrap();
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = print("AZULEJO_ADMIN__TOKEN", TOKEN, "config");
    assert_eq!(code, Some(0));
    assert!(
        text.contains("# token is set, but not shown: AZULEJO_ADMIN__TOKEN\n"),
        "{text}"
    );
    assert!(!text.contains(TOKEN));
    for (name, value) in [
        ("AZULEJO_ADMIN__TOKEN", "a secret with blanks"),
        ("AZULEJO_ADMIN__TOKEN", "short-secret"),
        ("AZULEJO_ADMIN__TOKNE", "a-secret-under-a-misspelt-key"),
        ("AZULEJO_ADMIN_TOKEN", "a-secret-under-a-misspelt-key"),
        ("AZULEJO_ADMIN__SECRET", "a-secret-under-a-misspelt-key"),
    ] {
        let (code, text) = print(name, value, "check");
        assert_eq!(code, Some(1), "{name}");
        assert!(
            text.contains("(not shown)") && !text.contains(value),
            "{text}"
        );
    }
}
