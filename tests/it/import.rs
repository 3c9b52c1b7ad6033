//! `azulejo import`, run as a process, from all that it reads.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use azulejo::registry::config::RegistryConfig;
use azulejo::registry::{Answer, Details, Entry, NewEntry, Over, Registry, name_uuid};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::process::command;
use crate::redis_server::RedisServer;

/// As in the tests of the TAMU IR IIIF service.
const LOCATION: &str = "http://localhost:900/fcrepo/rest/image02";
const IDENTIFIER: &str = "9d04505e-6fc2-3275-bae8-d3e9be15afaf";

/// A folder with a registry in it.
struct Archive(TempDir);

impl Archive {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn url(&self) -> String {
        format!("sqlite:{}/azulejo.db", self.0.path().display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    async fn registry(&self) -> Registry {
        let config = RegistryConfig {
            url: Some(self.url().parse().unwrap()),
            ..RegistryConfig::default()
        };
        Registry::open(&config).await.unwrap().unwrap()
    }

    async fn entry(&self, identifier: &str) -> Entry {
        match self.registry().await.find(identifier).await.unwrap() {
            Answer::Found(entry) => entry,
            other => panic!("{identifier}: {other:?}"),
        }
    }

    async fn size(&self) -> usize {
        self.registry()
            .await
            .list(None, 10_000)
            .await
            .unwrap()
            .len()
    }

    async fn import(&self, arguments: &[&str]) -> Run {
        let mut command = command();
        command.current_dir(self.0.path());
        command.env("AZULEJO_REGISTRY__URL", self.url());
        command
            .arg("import")
            .args(arguments)
            .args(["--report", "report.json"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let report = fs::read(self.path("report.json")).unwrap_or_default();
        Run {
            output,
            report: serde_json::from_slice(&report).unwrap_or_default(),
        }
    }
}

struct Run {
    output: Output,
    report: Value,
}

impl Run {
    /// Exit code; new, same and failed entries.
    fn counts(&self) -> (Option<i32>, [u64; 3]) {
        let count = |name: &str| {
            self.report[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{}", self.stderr()))
        };
        (
            self.output.status.code(),
            ["new", "same", "failed"].map(count),
        )
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Places of problems.
    fn places(&self) -> Vec<&str> {
        let problems = self.report["problems"].as_array().unwrap();
        let mut places: Vec<_> = problems
            .iter()
            .map(|problem| problem["place"].as_str().unwrap())
            .collect();
        places.sort_unstable();
        places
    }
}

#[tokio::test]
async fn f000_10_a_table_is_imported_once() {
    let archive = Archive::new();
    archive.registry().await;
    archive.write(
        "list.csv",
        format!("\u{feff}url,id,title,page\n{LOCATION},,,\ns3://bucket/a.pdf,a/b,\"A title, with comma\",3\n"),
    );
    let dry = archive.import(&["csv", "list.csv", "--dry-run"]).await;
    assert_eq!(dry.counts(), (Some(0), [2, 0, 0]), "{}", dry.stderr());
    assert_eq!(archive.size().await, 0, "nothing is written");
    let run = archive.import(&["csv", "list.csv"]).await;
    assert_eq!(run.counts(), (Some(0), [2, 0, 0]), "{}", run.stderr());
    assert_eq!(archive.entry(IDENTIFIER).await.location, LOCATION);
    let entry = archive.entry("a/b").await;
    assert_eq!(entry.location, "s3://bucket/a.pdf");
    assert_eq!(entry.title.as_deref(), Some("A title, with comma"));
    assert_eq!(entry.page, Some(3));
    assert_eq!(entry.provenance, "import csv list.csv");
    let again = archive.import(&["csv", "list.csv"]).await;
    assert_eq!(again.counts(), (Some(0), [0, 2, 0]));
}

/// The relational table of EIDER, as its database writes it.
#[tokio::test]
async fn f000_10_a_dump_of_eider_is_a_table() {
    let archive = Archive::new();
    archive.write(
        "entity.csv",
        "id,url\n0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55,http://a.org/1\n",
    );
    let run = archive.import(&["csv", "entity.csv"]).await;
    assert_eq!(run.counts(), (Some(0), [1, 0, 0]), "{}", run.stderr());
    let entry = archive.entry("0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55").await;
    assert_eq!(entry.location, "http://a.org/1");
}

#[tokio::test]
async fn bad_rows_fail_the_run_and_hinder_no_other() {
    let archive = Archive::new();
    archive.write(
        "list.csv",
        "id,url,page\na,http://a.org/1,\nb,image.jpg,\nc,http://a.org/3,one\nd,http://a.org/4\na,http://a.org/other,\ne,http://a.org/5,\n",
    );
    let run = archive.import(&["csv", "list.csv"]).await;
    assert_eq!(run.counts(), (Some(1), [2, 0, 4]));
    let places = [
        "list.csv, line 3",
        "list.csv, line 4",
        "list.csv, line 5",
        "list.csv, line 6",
    ];
    assert_eq!(run.places(), places);
    assert!(
        run.stderr().contains("list.csv, line 4: "),
        "{}",
        run.stderr()
    );
    assert_eq!(archive.entry("a").await.location, "http://a.org/1");
    let run = archive.import(&["csv", "list.csv", "--replace"]).await;
    assert_eq!(run.report["replaced"], 1);
    assert_eq!(archive.entry("a").await.location, "http://a.org/other");
}

#[tokio::test]
async fn what_is_no_such_table_is_not_read() {
    let archive = Archive::new();
    archive.write("unknown.csv", "url,identifier\nhttp://a.org/1,a\n");
    archive.write("headless.csv", "http://a.org/1\n");
    for name in ["unknown.csv", "headless.csv", "absent.csv"] {
        let run = archive.import(&["csv", name]).await;
        assert_eq!(run.output.status.code(), Some(1), "{name}");
        assert!(run.stderr().contains(name), "{}", run.stderr());
    }
    assert_eq!(archive.size().await, 0);
}

#[tokio::test]
async fn lines_of_json_are_those_of_the_listing() {
    let archive = Archive::new();
    let lines = [
        json!({"identifier": "a", "location": "file:a.tif", "page": 2, "title": "ü", "created": 5, "changed": 6, "provenance": "x"}),
        json!({"location": LOCATION}),
        json!({"identifier": "b"}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    archive.write("lines.json", text);
    let run = archive.import(&["json", "lines.json"]).await;
    assert_eq!(run.counts(), (Some(1), [2, 0, 1]), "{}", run.stderr());
    assert_eq!(run.places(), ["lines.json, line 3"]);
    let entry = archive.entry("a").await;
    assert_eq!((entry.page, entry.title.as_deref()), (Some(2), Some("ü")));
    assert_eq!(archive.entry(IDENTIFIER).await.location, LOCATION);
}

#[tokio::test]
async fn without_a_registry_nothing_is_imported() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("list.csv"), "url\nhttp://a.org/1\n").unwrap();
    let mut command = command();
    command
        .current_dir(folder.path())
        .args(["import", "csv", "list.csv"]);
    assert_eq!(command.output().unwrap().status.code(), Some(2));
}

/// As Spring Data lays it out, with a manifest beside it.
#[tokio::test]
async fn f000_10_the_redis_of_the_old_service_is_read() {
    let redis = RedisServer::start();
    let random = "0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55";
    let moved = "8cabeecc-d4b6-3365-a075-bacc30d082e3";
    for (id, url) in [
        (IDENTIFIER, LOCATION),
        (random, "http://a.org/1"),
        (moved, "http://a.org/2"),
    ] {
        let key = format!("resource:{id}");
        redis.cli(&[
            "HSET",
            &key,
            "_class",
            "edu.tamu.iiif.model.RedisResource",
            "id",
            id,
            "url",
            url,
        ]);
        redis.cli(&["SADD", "resource", id]);
        redis.cli(&["SADD", &format!("resource:url:{url}"), id]);
        redis.cli(&[
            "SADD",
            &format!("resource:{id}:idx"),
            &format!("resource:url:{url}"),
        ]);
    }
    redis.cli(&["HSET", "resource:broken", "id", "broken"]);
    redis.cli(&[
        "HSET",
        "resource:other",
        "id",
        "another",
        "url",
        "http://a.org/3",
    ]);
    redis.cli(&[
        "HSET",
        "manifest:x",
        "id",
        "x",
        "json",
        "{}",
        "url",
        "http://a.org/4",
    ]);
    for number in 0..21 {
        let id = format!("n{number}");
        let url = format!("http://a.org/n/{number}");
        redis.cli(&["HSET", &format!("resource:{id}"), "id", &id, "url", &url]);
    }
    let archive = Archive::new();
    let careful = archive.import(&["redis", &redis.url()]).await;
    assert_eq!(careful.counts(), (Some(1), [23, 0, 3]));
    let mut places = careful.places();
    places.sort_unstable();
    let of_moved = format!("resource:{moved}");
    assert_eq!(places, [&*of_moved, "resource:broken", "resource:other"]);
    assert_eq!(careful.report["unverified"], json!([moved]));
    let trusting = ["redis", &redis.url(), "--unverified"];
    let run = archive.import(&trusting).await;
    assert_eq!(run.counts(), (Some(1), [1, 23, 2]), "{}", run.stderr());
    assert_eq!(run.report["unverified"], json!([moved]));
    assert_eq!(archive.entry(IDENTIFIER).await.location, LOCATION);
    assert_eq!(archive.entry(random).await.location, "http://a.org/1");
    assert_eq!(archive.entry(moved).await.location, "http://a.org/2");
    // What gave the identifiers their meaning may be lost now.
    redis.cli(&["FLUSHALL"]);
    assert_eq!(archive.entry(IDENTIFIER).await.location, LOCATION);
    let again = archive.import(&["redis", &redis.url()]).await;
    assert_eq!(again.counts(), (Some(0), [0, 0, 0]));
    assert_eq!(archive.size().await, 24, "an import removes nothing");
}

/// A keyspace is no pattern.
#[tokio::test]
async fn only_keys_of_the_keyspace_are_read() {
    let redis = RedisServer::start();
    for (key, id) in [("re*[x]?:a", "a"), ("resource-x-1:b", "b"), ("rex1:c", "c")] {
        redis.cli(&["HSET", key, "id", id, "url", "http://a.org/1"]);
    }
    let archive = Archive::new();
    let arguments = ["redis", &redis.url(), "--keyspace", "re*[x]?"];
    let run = archive.import(&arguments).await;
    assert_eq!(run.counts(), (Some(0), [1, 0, 0]), "{}", run.stderr());
    assert_eq!(archive.entry("a").await.location, "http://a.org/1");
}

/// A UUID of version 3 says of which location it is.
#[tokio::test]
async fn rows_whose_identifier_is_that_of_another_url_are_failures() {
    let archive = Archive::new();
    archive.write("list.csv", format!("id,url\n{IDENTIFIER},http://a.org/1\n"));
    let line = json!({"identifier": IDENTIFIER, "location": "http://a.org/1"});
    archive.write("lines.json", line.to_string());
    for arguments in [["csv", "list.csv"], ["json", "lines.json"]] {
        let run = archive.import(&arguments).await;
        assert_eq!(run.counts(), (Some(1), [0, 0, 1]), "{}", run.stderr());
        assert!(run.stderr().contains("--unverified"), "{}", run.stderr());
    }
    assert_eq!(archive.size().await, 0);
    let run = archive.import(&["csv", "list.csv", "--unverified"]).await;
    assert_eq!(run.counts(), (Some(0), [1, 0, 0]), "{}", run.stderr());
    assert_eq!(archive.entry(IDENTIFIER).await.location, "http://a.org/1");
}

/// The resolver that is to be replaced; it writes down what it is asked for.
struct OldService {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl OldService {
    async fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let service = Router::new()
            .route("/iiif-service/resources/{id}", get(resource))
            .with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/iiif-service", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
        Self { url, asked }
    }

    fn take_asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

fn page(number: u32) -> String {
    format!("http://localhost:900/fcrepo/rest/book/{number}.jpg")
}

/// Knows ten pages of a book; a random identifier; and one whose location it has mixed up.
async fn resource(
    State(asked): State<Arc<Mutex<Vec<String>>>>,
    Path(id): Path<String>,
) -> Result<String, StatusCode> {
    asked.lock().unwrap().push(id.clone());
    let mut pages = (1..=10).map(page);
    if let Some(url) = pages.find(|url| name_uuid(url).to_string() == id) {
        return Ok(format!("{url}\n"));
    }
    match id.as_str() {
        "0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55" => Ok("http://a.org/random.tif".to_owned()),
        "8cabeecc-d4b6-3365-a075-bacc30d082e3" => Ok("http://a.org/mixed-up.tif".to_owned()),
        "html" => Ok("<html>Please log in</html>".to_owned()),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// In the shape of section 1.5 of the requirements, with services of another kind beside those of images.
fn manifest(ids: &[String]) -> String {
    let canvases: Vec<Value> = ids.iter().map(|id| canvas(id)).collect();
    json!({
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": "https://api.example.org/iiif-service/fedora/presentation/book",
        "@type": "sc:Manifest",
        "sequences": [{"@type": "sc:Sequence", "canvases": canvases}],
    })
    .to_string()
}

fn canvas(id: &str) -> Value {
    let base = format!("https://api.example.org/iiif/2/{id}");
    json!({
        "@type": "sc:Canvas",
        "service": {"@context": "http://www.fromthepage.com/jsonld/context.json", "@id": "https://fromthepage.com/x", "label": "Transcribe"},
        "images": [{"@type": "oa:Annotation", "resource": {
            "@id": format!("{base}/full/full/0/default.jpg"),
            "service": {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": base,
                "profile": "https://iiif.io/api/image/1.1/compliance/#level2",
            },
        }}],
    })
}

fn uuid_of_page(number: u32) -> String {
    name_uuid(&page(number)).to_string()
}

#[tokio::test]
async fn f000_10_manifests_are_resolved_by_the_old_service() {
    let service = OldService::start().await;
    let archive = Archive::new();
    archive.registry().await;
    fs::create_dir_all(archive.path("manifests/more")).unwrap();
    let ids: Vec<String> = (1..=10).map(uuid_of_page).collect();
    archive.write("manifests/book.json", manifest(&ids));
    // The pages of a document are one; and the book again.
    let random = "0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55";
    let again = [
        ids[0].clone(),
        format!("{random};1"),
        format!("{random}%3B2"),
    ];
    archive.write("manifests/more/again.json", manifest(&again));
    archive.write("manifests/settings.json", "{}");
    let arguments = [
        "manifests",
        "manifests",
        "--service",
        &service.url,
        "--base",
        "https://api.example.org/iiif/2/",
    ];
    let dry = archive
        .import(&[&arguments[..], &["--dry-run"]].concat())
        .await;
    assert_eq!(dry.counts(), (Some(0), [11, 0, 0]), "{}", dry.stderr());
    assert_eq!(archive.size().await, 0);
    assert_eq!(service.take_asked().len(), 11);
    let run = archive.import(&arguments).await;
    assert_eq!(run.counts(), (Some(0), [11, 0, 0]), "{}", run.stderr());
    assert_eq!(run.report["manifests"], 2);
    assert_eq!(run.report["other_documents"], 1);
    assert_eq!(run.report["skipped_services"].as_object().unwrap().len(), 1);
    assert_eq!(archive.entry(&ids[3]).await.location, page(4));
    assert_eq!(
        archive.entry(random).await.location,
        "http://a.org/random.tif"
    );
    assert_eq!(service.take_asked().len(), 11);
    let second = archive.import(&arguments).await;
    assert_eq!(second.counts(), (Some(0), [0, 0, 0]));
    assert_eq!(second.report["known"], 11);
    assert_eq!(
        service.take_asked(),
        Vec::<String>::new(),
        "what is known is not asked for"
    );
}

/// Only a page and a scale are cut off, as where images are asked for.
#[tokio::test]
async fn semicolons_may_be_part_of_an_identifier() {
    let service = OldService::start().await;
    let archive = Archive::new();
    let ids = ["map;sheet", "map;sheet;2", "map%3Bsheet%3B2%3B1%3A2"];
    archive.write("map.json", manifest(&ids.map(str::to_owned)));
    let base = "https://api.example.org/iiif/2";
    let arguments = ["manifests", "map.json", "--service", &service.url];
    archive
        .import(&[&arguments[..], &["--base", base]].concat())
        .await;
    assert_eq!(service.take_asked(), ["map;sheet"]);
}

/// Healing can never mis-assign.
#[tokio::test]
async fn what_the_old_service_does_not_know_or_mixes_up_is_a_failure() {
    let service = OldService::start().await;
    let archive = Archive::new();
    let removed = uuid_of_page(2);
    let entry = NewEntry::new(&removed, &page(2), Details::default(), "test").unwrap();
    let registry = archive.registry().await;
    registry.put(&entry, Over::NOTHING).await.unwrap();
    registry.remove(&removed, "test").await.unwrap();
    let ids = [
        uuid_of_page(1),
        removed.clone(),
        uuid_of_page(11),
        "8cabeecc-d4b6-3365-a075-bacc30d082e3".to_owned(),
        "html".to_owned(),
    ];
    archive.write("book.json", manifest(&ids));
    archive.write("broken.json", "{\"@type\":");
    let run = archive
        .import(&[
            "manifests",
            "book.json",
            "broken.json",
            "--service",
            &service.url,
        ])
        .await;
    assert_eq!(run.counts(), (Some(1), [1, 0, 5]), "{}", run.stderr());
    let mut expected: Vec<&str> = ids[1..]
        .iter()
        .map(String::as_str)
        .chain(["broken.json"])
        .collect();
    expected.sort_unstable();
    assert_eq!(run.places(), expected);
    let registry = archive.registry().await;
    for id in &ids[2..] {
        assert_eq!(registry.find(id).await.unwrap(), Answer::Unknown, "{id}");
    }
    assert_eq!(registry.find(&removed).await.unwrap(), Answer::Gone);
    assert!(!service.take_asked().contains(&removed));
}

#[tokio::test]
async fn images_of_other_servers_are_left_to_them() {
    let service = OldService::start().await;
    let archive = Archive::new();
    archive.write("book.json", manifest(&[uuid_of_page(1)]));
    let other = [
        "manifests",
        "book.json",
        "--service",
        &service.url,
        "--base",
        "https://b.org/iiif",
    ];
    let run = archive.import(&other).await;
    assert_eq!(run.counts(), (Some(0), [0, 0, 0]), "{}", run.stderr());
    assert_eq!(run.report["foreign"], json!({"https://api.example.org": 1}));
    assert_eq!(service.take_asked(), Vec::<String>::new());
}
