//! Documents of a real HTTP server, through all states, on both databases.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::*;
use crate::geometry::Dimensions;
use crate::ingest::asset::{Asset, NewAsset};
use crate::ingest::composite::Composite;
use crate::ingest::fields::Fields;
use crate::ingest::member::Member;
use crate::ingest::status::Status;
use crate::page::Page;
use crate::registry::Registry;
use crate::registry::config::RegistryConfig;
use crate::registry::postgres_server::PostgresServer;
use crate::source::remote::Shared;
use crate::source::remote::config::{CopiesConfig, RemoteConfig};
use crate::source::remote::file_server::{End, FileServer, Manner, Reply};
use crate::source::remote::http::{self, config::HttpSourceConfig};

#[path = "../../../tests/common/documents.rs"]
mod documents_of_tests;
use documents_of_tests::{pdf, tiff};

/// Pages become files in the background, which comes last where much is to be done.
const PATIENCE: Duration = Duration::from_secs(300);
const PACE: Pace = Pace {
    lease: PATIENCE,
    beat: Duration::from_millis(100),
    poll: Duration::from_millis(100),
    pause: Duration::from_millis(100),
    attempts: 3,
    patience: PATIENCE,
};
const CUSTOMER: i64 = 7;

/// A database, a folder and a server with documents.
struct Site {
    url: String,
    folder: TempDir,
    origin: FileServer,
    store: Store,
    rasterizes: bool,
    per_piece: Duration,
}

impl Site {
    async fn new(url: &str) -> Self {
        Self {
            store: Store::new(open(url).await),
            url: url.to_owned(),
            folder: TempDir::new().unwrap(),
            origin: FileServer::start(Manner::USUAL),
            rasterizes: false,
            per_piece: PATIENCE,
        }
    }

    fn http(&self) -> HttpSourceConfig {
        HttpSourceConfig {
            hosts: vec![self.origin.host()],
            private_networks: vec!["127.0.0.0/8".parse().unwrap()],
            max_bytes: 4 << 20,
            timeout_ms: 60_000,
            ..HttpSourceConfig::default()
        }
    }

    /// Another node.
    async fn steps(&self) -> Steps {
        let shared = Shared::new(&RemoteConfig {
            copies: CopiesConfig {
                directory: Some(self.folder.path().join("copies")),
                ..CopiesConfig::default()
            },
            ..RemoteConfig::default()
        });
        let settings = Settings {
            folder: self.folder.path().to_owned(),
            rasterizes: self.rasterizes,
            most_pages: 5,
            scratch_bytes: 8 << 20,
            per_batch: 2,
            workers: 2,
            per_piece: self.per_piece,
            limits: Limits::default(),
        };
        Steps::new(
            self.store.clone(),
            Fetcher::new(&self.http()).unwrap(),
            Arc::new(http::open(&self.http(), &shared).unwrap()),
            work::Work::new(2, 8, 64 << 20),
            settings,
        )
    }

    async fn start(&self) -> Runner {
        self.steps().await.start(PACE).await.unwrap()
    }

    fn composite(&self, name: &str, path: &str) -> Composite {
        let fields = json!({
            "@type": "vocab:Composite",
            "id": format!("{name}-{{:03d}}"),
            "space": 6,
            "origin": format!("http://{}{path}", self.origin.host()),
            "number1": "{:03d}",
            "incrementSeed": 0,
            "compositeId": name,
        });
        match fields {
            Value::Object(fields) => Composite(fields),
            _ => unreachable!(),
        }
    }

    async fn post(&self, composites: &[Composite]) -> Vec<Uuid> {
        let accepted = self
            .store
            .accept(CUSTOMER, composites, false)
            .await
            .unwrap();
        accepted.members.iter().map(|member| member.id).collect()
    }

    async fn post_one(&self, name: &str, path: &str) -> Uuid {
        self.post(&[self.composite(name, path)]).await[0]
    }

    async fn member(&self, id: Uuid) -> Member {
        self.store.member(id).await.unwrap().unwrap()
    }

    async fn until(&self, id: Uuid, is_so: impl Fn(&Member) -> bool) -> Member {
        let start = Instant::now();
        loop {
            let member = self.member(id).await;
            if is_so(&member) {
                return member;
            }
            assert!(start.elapsed() < PATIENCE, "{member:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn done(&self, id: Uuid) -> Member {
        let member = self.until(id, |member| member.status.is_final()).await;
        assert_eq!(member.status, Status::Completed, "{:?}", member.error);
        member
    }

    async fn error(&self, id: Uuid) -> String {
        let member = self.until(id, |member| member.status.is_final()).await;
        assert_eq!(member.status, Status::Error, "{}", member.name);
        member.error.unwrap()
    }

    async fn asset(&self, id: &str) -> Asset {
        let key = AssetKey {
            customer: CUSTOMER,
            space: 6,
            id: id.to_owned(),
        };
        self.store.asset(&key).await.unwrap().unwrap()
    }

    /// Lets the time come for all jobs that are to be done later.
    async fn hurry(&self) {
        let mut connection = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        let hurrying = sqlx::query("UPDATE jobs SET run_at = 0").execute(&mut connection);
        hurrying.await.unwrap();
    }

    fn files(&self, folder: &str) -> usize {
        count(&self.folder.path().join(folder))
    }
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

async fn open(url: &str) -> Registry {
    let config = RegistryConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms: 60_000,
        ..RegistryConfig::default()
    };
    Registry::open(&config).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_become_images_with_an_sqlite_file() {
    let folder = TempDir::new().unwrap();
    all(|case| format!("sqlite:{}/{case}.db", folder.path().display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_become_images_with_postgresql() {
    let server = PostgresServer::start();
    all(|case| server.new_database(case)).await;
}

/// Each case with a database of its own.
async fn all(new: impl Fn(&str) -> String) {
    a_document_becomes_assets(Site::new(&new("document")).await).await;
    pages_of_a_pdf_are_as_large_as_they_are_drawn(Site::new(&new("pdf")).await).await;
    what_cannot_be_used_is_an_error(Site::new(&new("errors")).await).await;
    an_origin_that_fails_is_asked_again(Site::new(&new("failing")).await).await;
    a_document_with_fewer_pages_retires_the_others(Site::new(&new("fewer")).await).await;
    what_became_images_stays_however_its_job_ends(Site::new(&new("ended")).await).await;
    what_is_asked_again_is_not_answered_with_what_was_before(Site::new(&new("anew")).await).await;
    what_comes_too_slowly_is_left(Site::new(&new("slow")).await).await;
    what_is_replaced_is_not_gone_on_with(Site::new(&new("replaced")).await).await;
    another_node_goes_on(Site::new(&new("nodes")).await).await;
    leftovers_are_swept(Site::new(&new("leftovers")).await).await;
    pages_can_become_files(Site::new(&new("files")).await).await;
    single_images_are_looked_at(Site::new(&new("images")).await).await;
}

async fn a_document_becomes_assets(site: Site) {
    site.origin
        .put("/a.tif", &tiff(&[(60, 40), (70, 50), (80, 60)]));
    let runner = site.start().await;
    let id = site.post_one("my-pdf", "/a.tif").await;
    let member = site.done(id).await;
    assert_eq!((member.image_count, member.retired), (Some(3), Some(0)));
    assert_eq!(member.batches.len(), 2, "of two pages and one");
    let last = site.asset("my-pdf-002").await;
    let found = last.place.unwrap();
    assert_eq!(
        found.location,
        format!("composites:members/{id}/1/document")
    );
    assert_eq!(found.page, Page::new(3).unwrap());
    assert_eq!((found.width, found.height), (80, 60));
    assert_eq!(last.fields.numbers[0], Some(2));
    runner.stop().await;
    let document = site.folder.path().join(format!("members/{id}/1/document"));
    assert_eq!(
        fs::read(document).unwrap(),
        tiff(&[(60, 40), (70, 50), (80, 60)])
    );
    assert_eq!(site.files("scratch"), 0);
    assert_eq!(site.origin.requests().len(), 1);
}

async fn pages_of_a_pdf_are_as_large_as_they_are_drawn(site: Site) {
    site.origin
        .put("/a.pdf", &pdf(&[(72.0, 144.0), (144.0, 36.0)]));
    let runner = site.start().await;
    let id = site.post_one("a", "/a.pdf").await;
    site.done(id).await;
    runner.stop().await;
    for (name, page, width, height) in [("a-000", 1, 300, 600), ("a-001", 2, 600, 150)] {
        let place = site.asset(name).await.place.unwrap();
        assert_eq!(place.page, Page::new(page).unwrap());
        assert_eq!((place.width, place.height), (width, height));
        assert_eq!(place.resolution, Some(300));
    }
}

async fn what_cannot_be_used_is_an_error(site: Site) {
    site.origin.put("/page.html", b"<html>please log in</html>");
    site.origin.put("/empty", b"");
    site.origin.put("/long.tif", &tiff(&[(10, 10); 6]));
    site.origin.put("/large.tif", &vec![0; 5 << 20]);
    site.origin.put("/broken.tif", b"II*\0\xFF\xFF\xFF\0");
    let runner = site.start().await;
    let mut elsewhere = site.composite("elsewhere", "/a");
    elsewhere.0["origin"] = json!("http://example.org/a.pdf");
    for (composite, expected) in [
        (site.composite("absent", "/absent"), "there is no such file"),
        (
            site.composite("html", "/page.html"),
            "not an image of a known format",
        ),
        (
            site.composite("empty", "/empty"),
            "not an image of a known format",
        ),
        (
            site.composite("long", "/long.tif"),
            "the document has 6 pages, and may have 5",
        ),
        (
            site.composite("large", "/large.tif"),
            "larger than files of this source may be",
        ),
        (elsewhere, "not among those that may be asked"),
        (site.composite("broken", "/broken.tif"), "broken TIFF"),
    ] {
        let requests = site.origin.requests().len();
        let id = site.post(&[composite]).await[0];
        let error = site.error(id).await;
        assert!(error.contains(expected), "{error}");
        assert!(requests <= 1, "what will not change is not asked for again");
    }
    runner.stop().await;
    assert_eq!(site.files("scratch"), 0);
}

async fn an_origin_that_fails_is_asked_again(site: Site) {
    site.origin.put("/a.tif", &tiff(&[(600, 400), (60, 40)]));
    site.origin.then(|reply| reply.cut(1000, End::Close));
    let runner = site.start().await;
    let id = site.post_one("a", "/a.tif").await;
    assert_eq!(site.done(id).await.image_count, Some(2));
    assert_eq!(site.origin.requests().len(), 2);
    // Each attempt of a job is three of the source: and then it is left alone.
    for _ in 0..20 {
        site.origin.then(|_| Reply::bare(500));
    }
    let id = site.post_one("b", "/a.tif").await;
    let error = site.error(id).await;
    assert_eq!(
        error,
        "the origin cannot be fetched: the origin answered with status 500"
    );
    assert_eq!(site.origin.requests().len(), 9);
    runner.stop().await;
    assert_eq!(site.files("scratch"), 0);
}

async fn a_document_with_fewer_pages_retires_the_others(site: Site) {
    let runner = site.start().await;
    site.origin
        .put("/a.tif", &tiff(&[(60, 40), (70, 50), (80, 60)]));
    let first = site.post_one("a", "/a.tif").await;
    site.done(first).await;
    site.origin.put("/a.tif", &tiff(&[(61, 41), (71, 51)]));
    let second = site.post_one("a", "/a.tif").await;
    let member = site.done(second).await;
    assert_eq!((member.image_count, member.retired), (Some(2), Some(1)));
    assert_eq!(site.asset("a-000").await.place.unwrap().width, 61);
    assert!(site.asset("a-002").await.is_retired);
    assert_eq!(
        site.files("members"),
        2,
        "somebody may be reading the first"
    );
    site.hurry().await;
    let start = Instant::now();
    while site.files("members") > 1 {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
    let document = site.folder.path().join(format!("members/{second}"));
    assert!(document.exists());
}

/// As after a crash, in the last attempt, before the queue was told.
async fn what_became_images_stays_however_its_job_ends(site: Site) {
    site.origin.put("/a.tif", &tiff(&[(60, 40)]));
    let runner = site.start().await;
    let id = site.post_one("a", "/a.tif").await;
    site.done(id).await;
    runner.stop().await;
    let mut connection = sqlx::AnyConnection::connect(&site.url).await.unwrap();
    let crash = "UPDATE jobs SET finished = NULL, attempts = 3, leased_until = 0";
    sqlx::query(crash).execute(&mut connection).await.unwrap();
    let runner = site.start().await;
    let start = Instant::now();
    let open = "SELECT id FROM jobs WHERE finished IS NULL";
    while !sqlx::query(open)
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .is_empty()
    {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
    site.done(id).await;
    assert_eq!(site.files(&format!("members/{id}/1")), 1);
}

async fn what_is_asked_again_is_not_answered_with_what_was_before(site: Site) {
    let new = NewAsset {
        space: 6,
        id: "a".to_owned(),
        fields: Fields {
            origin: format!("http://{}/a.tif", site.origin.host()),
            ..Fields::default()
        },
        place: None,
    };
    site.origin.then(|_| {
        std::thread::sleep(Duration::from_secs(2));
        Reply::bare(404)
    });
    let runner = site.start().await;
    site.store.put(CUSTOMER, &new).await.unwrap();
    while site.origin.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    site.origin.put("/a.tif", &tiff(&[(60, 40)]));
    site.store.reingest(&new.key(CUSTOMER)).await.unwrap();
    let start = Instant::now();
    while site.asset("a").await.is_ingesting() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
    let asset = site.asset("a").await;
    assert_eq!(asset.error, None);
    assert_eq!(asset.place.unwrap().width, 60);
}

/// Though never so slowly that it would seem to be dead.
async fn what_comes_too_slowly_is_left(site: Site) {
    let site = Site {
        per_piece: Duration::from_secs(1),
        ..site
    };
    site.origin.put("/a.tif", &tiff(&[(600, 400)]));
    for _ in 0..3 {
        site.origin
            .then(|reply| reply.slowly(Duration::from_secs(30)));
    }
    let runner = site.start().await;
    let id = site.post_one("a", "/a.tif").await;
    let error = site.error(id).await;
    assert!(error.contains("comes too slowly"), "{error}");
    runner.stop().await;
    assert_eq!(site.files("scratch"), 0);
}

async fn what_is_replaced_is_not_gone_on_with(site: Site) {
    site.origin.put("/a.tif", &tiff(&[(60, 40)]));
    site.origin.then(|_| Reply::nothing(End::Hang));
    let runner = site.start().await;
    let first = site.post_one("a", "/a.tif").await;
    site.until(first, |member| member.status == Status::FetchingOrigin)
        .await;
    while site.origin.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    let second = site.post_one("a", "/a.tif").await;
    site.done(second).await;
    let error = site.error(first).await;
    assert!(
        error.contains(&format!("replaced by the member {second}")),
        "{error}"
    );
    runner.stop().await;
    assert_eq!(site.files("members"), 1, "nothing of the first is there");
    assert_eq!(site.files("scratch"), 0);
}

/// One that stops gives its work back; one that is dead loses it.
async fn another_node_goes_on(site: Site) {
    site.origin.put("/a.tif", &tiff(&[(60, 40)]));
    site.origin.then(|reply| reply.cut(50, End::Hang));
    let first = site.start().await;
    let id = site.post_one("a", "/a.tif").await;
    while site.origin.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    first.stop().await;
    let status = site.member(id).await.status;
    assert_eq!(status, Status::FetchingOrigin);
    let node = Site {
        store: Store::new(open(&site.url).await),
        ..site
    };
    let second = node.start().await;
    node.done(id).await;
    second.stop().await;
    assert_eq!(node.files("scratch"), 0);
}

async fn leftovers_are_swept(site: Site) {
    let scratch = site.folder.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    for name in ["99-1-x.tmp", "1-1-x.tmp"] {
        fs::write(scratch.join(name), "left").unwrap();
    }
    site.post_one("a", "/a.tif").await;
    let taken = site.store.queue().claim().await.unwrap().unwrap();
    assert_eq!((taken.lease.job, taken.lease.number), (1, 1));
    let runner = site.start().await;
    runner.stop().await;
    let left = fs::read_dir(scratch).unwrap().next().unwrap().unwrap();
    assert_eq!(left.file_name(), "1-1-x.tmp", "somebody writes to it");
}

async fn pages_can_become_files(site: Site) {
    let site = Site {
        rasterizes: true,
        ..site
    };
    site.origin
        .put("/a.tif", &tiff(&[(600, 400), (1300, 1200)]));
    let runner = site.start().await;
    let id = site.post_one("a", "/a.tif").await;
    site.done(id).await;
    runner.stop().await;
    let found = site.asset("a-001").await.place.unwrap();
    assert_eq!(
        found.location,
        format!("composites:members/{id}/1/00002.tif")
    );
    assert_eq!(found.page, Page::FIRST);
    let path = site.folder.path().join(format!("members/{id}/1/00002.tif"));
    let decoder = crate::decode::open(Arc::new(fs::read(path).unwrap()), &Limits::default());
    let decoder = decoder.unwrap();
    assert_eq!(
        decoder.header().dimensions(),
        Dimensions::new(1300, 1200).unwrap()
    );
    assert!(decoder.header().levels.len() > 1);
    assert_eq!(decoder.header().pages, 1);
    assert_eq!(site.files("scratch"), 0);
}

async fn single_images_are_looked_at(site: Site) {
    site.origin.put("/a.tif", &tiff(&[(60, 40)]));
    site.origin.put("/b.tif", b"no image");
    site.origin.put("/d.tif", &tiff(&[(60, 40), (30, 40)]));
    let asset = |id: &str, path: &str| NewAsset {
        space: 6,
        id: id.to_owned(),
        fields: Fields {
            origin: format!("http://{}{path}", site.origin.host()),
            ..Fields::default()
        },
        place: None,
    };
    let new = [
        asset("a", "/a.tif"),
        asset("b", "/b.tif"),
        asset("c", "/c.tif"),
        asset("d", "/d.tif#page=2"),
        asset("e", "/d.tif#page=3"),
    ];
    let batch = site.store.submit(CUSTOMER, &new, false).await.unwrap();
    let runner = site.start().await;
    let start = Instant::now();
    let done = loop {
        let batch = site.store.batch(CUSTOMER, batch.id).await.unwrap().unwrap();
        if batch.finished.is_some() {
            break batch;
        }
        assert!(start.elapsed() < PATIENCE, "{batch:?}");
        sleep(Duration::from_millis(20)).await;
    };
    runner.stop().await;
    for id in ["a", "d"] {
        assert_eq!(site.asset(id).await.error, None, "{id}");
    }
    assert_eq!((done.completed, done.errors), (5, 3));
    let found = site.asset("a").await.place.unwrap();
    assert_eq!(found.location, new[0].fields.origin);
    assert_eq!((found.width, found.height), (60, 40));
    let page = site.asset("d").await.place.unwrap();
    assert_eq!((page.page.number(), page.width), (2, 30));
    assert!(new[3].fields.origin.starts_with(&page.location), "{page:?}");
    assert!(site.asset("e").await.error.is_some(), "there is no page 3");
    let error = site.asset("b").await.error.unwrap();
    assert!(error.contains("not an image of a known format"), "{error}");
    let error = site.asset("c").await.error.unwrap();
    assert!(error.contains("there is no such file"), "{error}");
}
