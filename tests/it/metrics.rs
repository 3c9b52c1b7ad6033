//! `/metrics`, read as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;

use axum::http::Method;
use azulejo::http::metrics::metrics_md;

use crate::admin::{WITH_TOKEN, server};
use crate::process::{Process, ask};
use crate::server::Server;

/// The samples of a page, each under its name and labels as they are written.
#[derive(Debug)]
struct Page {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

impl Page {
    /// OpenMetrics 1.0, as far as it is used: comments, samples, and the end.
    fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end");
        let mut page = Self {
            samples: BTreeMap::new(),
            types: BTreeMap::new(),
        };
        for line in body.lines() {
            match line.strip_prefix("# ") {
                Some(comment) => page.comment(comment),
                None => page.sample(line),
            }
        }
        page
    }

    fn comment(&mut self, comment: &str) {
        let mut words = comment.splitn(3, ' ');
        let [keyword, name, rest] = std::array::from_fn(|_| words.next().expect(comment));
        match keyword {
            "TYPE" => {
                let before = self.types.insert(name.to_owned(), rest.to_owned());
                assert_eq!(before, None, "{name} twice");
            }
            "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{comment}"),
            "HELP" => assert!(!rest.is_empty(), "{comment}"),
            _ => panic!("{comment}"),
        }
    }

    fn sample(&mut self, line: &str) {
        let (key, value) = line.rsplit_once(' ').expect(line);
        let name = key.split('{').next().unwrap();
        let family = ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| {
                let family = name.strip_suffix(suffix)?;
                self.types.contains_key(family).then_some(family)
            });
        let family = family.unwrap_or(name);
        assert!(self.types.contains_key(family), "{line} has no type");
        let value: f64 = value.parse().expect(line);
        let before = self.samples.insert(key.to_owned(), value);
        assert_eq!(before, None, "{key} twice");
    }

    fn get(&self, key: &str) -> f64 {
        let value = self.samples.get(key).copied();
        value.unwrap_or_else(|| panic!("no {key} in {:#?}", self.samples.keys()))
    }

    /// None counted yet.
    fn count(&self, key: &str) -> f64 {
        self.samples.get(key).copied().unwrap_or(0.0)
    }
}

async fn page(server: &Server) -> Page {
    let answer = server.send(Method::GET, "/metrics", &[WITH_TOKEN]).await;
    answer.assert_ok();
    let media_type = answer.header("content-type").unwrap();
    assert!(media_type.starts_with("application/openmetrics-text; version=1.0.0"));
    Page::parse(answer.text())
}

#[tokio::test]
async fn requests_are_counted_by_kind_status_and_strategy() {
    let server = server();
    let before = page(&server).await;
    let image = "/iiif/3/chart.png/full/50,/0/default.jpg";
    let first = server.get(image).await;
    server.get(image).await.assert_ok();
    server.get("/iiif/2/chart.png/info.json").await.assert_ok();
    server.get("/iiif/3/no.png/info.json").await;
    server.get("/elsewhere").await;
    let tag = ("if-none-match", first.header("etag").unwrap());
    server.send(Method::GET, image, &[tag]).await;
    let head = server.send(Method::HEAD, image, &[]).await;
    assert!(head.body.is_empty());
    let after = page(&server).await;
    let added = |key: &str| after.count(key) - before.count(key);
    let requests = |kind: &str, status: u16, strategy: &str| {
        added(&format!(
            "azulejo_requests_total{{kind=\"{kind}\",status=\"{status}\",strategy=\"{strategy}\"}}"
        ))
    };
    assert_eq!(requests("image", 200, "scaled from the full image"), 3.0);
    assert_eq!(requests("image", 304, "scaled from the full image"), 1.0);
    assert_eq!(requests("information", 200, "header"), 1.0);
    assert_eq!(requests("information", 404, "none"), 1.0);
    assert_eq!(requests("other", 404, "none"), 1.0);
    assert_eq!(
        requests("other", 200, "none"),
        1.0,
        "the first of these pages"
    );
    let duration = |end: &str| added(&format!("azulejo_request_duration_seconds{end}"));
    assert_eq!(duration("_count{kind=\"image\"}"), 4.0);
    assert_eq!(duration("_bucket{le=\"+Inf\",kind=\"image\"}"), 4.0);
    assert!(duration("_sum{kind=\"image\"}") > 0.0);
    let bytes = added("azulejo_response_bytes_total{kind=\"image\"}");
    assert_eq!(bytes, 2.0 * first.body.len() as f64, "HEAD sends none");
    assert_eq!(after.get("azulejo_requests_under_way"), 1.0, "this one");
    assert_eq!(added("azulejo_cache_misses_total{layer=\"memory\"}"), 1.0);
    assert_eq!(added("azulejo_cache_hits_total{layer=\"memory\"}"), 2.0);
    assert_eq!(added("azulejo_kept_misses_total{what=\"headers\"}"), 1.0);
}

#[tokio::test]
async fn there_is_what_is_held_and_what_it_takes() {
    let server = server();
    server.get("/iiif/3/chart.png/full/50,/0/default.jpg").await;
    let page = page(&server).await;
    for key in [
        "azulejo_cache_up{layer=\"memory\"}",
        "azulejo_cache_size_bytes{layer=\"memory\"}",
        "azulejo_cache_entries{layer=\"memory\"}",
        "azulejo_kept_size_bytes{what=\"headers\"}",
        "azulejo_work_places{pool=\"make\",lane=\"all\"}",
        "azulejo_work_places{pool=\"make\",lane=\"large\"}",
        "azulejo_work_places{pool=\"read\",lane=\"all\"}",
        "azulejo_work_memory_budget_bytes{pool=\"make\",lane=\"all\"}",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ] {
        assert!(page.get(key) > 0.0, "{key}");
    }
    for key in [
        "azulejo_work_running{pool=\"make\",lane=\"all\"}",
        "azulejo_work_waiting{pool=\"make\",lane=\"all\"}",
        "azulejo_work_memory_reserved_bytes{pool=\"make\",lane=\"large\"}",
        "azulejo_pyramids_built_total",
        "azulejo_connections",
    ] {
        assert_eq!(page.get(key), 0.0, "{key}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let info = format!("azulejo_build_info{{version=\"{version}\"}}");
    assert_eq!(page.get(&info), 1.0);
}

#[tokio::test]
async fn the_manual_names_every_metric_and_no_other() {
    let manual = metrics_md();
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeSet<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let page = page(&server()).await;
    let queried: BTreeSet<String> = page
        .types
        .iter()
        .map(|(family, kind)| match kind.as_str() {
            "counter" => format!("{family}_total"),
            _ => family.clone(),
        })
        .collect();
    let queried: BTreeSet<&str> = queried.iter().map(String::as_str).collect();
    assert_eq!(described, queried);
}

#[test]
fn an_address_of_their_own_asks_for_no_token_and_has_nothing_else() {
    let server = Process::start(&[("AZULEJO_ADMIN__LISTEN", "127.0.0.1:0")]);
    let (status, head, body) = ask(server.metrics_address(), "GET", "/metrics", "");
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("cache-control: no-store"));
    let page = Page::parse(&String::from_utf8(body).unwrap());
    assert_eq!(page.get("azulejo_connections"), 0.0);
    let mut waiting = TcpStream::connect(server.address()).unwrap();
    let request = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
    waiting.write_all(request).unwrap();
    waiting.read_exact(&mut [0; 15]).unwrap();
    let (_, _, body) = ask(server.metrics_address(), "GET", "/metrics", "");
    let page = Page::parse(&String::from_utf8(body).unwrap());
    assert_eq!(page.get("azulejo_connections"), 1.0);
    for path in ["/", "/admin/cache", "/iiif/3/chart.png/info.json"] {
        assert_eq!(
            ask(server.metrics_address(), "GET", path, "").0,
            404,
            "{path}"
        );
    }
    assert_eq!(ask(server.address(), "GET", "/metrics", "").0, 404);
}
