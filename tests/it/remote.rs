//! Sources over a network, as clients see them.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use azulejo::config::Config;
use azulejo::iiif::Identifier;
use azulejo::pipeline::{Caching, Pipeline};
use azulejo::route::config::RouteConfig;
use azulejo::route::resolver::config::ResolverConfig;
use azulejo::source::remote::http::config::HttpSourceConfig;
use azulejo::view::View;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::folder_server::FolderServer;
use crate::server::{Answer, Server, fixtures};

const TILE: &str = "0,0,512,512/256,256/0/default.png";
const OTHER_TILE: &str = "1536,1024,512,512/256,256/0/default.png";

/// A folder with `a.tif`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let image = fixtures("images/sample-azulejo.tif");
    fs::copy(image, folder.path().join("a.tif")).unwrap();
    folder
}

fn web(origin: &FolderServer, revalidate_after: u32) -> HttpSourceConfig {
    HttpSourceConfig {
        url: Some(origin.url()),
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        timeout_ms: 60_000,
        revalidate_after,
        ..HttpSourceConfig::default()
    }
}

fn over(origin: &FolderServer, revalidate_after: u32) -> Server {
    served(web(origin, revalidate_after))
}

/// One that asks each time, and does not wait long.
fn hasty(origin: &FolderServer) -> Server {
    served(HttpSourceConfig {
        timeout_ms: 2_500,
        ..web(origin, 0)
    })
}

fn served(source: HttpSourceConfig) -> Server {
    Server::configured("/", |config| {
        config.sources.http.insert("web".to_owned(), source);
        config.routes.push(RouteConfig::to("web"));
    })
}

/// What a server over the folder itself says.
async fn expected(folder: &Path, path: &str) -> Answer {
    Server::over(folder).get(path).await
}

fn is_outage(answer: &Answer) -> bool {
    answer.status == 503
        && answer.header("retry-after").is_some()
        && answer.header("cache-control") == Some("no-store")
}

/// Another image of the same dimensions in its place: the old one turned.
async fn replace(folder: &Path) {
    let turned = "/iiif/3/a.tif/full/max/180/default.tif";
    let turned = expected(folder, turned).await;
    fs::write(folder.join("a.tif"), turned.body).unwrap();
}

/// The name of a page is asked for first, and refused: the file itself shows that there is none of that name.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_found_where_absent_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let document = fixtures("pdf/rotated.pdf");
    fs::copy(document, folder.path().join("book.pdf")).unwrap();
    let origin = FolderServer::over(folder.path()).await;
    origin.hide_absence();
    let far = over(&origin, 3_600);
    let page = far.json("/iiif/3/book.pdf;2/info.json").await;
    assert_eq!(page["width"], 1250);
    for name in ["none.pdf", "none.pdf;2"] {
        let answer = far.get(&format!("/iiif/3/{name}/info.json")).await;
        assert!(is_outage(&answer), "{name}: {}", answer.status);
    }
}

/// Its header was read of the one file, its pixels would be of the other.
#[tokio::test(flavor = "multi_thread")]
async fn pixels_of_two_states_of_an_image_are_never_mixed() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let far = over(&origin, 3_600);
    let path = |parameters: &str| format!("/iiif/3/a.tif/{parameters}");
    let before = far.get(&path(TILE)).await;
    assert_eq!(before.body, expected(folder.path(), &path(TILE)).await.body);
    replace(folder.path()).await;
    let after = far.get(&path(OTHER_TILE)).await;
    assert_eq!(after.status, 200);
    assert_eq!(
        after.body,
        expected(folder.path(), &path(OTHER_TILE)).await.body
    );
    let again = far.get(&path(TILE)).await;
    assert_eq!(again.body, expected(folder.path(), &path(TILE)).await.body);
    assert_ne!(again.body, before.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_is_looked_for_again() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let source = web(&origin, 3_600);
    let mut config = Config::default();
    config.sources.http.insert("web".to_owned(), source);
    config.routes.push(RouteConfig::to("web"));
    let pipeline = Pipeline::new(&config, None, None).unwrap();
    let identifier = || Identifier::new("a.tif".to_owned()).unwrap();
    let state = async || {
        let described = pipeline
            .information(identifier(), &View::whole(), Caching::Use)
            .await;
        described.ok().unwrap().modified
    };
    let before = state().await;
    replace(folder.path()).await;
    let file = File::options()
        .write(true)
        .open(folder.path().join("a.tif"));
    file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(state().await, before, "it is not asked for");
    pipeline.purge(Some(identifier())).await.unwrap();
    assert_eq!(state().await, SystemTime::UNIX_EPOCH);
    pipeline.purge(None).await.unwrap();
}

/// The same where stored bytes are the answer.
#[tokio::test(flavor = "multi_thread")]
async fn copied_bytes_are_of_one_state_too() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let far = over(&origin, 3_600);
    let tile = |x: u32| format!("/iiif/3/a.tif/{x},0,256,256/256,256/0/default.jpg");
    assert_eq!(far.get(&tile(0)).await.status, 200);
    replace(folder.path()).await;
    let after = far.get(&tile(2048)).await;
    assert_eq!(after.status, 200, "{:?}", after.body);
    assert_eq!(after.body, expected(folder.path(), &tile(2048)).await.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn f000_3_a_server_that_is_down_is_no_absent_image() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let far = hasty(&origin);
    assert_eq!(far.status("/iiif/3/a.tif/info.json").await, 200);
    assert_eq!(far.status("/iiif/3/b.tif/info.json").await, 404);
    origin.fall_silent();
    for path in [
        "/iiif/3/a.tif/info.json",
        "/iiif/3/c.tif/info.json",
        "/iiif/3/c.tif",
    ] {
        let answer = far.get(path).await;
        assert!(is_outage(&answer), "{path}: {:?}", answer.headers);
    }
}

/// What is behind a URL is nothing for clients.
#[tokio::test(flavor = "multi_thread")]
async fn failures_do_not_tell_where_images_are() {
    let folder = folder();
    fs::write(folder.path().join("broken.tif"), "II*\0").unwrap();
    let origin = FolderServer::over(folder.path()).await;
    let host = origin.url();
    let far = hasty(&origin);
    let absent = far.get("/iiif/3/absent/info.json").await;
    let broken = far.get("/iiif/3/broken.tif/info.json").await;
    origin.fall_silent();
    let down = far.get("/iiif/3/a.tif/info.json").await;
    for (answer, status) in [(absent, 404), (broken, 500), (down, 503)] {
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(answer.status, status, "{text}");
        assert!(!text.contains(host.trim_start_matches("http://")), "{text}");
        assert!(!text.contains("http"), "{text}");
    }
}

/// A program that knows `book-1`, and says of any other identifier that it fails.
async fn resolver(location: String) -> String {
    let answer = async move |RawQuery(query): RawQuery| match query.unwrap().as_str() {
        "id=book-1" => Ok(format!("{{\"location\": \"{location}\"}}")),
        "id=book-2" => Err(StatusCode::NOT_FOUND),
        "id=book-3" => Err(StatusCode::GONE),
        "id=book-4" => Ok("{\"location\": \"http://192.0.2.1/elsewhere.tif\"}".to_owned()),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let router = Router::new().route("/locate", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/locate", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolver_says_where_images_are() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let url = resolver(format!("{}a.tif", origin.url())).await;
    let source = web(&origin, 60);
    let server = Server::configured("/", |config| {
        config.sources.http.insert("web".to_owned(), source);
        let config_of = ResolverConfig {
            url,
            timeout_ms: 60_000,
            ttl: 60,
        };
        config.resolvers.insert("ours".to_owned(), config_of);
        config.routes.push(RouteConfig::to("ours"));
    });
    let information = server.json("/iiif/3/book-1/info.json").await;
    assert_eq!(information["width"], 2400);
    let tile = server.get(&format!("/iiif/3/book-1/{TILE}")).await;
    let same = expected(folder.path(), &format!("/iiif/3/a.tif/{TILE}")).await;
    assert_eq!(tile.body, same.body);
    assert_eq!(server.status("/iiif/3/book-2/info.json").await, 404);
    assert_eq!(server.status("/iiif/3/book-3/info.json").await, 410);
    for elsewhere in ["book-4", "book-5"] {
        let answer = server.get(&format!("/iiif/3/{elsewhere}/info.json")).await;
        assert!(is_outage(&answer), "{elsewhere}: {}", answer.status);
    }
}

/// A source that does not answer takes the threads of those who want it, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_slow_does_not_keep_others_waiting() {
    let folder = folder();
    let slow = FolderServer::over(folder.path()).await;
    let fast = FolderServer::over(folder.path()).await;
    let patient = HttpSourceConfig {
        connections: 100,
        ..web(&slow, 0)
    };
    let quick = web(&fast, 0);
    let server = Server::configured("/", |config| {
        for (name, source) in [("slow", patient), ("fast", quick)] {
            config.sources.http.insert(name.to_owned(), source);
            config.routes.push(RouteConfig {
                identifier: format!("{name}-{{key}}").parse().unwrap(),
                keys: vec!["{key}".parse().unwrap()],
                ..RouteConfig::to(name)
            });
        }
    });
    slow.fall_silent();
    let server = Arc::new(server);
    for number in 0..70 {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            server
                .status(&format!("/iiif/3/slow-{number}/info.json"))
                .await
        });
    }
    while slow.take_counts().0 == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let answer = server.status("/iiif/3/fast-a.tif/info.json");
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
    assert_eq!(answer, Ok(200));
}

/// Nothing of the file is kept but the tiles that were decoded.
#[tokio::test(flavor = "multi_thread")]
async fn a_region_of_tiles_that_are_kept_fetches_nothing() {
    let folder = folder();
    let origin = FolderServer::over(folder.path()).await;
    let far = Server::configured("/", |config| {
        let source = web(&origin, 3600);
        config.sources.http.insert("web".to_owned(), source);
        config.routes.push(RouteConfig::to("web"));
        config.sources.remote.blocks = Some("1".parse().unwrap());
    });
    let get = async |region: &str| {
        let path = format!("/iiif/3/a.tif/{region}/0/default.png");
        let answer = far.get(&path).await;
        assert!(answer.body == expected(folder.path(), &path).await.body);
        origin.take_counts()
    };
    assert!(get("100,100,800,600/max").await.1 > 0);
    // A small part of a tile is not looked for among tiles. Bytes of the file are forgotten a little later.
    let mut fetched = 0;
    for side in 16..116 {
        fetched = get(&format!("600,300,{side},16/max")).await.1;
        if fetched > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(fetched > 0, "nothing is forgotten");
    assert_eq!(get("150,120,700,500/max").await, (0, 0));
}
