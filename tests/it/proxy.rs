//! The configuration of nginx that `compose.yaml` uses, with the real nginx and two nodes.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::admin::TOKEN;
use crate::process::{Process, ask};
use crate::redis_server::free_port;
use crate::server::fixtures;

/// nginx; ended when it is dropped.
struct Proxy {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Proxy {
    fn start(nodes: &[Process; 2]) -> Self {
        // Another process may take a free port before nginx does.
        let started = (0..5).find_map(|_| Self::try_to_start(nodes));
        started.expect("nginx starts")
    }

    /// `None`, with its reasons told, if it has ended.
    fn try_to_start(nodes: &[Process; 2]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let written = fixtures("../deploy/nginx.conf");
        let config = adapted(&fs::read_to_string(written).unwrap(), &address, nodes);
        fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let log = folder.path().join("log");
        let child = nginx(folder.path())
            .args(["-g", "daemon off; pid nginx.pid;"])
            .stderr(File::create(&log).unwrap())
            .spawn()
            .expect("nginx; scripts/install-test-tools installs it");
        let mut proxy = Self {
            child,
            address,
            folder,
        };
        let start = Instant::now();
        // It writes its number when it listens.
        while !proxy.folder.path().join("nginx.pid").exists() {
            let log = || fs::read_to_string(&log).unwrap();
            if proxy.child.try_wait().unwrap().is_some() {
                eprintln!("{}", log());
                return None;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{}", log());
            thread::sleep(Duration::from_millis(20));
        }
        Some(proxy)
    }

    fn get(&self, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        ask(&self.address, "GET", path, headers)
    }
}

impl Drop for Proxy {
    /// By the signal that has it end its workers.
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

/// Installed where only administrators look, on Debian.
fn nginx(folder: &Path) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("nginx");
    command
        .env("PATH", format!("{path}:/usr/sbin"))
        .arg("-p")
        .arg(folder)
        .args(["-c", "nginx.conf", "-e", "stderr"])
        .stdin(Stdio::null());
    command
}

/// The addresses of this test in place of those of the containers, and places to write to.
fn adapted(config: &str, address: &str, nodes: &[Process; 2]) -> String {
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};"))
        .join(" ");
    let changes = [
        ("http {", format!("http {{ {places}")),
        ("listen 80;", format!("listen {address};")),
        ("azulejo-1:8182", nodes[0].address().to_owned()),
        ("azulejo-2:8182", nodes[1].address().to_owned()),
    ];
    changes
        .into_iter()
        .fold(config.to_owned(), |config, (from, to)| {
            assert_eq!(config.matches(from).count(), 1, "{from}");
            config.replace(from, &to)
        })
}

fn nodes() -> [Process; 2] {
    [(); 2].map(|()| {
        Process::start(&[
            ("AZULEJO_SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
            ("AZULEJO_ADMIN__TOKEN", TOKEN),
        ])
    })
}

fn id(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap();
    document["id"].as_str().unwrap().to_owned()
}

#[test]
fn two_nodes_behind_nginx() {
    let nodes = nodes();
    let proxy = Proxy::start(&nodes);

    // What the client was asked for is what it is told, whatever it says of itself.
    let forged = "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n\
                  X-Forwarded-Prefix: /evil\r\nX-Forwarded-Port: 1\r\n";
    let (status, head, body) = proxy.get("/iiif/3/chart.png/info.json", forged);
    assert_eq!(status, 200, "{head}");
    let base = format!("http://{}/iiif/3/", proxy.address);
    assert_eq!(id(&body), format!("{base}chart.png"));

    // Slashes of the identifier arrive as they were written: the text of the error names it.
    let (status, _, body) = proxy.get("/iiif/3/a%2Fno%20such.png/info.json", "");
    assert_eq!(status, 404);
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("\"a/no such.png\""), "{text}");
    assert_eq!(proxy.get("/iiif/3/a/no.png/info.json", "").0, 404);

    for path in ["/metrics", "/admin/cache", "/admin/cache/chart.png"] {
        let token = format!("Authorization: Bearer {TOKEN}\r\n");
        let (status, _, body) = proxy.get(path, &token);
        assert_eq!(status, 404, "{path}");
        assert!(String::from_utf8(body).unwrap().contains("nginx"), "{path}");
    }

    // A URL is answered by one node, again and again; different ones by both.
    let paths: Vec<String> = (20..60)
        .map(|width| format!("/iiif/3/chart.png/full/{width},/0/default.jpg"))
        .collect();
    let cache_status = |path: &str, status: &str| {
        let (code, head, _) = proxy.get(path, "");
        assert_eq!(code, 200, "{path}");
        assert!(head.to_lowercase().contains(status), "{head}");
    };
    for path in &paths {
        cache_status(path, "cache-status: azulejo; fwd=miss");
        cache_status(path, "cache-status: azulejo; hit; detail=memory");
    }
    let answers = nodes.each_ref().map(made);
    let headers = answers.len();
    assert_eq!(answers[0] + answers[1], (paths.len() + headers) as u64);
    assert!(answers.iter().all(|count| *count > 1), "{answers:?}");

    // A node that is gone is not missed.
    let [gone, _stays] = nodes;
    gone.stop();
    for path in &paths {
        assert_eq!(proxy.get(path, "").0, 200, "{path}");
    }
}

/// Images that were put into the memory of a node, and the header of theirs.
fn made(node: &Process) -> u64 {
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let (_, _, body) = ask(node.address(), "GET", "/admin/cache", &token);
    let report: Value = serde_json::from_slice(&body).unwrap();
    report["layers"][0]["stored"].as_u64().unwrap()
}
