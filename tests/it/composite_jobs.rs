//! Composites from the request to the images, with real servers as processes, which end when they should not.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;

use crate::documents::pdf;
use crate::file_server::{End, FileServer, Manner};
use crate::postgres_server::PostgresServer;
use crate::process::{self, Process};

/// A lease ends, and a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(300);
const SPACE: i64 = 6;
/// A file in the folder of a site.
const SQLITE: &str = "sqlite";

/// A database, a folder and an origin; servers over them come and go.
struct Site {
    folder: TempDir,
    database: String,
    origin: FileServer,
    config: String,
}

impl Site {
    fn new(database: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let origin = FileServer::start(Manner::USUAL);
        fs::create_dir(folder.path().join("images")).unwrap();
        let database = match database {
            SQLITE => format!("sqlite:{}/azulejo.db", folder.path().display()),
            url => url.to_owned(),
        };
        let config = folder.path().join("azulejo.toml");
        let text = configuration(&database, folder.path(), &origin.host());
        fs::write(&config, text).unwrap();
        Self {
            config: config.display().to_string(),
            folder,
            database,
            origin,
        }
    }

    fn start(&self) -> Process {
        Process::configured(&self.config)
    }

    async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.database).await.unwrap()
    }

    fn composite(&self, name: &str, path: &str) -> Value {
        json!({
            "@type": "vocab:Composite",
            "id": format!("{name}-{{:03d}}"),
            "space": SPACE,
            "origin": format!("http://{}{path}", self.origin.host()),
            "string1": format!("{name}-{{:03d}}"),
            "number2": "{:03d}",
            "incrementSeed": 0,
            "originFormat": "application/pdf",
            "compositeId": name,
        })
    }

    fn count(&self, below: &str) -> usize {
        let folder = self.folder.path().join("composites").join(below);
        fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn configuration(database: &str, folder: &Path, origin: &str) -> String {
    let (one, other) = (hash("seven"), hash("eight"));
    let folder = folder.display();
    format!(
        "[registry]\nurl = \"{database}\"\ntimeout_ms = 60000\n\
         [composites]\nfolder = \"{folder}/composites\"\n\
         [composites.origins]\nhosts = [\"{origin}\"]\nprivate_networks = [\"127.0.0.0/8\"]\n\
         [composites.customers.one]\nid = 7\nkey = \"one\"\nsecret_hash = '{one}'\n\
         [composites.customers.other]\nid = 8\nkey = \"other\"\nsecret_hash = '{other}'\n\
         [source]\nroot = \"{folder}/images\"\n\
         [pyramids]\nenabled = false\n"
    )
}

fn hash(secret: &str) -> String {
    let mut hashing = process::command();
    hashing
        .arg("hash-secret")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = hashing.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(secret.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn authorization(customer: i64) -> String {
    let pair = if customer == 7 {
        "one:seven"
    } else {
        "other:eight"
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Authorization: Basic {encoded}\r\n")
}

/// Status and body.
fn ask(node: &Process, customer: i64, path: &str) -> (u16, Value) {
    let headers = authorization(customer);
    let (status, _, body) = process::ask(node.address(), "GET", path, &headers);
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The paths of the members.
fn post(node: &Process, customer: i64, members: &[Value]) -> Vec<String> {
    let collection = json!({
        "@context": "http://www.w3.org/ns/hydra/context.jsonld",
        "@type": "Collection",
        "member": members,
    });
    let path = format!("/customers/{customer}/queue");
    let headers = authorization(customer) + "Content-Type: application/json\r\n";
    let (status, _, body) = process::send(
        node.address(),
        "POST",
        &path,
        &headers,
        &collection.to_string(),
    );
    let text = String::from_utf8_lossy(&body);
    assert_eq!(status, 202, "{text}");
    let accepted: Value = serde_json::from_slice(&body).unwrap();
    let members = accepted["members"].as_array().unwrap().iter();
    members
        .map(|member| path_of(member["id"].as_str().unwrap()))
        .collect()
}

fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest[rest.find('/').unwrap()..].to_owned()
}

fn until(node: &Process, member: &str, wanted: &str) -> Value {
    let start = Instant::now();
    loop {
        let (_, body) = ask(node, 7, member);
        if body["status"] == wanted {
            return body;
        }
        assert!(start.elapsed() < PATIENCE, "{wanted}: {body}");
        sleep(Duration::from_millis(50));
    }
}

async fn rows(connection: &mut AnyConnection, asking: &'static str) -> i64 {
    let row = sqlx::query(asking).fetch_one(connection).await.unwrap();
    row.get(0)
}

/// Puts its document where the origin has it.
fn example(site: &Site) -> Value {
    let document = pdf(&[(72.0, 144.0), (144.0, 72.0), (36.0, 36.0)]);
    site.origin.put("/my-pdf.pdf", &document);
    site.composite("my-pdf", "/my-pdf.pdf")
}

/// What the example comes to, however often it was interrupted.
async fn is_as_it_should_be(site: &Site, node: &Process, member: &Value) {
    assert_eq!(member["image_count"], 3);
    let batches = member["dlcs_uris"].as_array().unwrap();
    let [batch] = &batches[..] else {
        panic!("{batches:?}")
    };
    let (_, batch) = ask(node, 7, &path_of(batch.as_str().unwrap()));
    assert_eq!(
        (&batch["count"], &batch["completed"], &batch["errors"]),
        (&json!(3), &json!(3), &json!(0))
    );
    for (name, width, height) in [("000", 300, 600), ("001", 600, 300), ("002", 150, 150)] {
        let (_, asset) = ask(
            node,
            7,
            &format!("/customers/7/spaces/{SPACE}/images/my-pdf-{name}"),
        );
        assert_eq!(
            (&asset["width"], &asset["height"]),
            (&json!(width), &json!(height))
        );
        assert_eq!(asset["string1"], format!("my-pdf-{name}"));
        let (status, information) = ask(
            node,
            7,
            &format!("/iiif/3/7%2F{SPACE}%2Fmy-pdf-{name}/info.json"),
        );
        assert_eq!(
            (status, &information["width"]),
            (200, &json!(width)),
            "{information}"
        );
    }
    let mut connection = site.connect().await;
    assert_eq!(
        rows(&mut connection, "SELECT COUNT(*) FROM ingest_assets").await,
        3
    );
    assert_eq!(
        rows(&mut connection, "SELECT COUNT(*) FROM ingest_batches").await,
        1
    );
    let open = "SELECT COUNT(*) FROM jobs WHERE finished IS NULL";
    let start = Instant::now();
    while rows(&mut connection, open).await > 0 {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(50));
    }
    assert_eq!(site.count("scratch"), 0);
    assert_eq!(site.count("members"), 1);
    let id = member["id"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(site.count(&format!("members/{id}")), 1, "of one attempt");
}

async fn the_example_becomes_images(database: &str) {
    let site = Site::new(database);
    let node = site.start();
    let members = post(&node, 7, &[example(&site)]);
    let done = until(&node, &members[0], "COMPLETED");
    is_as_it_should_be(&site, &node, &done).await;
}

#[tokio::test]
async fn the_example_of_the_rfc_becomes_images_with_an_sqlite_file() {
    the_example_becomes_images(SQLITE).await;
}

#[tokio::test]
async fn the_example_of_the_rfc_becomes_images_with_postgresql() {
    let server = PostgresServer::start();
    the_example_becomes_images(&server.new_database("example")).await;
}

/// Each state, and the one after it.
const STATES: [(&str, &str); 5] = [
    ("PENDING", "FETCHING_ORIGIN"),
    ("FETCHING_ORIGIN", "RASTERIZING"),
    ("RASTERIZING", "PUSHING_TO_DLCS"),
    ("PUSHING_TO_DLCS", "BUILDING_DLCS_REQUEST"),
    ("BUILDING_DLCS_REQUEST", "COMPLETED"),
];

/// Whoever writes this status does not come to an end, until [`release`].
async fn hold(connection: &mut AnyConnection, status: &str) {
    let statements = match connection.backend_name() {
        "SQLite" => format!(
            "CREATE TABLE slow (n INTEGER);
             INSERT INTO slow WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000) SELECT x FROM c;
             CREATE TRIGGER held BEFORE UPDATE ON ingest_members WHEN NEW.status = '{status}'
             BEGIN SELECT COUNT(*) FROM slow a, slow b, slow c, slow d; END"
        ),
        _ => format!(
            "CREATE FUNCTION held() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$ LANGUAGE plpgsql;
             CREATE TRIGGER held BEFORE UPDATE ON ingest_members FOR EACH ROW WHEN (NEW.status = '{status}') EXECUTE FUNCTION held()"
        ),
    };
    connection.execute(AssertSqlSafe(statements)).await.unwrap();
}

/// What a server of PostgreSQL does when the process that it served is gone, if it notices.
async fn release(connection: &mut AnyConnection) {
    let statements = match connection.backend_name() {
        "SQLite" => "DROP TRIGGER held",
        _ => {
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
             DROP TRIGGER held ON ingest_members"
        }
    };
    connection.execute(statements).await.unwrap();
}

/// Killed in the middle of what brings it from a state to the next, it goes on from there.
async fn a_server_that_is_killed_goes_on(database: String, (state, next): (&str, &str)) {
    let site = Site::new(&database);
    let node = site.start();
    let mut connection = site.connect().await;
    hold(&mut connection, next).await;
    let members = post(&node, 7, &[example(&site)]);
    until(&node, &members[0], state);
    sleep(Duration::from_secs(1));
    until(&node, &members[0], state);
    node.stop();
    release(&mut connection).await;
    let node = site.start();
    let done = until(&node, &members[0], "COMPLETED");
    is_as_it_should_be(&site, &node, &done).await;
}

/// All states at once: most of the time a lease is waited for.
fn in_each_state(database: impl Fn(&str) -> String) {
    let cases = STATES.map(|states| {
        let database = database(states.0);
        spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(a_server_that_is_killed_goes_on(database, states));
        })
    });
    for case in cases {
        case.join().unwrap();
    }
}

#[test]
fn a_server_that_is_killed_in_any_state_goes_on_with_an_sqlite_file() {
    in_each_state(|_| SQLITE.to_owned());
}

#[test]
fn a_server_that_is_killed_in_any_state_goes_on_with_postgresql() {
    let server = PostgresServer::start();
    in_each_state(|state| server.new_database(&state.to_lowercase()));
}

/// In the middle of the document. What had come of it is not there any more.
#[tokio::test]
async fn a_server_that_is_killed_while_it_fetches_fetches_again() {
    let site = Site::new(SQLITE);
    site.origin.then(|reply| reply.cut(100, End::Hang));
    let node = site.start();
    let members = post(&node, 7, &[example(&site)]);
    until(&node, &members[0], "FETCHING_ORIGIN");
    let start = Instant::now();
    while site.origin.requests().is_empty() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20));
    }
    node.stop();
    let node = site.start();
    let done = until(&node, &members[0], "COMPLETED");
    is_as_it_should_be(&site, &node, &done).await;
}

#[tokio::test]
async fn an_origin_that_dies_halfway_is_asked_again() {
    let site = Site::new(SQLITE);
    site.origin.then(|reply| reply.cut(100, End::Close));
    let node = site.start();
    let members = post(&node, 7, &[example(&site)]);
    let done = until(&node, &members[0], "COMPLETED");
    is_as_it_should_be(&site, &node, &done).await;
    assert_eq!(site.origin.requests().len(), 2);
}

#[tokio::test]
async fn fewer_pages_are_gone_and_an_error_is_told() {
    let site = Site::new(SQLITE);
    let node = site.start();
    let first = post(&node, 7, &[example(&site)]);
    until(&node, &first[0], "COMPLETED");
    let composite = example(&site);
    site.origin.put("/my-pdf.pdf", &pdf(&[(72.0, 72.0)]));
    let second = post(&node, 7, &[composite]);
    let done = until(&node, &second[0], "COMPLETED");
    assert_eq!(
        (&done["image_count"], &done["retired_count"]),
        (&json!(1), &json!(2))
    );
    let start = Instant::now();
    let page = |name: &str| format!("/iiif/3/7%2F{SPACE}%2Fmy-pdf-{name}/info.json");
    while ask(&node, 7, &page("002")).0 != 410 {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100));
    }
    let absent = post(&node, 7, &[site.composite("absent", "/absent.pdf")]);
    let start = Instant::now();
    while ask(&node, 7, &absent[0]).0 != 422 {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100));
    }
    let (_, body) = ask(&node, 7, &absent[0]);
    assert_eq!(
        body["error"],
        "the origin cannot be fetched: there is no such file"
    );
}

/// Each does some of it, and nothing is done twice; when one is killed the other does the rest.
#[tokio::test]
async fn two_nodes_share_a_queue() {
    const COUNT: usize = 40;
    let server = PostgresServer::start();
    let site = Site::new(&server.new_database("nodes"));
    let nodes = [site.start(), site.start()];
    example(&site);
    for _ in 0..COUNT {
        site.origin
            .then(|reply| reply.slowly(Duration::from_millis(300)));
    }
    let composites: Vec<Value> = (0..COUNT)
        .map(|number| site.composite(&format!("c{number}"), "/my-pdf.pdf"))
        .collect();
    let members = post(&nodes[0], 7, &composites);
    let mut connection = site.connect().await;
    let start = Instant::now();
    while rows(
        &mut connection,
        "SELECT COUNT(DISTINCT node) FROM jobs WHERE node IS NOT NULL",
    )
    .await
        < 2
    {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(50));
    }
    let [first, second] = nodes;
    first.stop();
    for member in &members {
        until(&second, member, "COMPLETED");
    }
    assert_eq!(
        rows(&mut connection, "SELECT COUNT(*) FROM ingest_assets").await,
        3 * COUNT as i64
    );
    assert_eq!(
        rows(&mut connection, "SELECT COUNT(*) FROM ingest_batches").await,
        COUNT as i64
    );
    assert_eq!(site.count("members"), COUNT);
}

#[tokio::test]
async fn who_has_one_composite_does_not_wait_for_who_has_many() {
    const COUNT: usize = 250;
    let site = Site::new(SQLITE);
    let node = site.start();
    example(&site);
    for _ in 0..COUNT {
        site.origin
            .then(|reply| reply.slowly(Duration::from_millis(200)));
    }
    let composites: Vec<Value> = (0..COUNT)
        .map(|number| site.composite(&format!("c{number}"), "/my-pdf.pdf"))
        .collect();
    let many = post(&node, 7, &composites);
    let one = post(&node, 8, &[site.composite("one", "/my-pdf.pdf")]);
    let start = Instant::now();
    while ask(&node, 8, &one[0]).1["status"] != "COMPLETED" {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20));
    }
    let done = many
        .iter()
        .filter(|member| ask(&node, 7, member).1["status"] == "COMPLETED");
    let done = done.count();
    assert!(done < COUNT / 2, "{done} were done first");
}
