//! How much one client may ask for.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Instant;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use azulejo::config::Config;
use azulejo::http::clients::config::ClientsConfig;
use azulejo::http::{App, router};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::parts::{folder, noise};
use crate::server::{HOST, Server, fixtures};

const LARGE: &str = "/iiif/3/sample-azulejo.tif/full/500,/0/default.jpg";
const SMALL: &str = "/iiif/3/sample-azulejo.tif/full/200,/0/default.jpg";

/// A server that is told who asks.
struct Place {
    router: axum::Router,
    app: App,
}

impl Place {
    fn new(clients: ClientsConfig, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            clients,
            ..Config::default()
        };
        config.source.root = fixtures("images");
        config.pyramids.enabled = false;
        change(&mut config);
        let app = App::new(&config).unwrap();
        let router = router(app.clone());
        Self { router, app }
    }

    /// The status, and the seconds after which to try again.
    async fn get(&self, from: &str, path: &str, forwarded: Option<&str>) -> (u16, Option<u64>) {
        let mut request = Request::get(path).header(header::HOST, HOST);
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(from.parse().unwrap(), 4_711);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let retry = answer.headers().get(header::RETRY_AFTER);
        let retry = retry.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
        let status = answer.status().as_u16();
        answer.into_body().collect().await.unwrap();
        (status, retry)
    }

    /// Asks until it is refused, for as long as that may take where one has a request more in each second. Others may be said to have
    /// asked each time.
    async fn refused(
        &self,
        from: &str,
        path: &str,
        forwarded: impl Fn(u8) -> Option<String>,
    ) -> Option<u64> {
        for number in 1..=100 {
            let (status, retry) = self.get(from, path, forwarded(number).as_deref()).await;
            if status == 429 {
                return retry;
            }
        }
        panic!("{from} is never refused {path}");
    }
}

fn requests(burst: u32) -> ClientsConfig {
    ClientsConfig {
        requests_per_second: NonZeroU32::new(1),
        burst: NonZeroU32::new(burst).unwrap(),
        ..ClientsConfig::default()
    }
}

fn large(per_minute: u32) -> ClientsConfig {
    ClientsConfig {
        large_per_minute: NonZeroU32::new(per_minute),
        large_pixels: 100_000,
        ..ClientsConfig::default()
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_try_again() {
    let place = Place::new(requests(2), |_| {});
    let path = "/iiif/3/sample-azulejo.tif/info.json";
    for _ in 0..2 {
        assert_eq!(place.get("192.0.2.1", path, None).await, (200, None));
    }
    let nobody = |_| None;
    let retry = place.refused("192.0.2.1", path, nobody).await;
    assert_eq!(retry, Some(1));
    place.refused("192.0.2.1", "/nothing", nobody).await;
    assert_eq!(place.get("192.0.2.2", path, None).await.0, 200);
    let watched = place.get("192.0.2.1", "/health/live", None).await;
    assert_eq!(watched.0, 200, "who watches the server is never refused");
}

/// Behind a trusted proxy its clients are told apart; from anyone else the header is nothing.
#[tokio::test]
async fn clients_of_a_proxy_have_budgets_of_their_own_and_nobody_makes_up_others() {
    let place = Place::new(requests(1), |config| {
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    });
    let path = "/iiif/3/sample-azulejo.tif/info.json";
    let through_proxy = async |told: &str| place.get("10.0.0.1", path, Some(told)).await.0;
    assert_eq!(through_proxy("198.51.100.1").await, 200);
    let told = |_| Some("198.51.100.1".to_owned());
    place.refused("10.0.0.1", path, told).await;
    assert_eq!(through_proxy("198.51.100.2").await, 200);
    let made_up = |number| Some(format!("203.0.113.{number}, 198.51.100.2"));
    place.refused("10.0.0.1", path, made_up).await;
    let stranger = |number| Some(format!("198.51.101.{number}"));
    place.refused("192.0.2.1", path, stranger).await;
}

/// Only what is made counts: not what is in the cache, in memory or behind it, nor what is small.
#[tokio::test]
async fn large_images_count_only_when_they_are_made() {
    let cache = tempfile::tempdir().unwrap();
    let start = || {
        Place::new(large(1), |config| {
            config.cache.disk.directory = Some(cache.path().to_owned());
        })
    };
    let other = LARGE.replace("500,", "501,");
    let first = start();
    let begun = Instant::now();
    for _ in 0..5 {
        assert_eq!(first.get("192.0.2.1", LARGE, None).await.0, 200);
    }
    let (status, retry) = first.get("192.0.2.1", &other, None).await;
    assert_eq!(status, 429);
    let passed = begun.elapsed().as_secs() + 1;
    let left = 60_u64.saturating_sub(passed)..=60;
    assert!(retry.is_some_and(|seconds| left.contains(&seconds)));
    assert_eq!(first.get("192.0.2.1", LARGE, None).await.0, 200);
    assert_eq!(first.get("192.0.2.1", SMALL, None).await.0, 200);
    assert_eq!(first.get("192.0.2.2", &other, None).await.0, 200);
    assert_eq!(
        first.get("192.0.2.1", &other, None).await.0,
        200,
        "now it is there"
    );
    first.app.settle().await;
    let again = start();
    for path in [LARGE, &other, LARGE, &other] {
        assert_eq!(again.get("192.0.2.1", path, None).await.0, 200, "{path}");
    }
}

/// Also when no more than its header is known.
#[tokio::test]
async fn a_file_that_only_looks_like_the_answer_counts_as_made() {
    let whole = noise(14);
    let folder = folder(&whole);
    let longer = [&whole[..], b"more"].concat();
    for name in ["b.jpg", "c.jpg", "d.jpg"] {
        fs::write(folder.path().join(name), &longer).unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    let start = || {
        Place::new(large(1), |config| {
            config.source.root = folder.path().to_owned();
            config.cache.disk.directory = Some(cache.path().to_owned());
        })
    };
    let image = |name: &str| format!("/iiif/3/{name}/full/max/0/default.jpg");
    let first = start();
    for (name, status) in [("a", 200), ("a", 200), ("b", 200), ("c", 429), ("d", 429)] {
        let path = image(&format!("{name}.jpg"));
        assert_eq!(
            first.get("192.0.2.1", &path, None).await.0,
            status,
            "{name}"
        );
    }
    first.app.settle().await;
    let again = start();
    for (name, status) in [("a", 200), ("b", 200), ("c", 200), ("d", 429), ("a", 200)] {
        let path = image(&format!("{name}.jpg"));
        assert_eq!(
            again.get("192.0.2.1", &path, None).await.0,
            status,
            "{name}"
        );
    }
}

/// However a size is spelled, it is one entry of the cache.
#[tokio::test]
async fn all_spellings_of_one_image_are_one_entry() {
    let server = Server::of_fixtures();
    let mut tags = std::collections::BTreeSet::new();
    for path in [
        "/iiif/3/sample-azulejo.tif/full/600,450/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/600,/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/,450/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/!600,9999/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/^600,/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/pct:25/0.0/default.jpg",
        "/iiif/3/sample-azulejo.tif/full/pct:25.000/00/color.jpg",
        "/iiif/3/sample-azulejo.tif/0,0,2400,1800/600,450/360/default.jpg",
        "/iiif/3/sample-azulejo.tif/0,0,99999,99999/600,/0/default.jpg",
        "/iiif/3/sample-azulejo.tif/pct:0,0,100,100/00600,/0/default.jpg",
        "/iiif/2/sample-azulejo.tif/full/600,/0/default.jpg",
        "/iiif/2/sample-azulejo.tif/full/!600,450/0/color.jpg",
    ] {
        let answer = server.get(path).await;
        answer.assert_ok();
        tags.insert(answer.header("etag").unwrap().to_owned());
    }
    assert_eq!(tags.len(), 1, "{tags:?}");
}
