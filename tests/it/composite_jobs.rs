//! Composites from the request to the images, with real servers as processes, which end when they should not.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;

use crate::documents::tiff;
use crate::file_server::{End, FileServer, Manner, Reply};
use crate::postgres_server::PostgresServer;
use crate::process::{Process, command, send};

/// A lease ends, and a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
const SPACE: i64 = 6;

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
        let database = match database {
            "sqlite" => format!("sqlite:{}/azulejo.db", folder.path().display()),
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
    let hash = |secret: &str| {
        let mut hashing = command();
        hashing.arg("hash-secret");
        send(hashing, secret)
    };
    let (one, other) = (hash("seven"), hash("eight"));
    let folder = folder.display();
    format!(
        "[registry]\nurl = \"{database}\"\ntimeout_ms = 5000\n\
         [composites]\nfolder = \"{folder}/composites\"\n\
         [composites.origins]\nhosts = [\"{origin}\"]\nprivate_networks = [\"127.0.0.0/8\"]\n\
         [composites.customers.one]\nid = 7\nkey = \"one\"\nsecret_hash = \"{one}\"\n\
         [composites.customers.other]\nid = 8\nkey = \"other\"\nsecret_hash = \"{other}\"\n\
         [pyramids]\nenabled = false\n\
         [sources.files.none]\nroot = \"{folder}\"\n\
         [[routes]]\npattern = \"nothing\"\nsource = \"none\"\n"
    )
}

fn authorization(customer: i64) -> String {
    let pair = if customer == 7 { "one:seven" } else { "other:eight" };
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Authorization: Basic {encoded}\r\n")
}

/// Status and body.
fn ask(node: &Process, customer: i64, path: &str) -> (u16, Value) {
    let (status, _, body) = crate::process::ask(node.address(), "GET", path, &authorization(customer));
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The paths of the members.
fn post(node: &Process, customer: i64, members: &[Value]) -> Vec<String> {
    let collection = json!({
        "@context": "http://www.w3.org/ns/hydra/context.json",
        "@type": "Collection",
        "member": members,
    });
    let path = format!("/customers/{customer}/queue");
    let (status, body) = crate::process::post(node.address(), &path, &authorization(customer), &collection.to_string());
    let text = String::from_utf8_lossy(&body);
    assert_eq!(status, 202, "{text}");
    let accepted: Value = serde_json::from_slice(&body).unwrap();
    let members = accepted["members"].as_array().unwrap().iter();
    members.map(|member| path_of(member["id"].as_str().unwrap())).collect()
}

fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest[rest.find('/').unwrap()..].to_owned()
}

fn status(node: &Process, member: &str) -> String {
    let (_, body) = ask(node, 7, member);
    body["status"].as_str().unwrap_or_default().to_owned()
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
