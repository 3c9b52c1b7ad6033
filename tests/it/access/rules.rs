//! Rules: which image they are for, whatever it is called, and whom they let in.

use std::fs;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use azulejo::access::config::{AccessConfig, RuleConfig};
use azulejo::config::Config;
use azulejo::http::{App, router};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::server::{Answer, Server, fixtures};

/// As they stand in a configuration file.
pub fn access(toml: &str) -> AccessConfig {
    toml::from_str(toml).unwrap()
}

/// A folder with the same picture in several places.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(fixtures("images/chart.png"), path).unwrap();
    };
    for path in ["open.png", "a/secret/x.png", "a/public/x.png", "Hidden.png"] {
        put(path);
    }
    folder
}

pub fn server(folder: &TempDir, rules: &str) -> Server {
    let access = access(rules);
    Server::configured(folder.path(), |config| config.access = access)
}

const TILE: &str = "full/max/0/default.png";

/// Of an image and of what tells of it.
async fn statuses(server: &Server, identifier: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in [
        format!("/iiif/3/{identifier}/{TILE}"),
        format!("/iiif/2/{identifier}/full/full/0/default.png"),
        format!("/iiif/3/{identifier}/info.json"),
        format!("/iiif/2/{identifier}/info.json"),
        format!("/presentation/3/{identifier}/manifest"),
        format!("/presentation/2/{identifier}/manifest"),
    ] {
        statuses.push(server.status(&path).await);
    }
    statuses.dedup();
    statuses
}

#[tokio::test]
async fn without_rules_nothing_is_changed() {
    let folder = folder();
    let answer = server(&folder, "")
        .get(&format!("/iiif/3/open.png/{TILE}"))
        .await;
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=86400")
    );
    assert_eq!(answer.header("vary"), None);
    let marked = server(&folder, "")
        .status("/iiif/3/open.png;max40/info.json")
        .await;
    assert_eq!(marked, 404, "nobody is shown less");
}

#[tokio::test]
async fn er03_the_first_rule_that_is_for_an_image_counts() {
    let folder = folder();
    let server = server(
        &folder,
        r#"
        [[rules]]
        identifiers = ["a/public/{x}"]
        open = true
        [[rules]]
        identifiers = ["a/{x}"]
        [[rules]]
        identifiers = ["Hidden.png"]
        refusal = "not_found"
        "#,
    );
    assert_eq!(statuses(&server, "open.png").await, [200]);
    assert_eq!(statuses(&server, "a%2Fpublic%2Fx.png").await, [200]);
    assert_eq!(statuses(&server, "a%2Fsecret%2Fx.png").await, [403]);
    assert_eq!(statuses(&server, "Hidden.png").await, [404]);
    assert_eq!(
        server.status("/iiif/3/a%2Fsecret%2Fx.png").await,
        403,
        "no redirect says that it is there"
    );
}

#[tokio::test]
async fn er03_where_a_role_would_help_it_is_401() {
    let folder = folder();
    let server = server(&folder, "[[rules]]\nroles = [\"staff\"]");
    let answer = server.get("/iiif/3/open.png/info.json").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_closed_server_opens_what_rules_open() {
    let folder = folder();
    let rules = "default = \"closed\"\n[[rules]]\nidentifiers = [\"a/public/{x}\"]\nopen = true";
    let server = server(&folder, rules);
    assert_eq!(statuses(&server, "a%2Fpublic%2Fx.png").await, [200]);
    for closed in ["open.png", "a%2Fsecret%2Fx.png", "absent.png"] {
        assert_eq!(statuses(&server, closed).await, [403], "{closed}");
    }
}

/// Path tricks: every way to write an identifier that leads to the file is refused as the plain one is, or leads nowhere.
#[tokio::test]
async fn no_other_name_of_a_file_leads_around_a_rule() {
    let folder = folder();
    for rule in [
        "a/secret/x.png",
        "a/secret/{x}",
        "A/Secret/x",
        "{x}/secret/{y}",
    ] {
        let server = server(&folder, &format!("[[rules]]\nidentifiers = [\"{rule}\"]"));
        for name in [
            "a%2Fsecret%2Fx.png",
            "a%2fsecret%2fx.png",
            "a%2Fsecret%2Fx",
            "a%2F%2Fsecret%2Fx.png",
            "a%2Fsecret%2F%2Fx.png",
            "a%2Fsecret%2Fx.png;1",
            "a%2Fsecret%2Fx.png%3B1",
            "a%2Fsecret%2Fx.png;1:2",
            "a%2Fsecret%2Fx.png;1;1:2",
            "a%2Fsecret%2Fx.png;max40",
            "a%2F%2Fsecret%2Fx;max40",
            "%61%2Fsecret%2Fx%2Epng",
            "a%2Fpublic%2F..%2Fsecret%2Fx.png",
            "a%2F.%2Fsecret%2Fx.png",
            "a%2Fsecret%2Fx.png%2F",
            "a%252Fsecret%252Fx.png",
            "a%2Fsecret%2FX.png",
            "a%2Fsecret%2Fx.png%00",
        ] {
            for status in statuses(&server, name).await {
                assert!([400, 403, 404].contains(&status), "{status} {rule} {name}");
            }
        }
        assert_eq!(
            statuses(&server, "a%2Fpublic%2Fx.png").await,
            [200],
            "{rule}"
        );
    }
}

#[tokio::test]
async fn pages_and_scales_are_the_same_image() {
    let folder = tempfile::tempdir().unwrap();
    let pages = crate::documents::tiff(&[(60, 40), (50, 30)]);
    fs::write(folder.path().join("book.tif"), pages).unwrap();
    let access = access("[[rules]]\nidentifiers = [\"book.tif\"]");
    let server = Server::configured(folder.path(), |config| {
        config.access = access;
        config.compatibility.meta_identifiers = true;
    });
    for name in [
        "book.tif",
        "book",
        "book.tif;2",
        "book;2",
        "book.tif;2;1:2",
        "book.tif;1:2",
        "book.tif;3",
    ] {
        for status in statuses(&server, name).await {
            assert_eq!(status, 403, "{name}");
        }
    }
}

/// Requests of a client at this address.
pub async fn from(address: [u8; 4], rules: &str, headers: &[(&str, &str)]) -> u16 {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.access = access(rules);
    config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let peer = ConnectInfo(SocketAddr::from((address, 50_000)));
    let mut request = Request::get("/iiif/3/chart.png/info.json").extension(peer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let server = router(App::new(&config).unwrap());
    server.oneshot(request).await.unwrap().status().as_u16()
}

/// Header smuggling: only a proxy that is trusted says where a client is.
#[tokio::test]
async fn the_address_of_a_client_is_not_what_it_says_itself() {
    const READING_ROOM: &str = "[[rules]]\nnetworks = [\"192.0.2.0/24\"]";
    let inside = [192, 0, 2, 7];
    let outside = [198, 51, 100, 7];
    let proxy = [10, 0, 0, 7];
    assert_eq!(from(inside, READING_ROOM, &[]).await, 200);
    assert_eq!(from(outside, READING_ROOM, &[]).await, 403);
    for name in [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
    ] {
        for value in ["192.0.2.7", "for=192.0.2.7"] {
            assert_eq!(
                from(outside, READING_ROOM, &[(name, value)]).await,
                403,
                "{name}"
            );
        }
    }
    let by_proxy =
        async |value: &str| from(proxy, READING_ROOM, &[("x-forwarded-for", value)]).await;
    assert_eq!(by_proxy("192.0.2.7").await, 200);
    assert_eq!(
        by_proxy("192.0.2.7, 198.51.100.7").await,
        403,
        "the client wrote the first"
    );
    assert_eq!(by_proxy("198.51.100.7, 192.0.2.7, 10.0.0.9").await, 200);
    assert_eq!(by_proxy("nonsense").await, 403);
    assert_eq!(
        from(proxy, READING_ROOM, &[("forwarded", "for=192.0.2.7")]).await,
        403,
        "not the header that is believed"
    );
}

#[tokio::test]
async fn an_embargo_ends() {
    let folder = folder();
    for (times, expected) in [
        ("open_from = \"2000-01-01T00:00:00Z\"", 200),
        ("open_from = \"2999-01-01T00:00:00Z\"", 403),
        ("open_until = \"2999-01-01T00:00:00Z\"", 200),
        ("open_until = \"2000-01-01T00:00:00Z\"", 403),
        (
            "open_from = \"2000-01-01T00:00:00Z\"\nopen_until = \"2001-01-01T00:00:00Z\"",
            403,
        ),
        ("open = true\nopen_from = \"2999-01-01T00:00:00Z\"", 403),
    ] {
        let server = server(&folder, &format!("[[rules]]\n{times}"));
        assert_eq!(statuses(&server, "open.png").await, [expected], "{times}");
    }
    let server = server(&folder, "[[rules]]\nopen_until = \"2999-01-01T00:00:00Z\"");
    let answer = server.get(&format!("/iiif/3/open.png/{TILE}")).await;
    assert_private(&answer);
}

/// A26.
fn assert_private(answer: &Answer) {
    assert_eq!(
        answer.header("cache-control"),
        Some("private, no-cache"),
        "{}",
        answer.path
    );
    let lines = answer.headers.get_all("vary").iter();
    let varies: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let varies = varies.join(", ");
    for name in ["Authorization", "Cookie"] {
        assert!(varies.contains(name), "{varies} {}", answer.path);
    }
}

/// Whoever is refused is not led on, and a cache between must not do it either.
#[tokio::test]
async fn redirects_of_closed_images_are_private() {
    let folder = folder();
    let access = access(
        "[keys.desk]\nsecret = 'key-key-key-key-key'\nroles = ['staff']\n\
        [[rules]]\nidentifiers = ['a/{x}']\nroles = ['staff']",
    );
    let server = Server::configured(folder.path(), |config| {
        config.access = access;
        config.compatibility.meta_identifiers = true;
    });
    for (below, status) in [
        (";2:4/info.json", 301),
        (";2:4/full/max/0/default.png", 301),
        (";1:2", 303),
        ("", 303),
    ] {
        let closed = format!("/iiif/3/a%2Fsecret%2Fx.png{below}");
        assert_eq!(server.status(&closed).await, 401, "{below}");
        let key = [("x-api-key", "key-key-key-key-key")];
        let led = server.send(Method::GET, &closed, &key).await;
        assert_eq!(led.status, status, "{below}");
        assert_private(&led);
        let open = server.get(&format!("/iiif/3/open.png{below}")).await;
        assert_eq!((open.status.as_u16(), open.header("vary")), (status, None));
    }
}

/// Cold deny, allow, and then, with every cache warm, deny again.
#[tokio::test]
async fn the_decision_comes_before_every_cache() {
    let folder = folder();
    let config = |rules: &str| {
        let mut config = Config::default();
        config.source.root = folder.path().to_owned();
        config.pyramids.enabled = false;
        config.access = access(rules);
        config
    };
    const ROOM: &str = "[[rules]]\nnetworks = [\"192.0.2.0/24\"]";
    let server = router(App::new(&config(ROOM)).unwrap());
    let ask = async |address: [u8; 4], path: &str, copy: Option<&str>| {
        let peer = ConnectInfo(SocketAddr::from((address, 50_000)));
        let mut request = Request::get(path).extension(peer).header("host", "a");
        if let Some(copy) = copy {
            request = request.header("if-none-match", copy);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = server.clone().oneshot(request).await.unwrap();
        let tag = response.headers().get("etag").cloned();
        (
            response.status().as_u16(),
            tag.map(|tag| tag.to_str().unwrap().to_owned()),
        )
    };
    let (inside, outside) = ([192, 0, 2, 7], [198, 51, 100, 7]);
    for path in [
        &format!("/iiif/3/open.png/{TILE}"),
        "/iiif/3/open.png/info.json",
        "/presentation/3/open.png/manifest",
    ] {
        assert_eq!(ask(outside, path, None).await.0, 403, "cold: {path}");
        let (status, tag) = ask(inside, path, None).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(ask(inside, path, tag.as_deref()).await.0, 304, "{path}");
        assert_eq!(ask(outside, path, None).await.0, 403, "warm: {path}");
        assert_eq!(
            ask(outside, path, tag.as_deref()).await.0,
            403,
            "with a copy: {path}"
        );
        assert_eq!(
            ask(outside, path, Some("*")).await.0,
            403,
            "with any copy: {path}"
        );
    }
}

#[tokio::test]
async fn lists_have_only_what_somebody_may_know_of() {
    let folder = folder();
    let rules =
        "[[rules]]\nidentifiers = [\"Hidden.png\"]\n[[rules]]\nidentifiers = [\"a/secret/{x}\"]";
    let server = server(&folder, rules);
    for path in [
        "/?folder=",
        "/presentation/3/manifest",
        "/presentation/2/manifest",
    ] {
        let accept = [("accept", "application/json")];
        let answer = server.send("GET".parse().unwrap(), path, &accept).await;
        answer.assert_ok();
        assert!(answer.text().contains("open.png"), "{path}");
        assert!(!answer.text().contains("Hidden"), "{path}");
        assert_private(&answer);
    }
    let hidden = server.get("/presentation/3/a%2Fsecret/manifest").await;
    assert_eq!(hidden.status, 404, "a folder of which nothing may be seen");
}

/// Neither in the index nor by asking for it; one that has folders is shown, whatever is in them.
#[tokio::test]
async fn folders_in_which_one_sees_nothing_are_as_if_there_were_none() {
    let folder = folder();
    let rules = "[keys.desk]\nsecret = 'key-key-key-key-key'\nroles = ['staff']\n\
        [[rules]]\nidentifiers = ['a/secret/{x}']\nroles = ['staff']";
    let server = server(&folder, rules);
    let accept = ("accept", "application/json");
    let key = ("x-api-key", "key-key-key-key-key");
    let get =
        async |path: &str, headers: &[(&str, &str)]| server.send(Method::GET, path, headers).await;
    let index = get("/", &[accept]).await.json();
    assert_eq!(index["folders"], serde_json::json!(["a"]));
    let index = get("/?folder=a", &[accept]).await.json();
    assert_eq!(index["folders"], serde_json::json!(["a/public"]));
    let index = get("/?folder=a", &[accept, key]).await.json();
    let both = serde_json::json!(["a/public", "a/secret"]);
    assert_eq!(index["folders"], both);
    let closed = get("/?folder=a/secret", &[accept]).await;
    let absent = get("/?folder=a/nothing", &[accept]).await;
    assert_eq!((closed.status.as_u16(), absent.status.as_u16()), (404, 404));
    assert_eq!(closed.text().replace("secret", "nothing"), absent.text());
    get("/?folder=a/secret", &[accept, key]).await.assert_ok();
}

#[test]
fn rules_are_read_from_the_configuration() {
    let access = access(
        "[[rules]]\nidentifiers = [\"a/{x}\"]\nnetworks = [\"10.0.0.0/8\"]\nlargest = 400\nrefusal = \"forbidden\"",
    );
    let RuleConfig {
        identifiers,
        largest,
        ..
    } = &access.rules[0];
    assert_eq!(identifiers[0].to_string(), "a/{x}");
    assert_eq!(largest.map(|side| side.get()), Some(400));
}

#[test]
fn explain_says_which_rule_counts() {
    let folder = folder();
    let mut config = Config::default();
    config.source.root = folder.path().to_owned();
    config.access = access(
        "[[rules]]\nidentifiers = [\"other/{x}\"]\n[[rules]]\nidentifiers = [\"a/secret/x\"]",
    );
    let app = App::new(&config).unwrap();
    let explained = |identifier: &str| {
        let url = format!("/iiif/3/{identifier}/info.json");
        azulejo::http::explain(&app, &url).unwrap().steps["access"].clone()
    };
    let told = explained("a%2F%2Fsecret%2Fx");
    assert_eq!(told["rule"], 1);
    let names = told["names"].as_array().unwrap();
    for name in ["a//secret/x", "a/secret/x", "a/secret/x.png"] {
        assert!(names.contains(&name.into()), "{names:?}");
    }
    assert!(explained("open.png")["rule"].is_null());
    let absent = explained("other%2Fx");
    assert_eq!(
        (&absent["rule"], &absent["by"]),
        (&0.into(), &"name".into())
    );
}

/// As those see it who see that version.
#[test]
fn explain_knows_smaller_versions() {
    let folder = folder();
    let mut config = Config::default();
    config.source.root = folder.path().to_owned();
    config.access = access("[[rules]]\nidentifiers = ['open.png']\nlargest = 40");
    let app = App::new(&config).unwrap();
    let url = format!("/iiif/3/open.png;max40/{TILE}");
    let explained = azulejo::http::explain(&app, &url).unwrap();
    let steps = explained.steps;
    assert_eq!(steps["identifier"], "open.png");
    assert_eq!(steps["largest"], 40);
    assert_eq!(steps["access"]["rule"], 0);
    assert_eq!(steps["image"]["view"]["largest"], 40);
    let size = steps["image"]["plan"]["size"].to_string();
    assert!(size.contains("40"), "{size}");
}

/// A03: what viewers need to know to help somebody to get in.
#[tokio::test]
async fn a03_where_a_viewer_can_help_the_manifest_is_readable() {
    let folder = folder();
    let rules = |auth1: bool| {
        format!(
            "auth1 = {auth1}\n[services.click]\nmeans = \"click\"\nroles = [\"reader\"]\n[[rules]]\nidentifiers = [\"open.png\"]\n\
            roles = [\"reader\"]\nservices = [\"click\"]\n[[rules]]\nidentifiers = [\"Hidden.png\"]\nroles = [\"reader\"]\n\
            services = [\"click\"]\nrefusal = \"not_found\""
        )
    };
    for (auth1, version, image, expected) in [
        (false, 3, "open.png", 200),
        (false, 2, "open.png", 401),
        (true, 2, "open.png", 200),
        (true, 3, "Hidden.png", 404),
    ] {
        let server = server(&folder, &rules(auth1));
        let manifest = format!("/presentation/{version}/{image}/manifest");
        assert_eq!(
            server.status(&manifest).await,
            expected,
            "{auth1} {manifest}"
        );
        let pixels = server.status(&format!("/iiif/3/{image}/{TILE}")).await;
        assert!([401, 404].contains(&pixels), "{pixels} {image}");
    }
}
