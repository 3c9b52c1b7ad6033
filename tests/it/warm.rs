//! `azulejo warm`, run as a process against a server that writes down what it is asked for.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use azulejo::config::Config;
use azulejo::http::{App, router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::server::fixtures;

/// Where the fixtures say that they are published.
const PUBLISHED: &str = "https://published.example.org=";

/// A server on a port of its own, with a folder for images, and one that the files of a run are in.
struct Live {
    folder: TempDir,
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Live {
    /// With these images of the fixtures.
    async fn with(images: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        for image in images {
            fs::copy(
                fixtures("images").join(image),
                folder.path().join("images").join(image),
            )
            .unwrap();
        }
        let mut config = Config::default();
        config.source.root = folder.path().join("images");
        config.pyramids.enabled = false;
        Self::serving(folder, router(App::new(&config).unwrap())).await
    }

    /// Documents in `published` are found at `/published/`; everything else is asked of the service.
    async fn serving(folder: TempDir, service: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        let published = folder.path().join("published");
        fs::create_dir(&published).unwrap();
        let listening = Router::new().fallback(move |request: Request| {
            let path = request.uri().to_string();
            list.lock().unwrap().push(path.clone());
            let document = path
                .strip_prefix("/published/")
                .map(|name| fs::read(published.join(name)));
            async move {
                match document {
                    Some(document) => document.map_err(|_| StatusCode::NOT_FOUND).into_response(),
                    None => service.oneshot(request).await.into_response(),
                }
            }
        });
        let server = tokio::spawn(async { axum::serve(listener, listening).await.unwrap() });
        Self {
            folder,
            base,
            asked,
            server,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An image that is broken; its name.
    fn add_broken(&self) -> &'static str {
        let name = "png-flipped-byte.png";
        fs::copy(
            fixtures("corrupt").join(name),
            self.path("images").join(name),
        )
        .unwrap();
        name
    }

    fn publish(&self, name: &str, document: &Value) {
        fs::write(self.path("published").join(name), document.to_string()).unwrap();
    }

    /// Runs the command, with its report in `report.json`.
    async fn warm(&self, arguments: &[&str], lines: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azulejo"));
        command.arg("warm").args(arguments);
        command.args(["--server", &self.base, "--report", "report.json"]);
        // Neither a proxy nor the configuration of the one who runs the tests.
        command.env_clear().current_dir(self.folder.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let lines = lines.to_owned();
        let run = move || {
            let mut child = command.spawn().unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(lines.as_bytes())
                .unwrap();
            child.wait_with_output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        Run {
            output,
            asked,
            report: read_json(&self.path("report.json")),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What came of a run.
struct Run {
    output: Output,
    /// Sorted.
    asked: Vec<String>,
    report: Value,
}

impl Run {
    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn assert_code(&self, code: i32) {
        assert_eq!(self.code(), Some(code), "{}", self.stderr());
    }

    /// URLs with the status that was their failure.
    fn failures(&self, base: &str) -> BTreeSet<(String, Option<u64>)> {
        let failures = self.report["failures"].as_array().unwrap().iter();
        let short = |failure: &Value| failure["url"].as_str().unwrap().replace(base, "");
        failures
            .map(|failure| (short(failure), failure["status"].as_u64()))
            .collect()
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// What a run with `--size !100,100` asks for of an image that is one tile.
fn small_image(base: &str) -> [String; 3] {
    let whole = if base.contains("/3/") { "max" } else { "full" };
    [
        format!("{base}/full/!100,100/0/default.jpg"),
        format!("{base}/full/{whole}/0/default.jpg"),
        format!("{base}/info.json"),
    ]
}

#[tokio::test]
async fn manifests_of_a_folder() {
    let images = ["chart.png", "jpeg-420.jpg", "jpeg-422.jpg", "jpeg-444.jpg"];
    let live = Live::with(&images).await;
    fs::create_dir_all(live.path("manifests/deeper")).unwrap();
    for (name, place) in [("manifest-2.json", ""), ("manifest-3.json", "deeper")] {
        let place = live.path("manifests").join(place).join(name);
        fs::copy(fixtures("presentation").join(name), place).unwrap();
    }
    fs::write(
        live.path("manifests/list.json"),
        "{\"@type\": \"sc:AnnotationList\"}",
    )
    .unwrap();

    let arguments = ["manifests", "--rewrite", PUBLISHED, "--size", "!100,100"];
    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    let mut expected = vec![
        "/iiif/2/chart.png/full/90,/0/default.jpg".to_owned(),
        "/iiif/3/chart.png/full/80,56/0/default.jpg".to_owned(),
    ];
    for image in [
        "/iiif/2/chart.png",
        "/iiif/2/jpeg-420.jpg",
        "/iiif/2/jpeg-444.jpg",
        "/iiif/3/chart.png",
        "/iiif/3/jpeg-420.jpg",
        "/iiif/3/jpeg-422.jpg",
    ] {
        expected.extend(small_image(image));
    }
    assert_eq!(run.asked, sorted(expected));

    let report = &run.report;
    assert_eq!(report["server"], live.base);
    assert_eq!(
        report["documents"],
        json!({"manifests": 2, "collections": 0, "others": 1})
    );
    assert_eq!(report["images"], 6);
    // A thumbnail of a manifest is one of the sizes that were wanted, too; it is asked for once.
    let requests = &report["requests"];
    assert_eq!(requests["information"], 6);
    assert_eq!(requests["tiles"], 6);
    let thumbnails = requests["thumbnails"].as_u64().unwrap();
    assert_eq!(requests["sizes"].as_u64().unwrap() + thumbnails, 8);
    assert!(report["bytes"].as_u64().unwrap() > 10_000);
    assert_eq!(
        report["foreign"],
        json!({"https://elsewhere.example.net": 1})
    );
    let services = json!({
        "AuthCookieService1": 2, "SearchService2": 1,
        "http://geojson.org/geojson-ld/geojson-context.jsonld": 1,
        "http://iiif.io/api/auth/1/login": 1,
        "http://iiif.io/api/search/1/autocomplete": 1,
        "http://iiif.io/api/search/1/search": 1,
        "https://transcribe.example.org/structure/1/context.json": 1,
    });
    assert_eq!(report["skipped_services"], services);
    assert_eq!(report["failures"], json!([]));
}

#[tokio::test]
async fn without_a_rule_published_images_are_foreign() {
    let live = Live::with(&["chart.png"]).await;
    let manifest = fixtures("presentation/manifest-3.json");
    let run = live.warm(&[manifest.to_str().unwrap()], "").await;
    run.assert_code(0);
    assert_eq!(run.asked, [""; 0]);
    // Four images and a thumbnail.
    assert_eq!(
        run.report["foreign"],
        json!({"https://published.example.org": 5})
    );
    assert_eq!(run.report["images"], 0);
}

#[tokio::test]
async fn identifiers_and_urls_and_lines() {
    let live = Live::with(&["chart.png", "jpeg-420.jpg", "jpeg-422.jpg"]).await;
    let url = format!("{}/iiif/3/jpeg-422.jpg/info.json", live.base);
    let lines = format!("jpeg-420.jpg\n\n{}/iiif/3/chart.png\n", live.base);
    let arguments = ["chart.png", &url, "-", "--api", "2", "--size", "!100,100"];
    let run = live.warm(&arguments, &lines).await;
    run.assert_code(0);
    let images = [
        "/iiif/2/chart.png",
        "/iiif/2/jpeg-420.jpg",
        "/iiif/3/chart.png",
        "/iiif/3/jpeg-422.jpg",
    ];
    let expected: Vec<_> = images.into_iter().flat_map(small_image).collect();
    assert_eq!(run.asked, sorted(expected));
}

#[tokio::test]
async fn collections_are_followed_once_around() {
    let live = Live::with(&["chart.png", "jpeg-420.jpg"]).await;
    let at = |path: &str| format!("{}{path}", live.base);
    let service = |image: &str| json!([{"id": at(image), "type": "ImageService3"}]);
    let collection = json!({"type": "Collection", "items": [
        {"id": at("/published/inner"), "type": "Collection"},
        {"id": at("/published/manifest"), "type": "Manifest"},
    ]});
    let inner = json!({"@type": "sc:Collection",
        "collections": [{"@id": at("/published/outer"), "@type": "sc:Collection"}],
        "manifests": [{"@id": at("/published/manifest")}, {"@id": at("/published/lost")}]});
    let manifest = json!({"type": "Manifest", "items": [{"type": "Canvas",
        "items": [{"items": [{"body": {"service": service("/iiif/3/chart.png")}}]}]}]});
    live.publish("outer", &collection);
    live.publish("inner", &inner);
    live.publish("manifest", &manifest);

    let run = live
        .warm(&[&at("/published/outer#top"), "--size", "!100,100"], "")
        .await;
    let mut expected = small_image("/iiif/3/chart.png").to_vec();
    let documents = ["inner", "lost", "manifest", "outer"];
    expected.extend(documents.map(|name| format!("/published/{name}")));
    assert_eq!(run.asked, sorted(expected));
    assert_eq!(
        run.report["documents"],
        json!({"manifests": 1, "collections": 2, "others": 0})
    );
    run.assert_code(1);
    let lost = ("/published/lost".to_owned(), Some(404));
    assert_eq!(run.failures(&live.base), BTreeSet::from([lost]));
}

/// Each collection leads to another, for ever.
#[tokio::test]
async fn a_chain_of_collections_ends() {
    let folder = tempfile::tempdir().unwrap();
    let service = Router::new().fallback(|request: Request| async move {
        let next = format!(
            "http://{}{}x",
            request.headers()["host"].to_str().unwrap(),
            request.uri()
        );
        json!({"type": "Collection", "items": [{"id": next, "type": "Collection"}]}).to_string()
    });
    let live = Live::serving(folder, service).await;
    let run = live.warm(&[&format!("{}/c", live.base)], "").await;
    run.assert_code(1);
    assert_eq!(run.asked.len(), 17);
    assert!(
        run.stderr()
            .contains("not followed: it is nested too deeply"),
        "{}",
        run.stderr()
    );
}

#[tokio::test]
async fn one_broken_image_fails_the_run_and_hinders_no_other() {
    let live = Live::with(&["chart.png"]).await;
    let broken = live.add_broken();
    let arguments = [
        broken,
        "chart.png",
        "missing",
        "--size",
        "!100,100",
        "--concurrency",
        "1",
    ];
    let run = live.warm(&arguments, "").await;
    run.assert_code(1);
    for url in small_image("/iiif/3/chart.png") {
        assert!(run.asked.contains(&url), "{url}");
    }
    let failure = |url: &str, status| (url.to_owned(), Some(status));
    let expected = [
        failure("/iiif/3/missing/info.json", 404),
        failure(
            "/iiif/3/png-flipped-byte.png/full/!100,100/0/default.jpg",
            500,
        ),
        failure("/iiif/3/png-flipped-byte.png/full/max/0/default.jpg", 500),
    ];
    assert_eq!(run.failures(&live.base), BTreeSet::from(expected));
    assert!(run.stderr().contains("3 failed:\n"), "{}", run.stderr());
}

#[tokio::test]
async fn files_that_are_no_json_fail_the_run() {
    let live = Live::with(&[]).await;
    fs::write(live.path("broken.json"), "{\"type\": \"Manifest\"").unwrap();
    let run = live.warm(&["broken.json", "gone.json"], "").await;
    run.assert_code(1);
    let expected = [
        ("broken.json".to_owned(), None),
        ("/iiif/3/gone.json/info.json".to_owned(), Some(404)),
    ];
    assert_eq!(run.failures(&live.base), BTreeSet::from(expected));
}

#[tokio::test]
async fn a_dry_run_asks_for_nothing() {
    let live = Live::with(&["chart.png"]).await;
    let manifest = fixtures("presentation/manifest-3.json");
    let arguments = [
        manifest.to_str().unwrap(),
        "chart.png",
        "--rewrite",
        PUBLISHED,
        "--size",
        "!100,100",
        "--dry-run",
        "--state",
        "state",
    ];
    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    assert_eq!(run.asked, [""; 0]);
    let text = String::from_utf8(run.output.stdout).unwrap();
    let urls = sorted(
        text.lines()
            .map(|url| url.replace(&live.base, ""))
            .collect(),
    );
    let expected = [
        "/iiif/2/jpeg-444.jpg/full/!100,100/0/default.jpg",
        "/iiif/2/jpeg-444.jpg/info.json",
        "/iiif/3/chart.png/full/!100,100/0/default.jpg",
        "/iiif/3/chart.png/full/80,56/0/default.jpg",
        "/iiif/3/chart.png/info.json",
        "/iiif/3/jpeg-420.jpg/full/!100,100/0/default.jpg",
        "/iiif/3/jpeg-420.jpg/info.json",
        "/iiif/3/jpeg-422.jpg/full/!100,100/0/default.jpg",
        "/iiif/3/jpeg-422.jpg/info.json",
    ];
    assert_eq!(urls, expected);
    assert!(!live.path("state").exists());
}

#[tokio::test]
async fn a_second_run_does_what_the_first_has_not_done() {
    let live = Live::with(&["chart.png"]).await;
    let broken = live.add_broken();
    let arguments = [
        broken,
        "chart.png",
        "--size",
        "!100,100",
        "--state",
        "state",
    ];
    live.warm(&arguments, "").await.assert_code(1);

    // Mended, it is asked for again; the other image is not.
    fs::copy(
        fixtures("images/chart.png"),
        live.path("images").join(broken),
    )
    .unwrap();
    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    assert_eq!(run.asked, small_image("/iiif/3/png-flipped-byte.png"));
    assert_eq!(run.report["finished_before"], 1);

    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    assert_eq!(run.asked, [""; 0]);
    assert_eq!(run.report["finished_before"], 2);

    // As if the run had been killed while it wrote the last line.
    let state = fs::read_to_string(live.path("state")).unwrap();
    let torn = state.trim_end().len() - 3;
    fs::write(live.path("state"), &state[..torn]).unwrap();
    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    assert_eq!(run.asked, ["/iiif/3/png-flipped-byte.png/info.json"]);

    let run = live
        .warm(&["chart.png", "--levels", "4", "--state", "state"], "")
        .await;
    run.assert_code(1);
    assert!(
        run.stderr()
            .contains("is not the state of a run with these sizes"),
        "{}",
        run.stderr()
    );
}

/// A server that refuses so many requests before it answers.
async fn busy(refusals: usize) -> Live {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.pyramids.enabled = false;
    let service = router(App::new(&config).unwrap());
    let left = Arc::new(Mutex::new(refusals));
    let service = Router::new().fallback(move |request: Request| {
        let is_busy = {
            let mut left = left.lock().unwrap();
            let is_busy = *left > 0;
            *left = left.saturating_sub(1);
            is_busy
        };
        async move {
            if is_busy {
                let headers = [("retry-after", "0")];
                return (StatusCode::SERVICE_UNAVAILABLE, headers).into_response();
            }
            let response: Response = service.oneshot(request).await.into_response();
            response
        }
    });
    Live::serving(folder, service).await
}

#[tokio::test]
async fn a_busy_server_is_asked_again_but_not_for_ever() {
    let live = busy(4).await;
    let run = live.warm(&["chart.png", "--size", "!100,100"], "").await;
    run.assert_code(0);
    assert_eq!(run.asked.len(), 3 + 4);

    let live = busy(usize::MAX).await;
    let run = live.warm(&["chart.png"], "").await;
    run.assert_code(1);
    assert_eq!(run.asked, ["/iiif/3/chart.png/info.json"; 5]);
    let refused = ("/iiif/3/chart.png/info.json".to_owned(), Some(503));
    assert_eq!(run.failures(&live.base), BTreeSet::from([refused]));
}

/// What a viewer is shown first has not to be made any more.
#[tokio::test]
async fn a_thumbnail_that_was_warmed_is_a_hit() {
    let live = Live::with(&["chart.png"]).await;
    let thumbnail = format!("{}/iiif/3/chart.png/full/80,56/0/default.jpg", live.base);
    let manifest = json!({"type": "Manifest", "thumbnail": [{"id": thumbnail, "type": "Image"}]});
    live.publish("manifest", &manifest);
    let arguments = [&*format!("{}/published/manifest", live.base)];
    let run = live.warm(&arguments, "").await;
    run.assert_code(0);
    assert_eq!(run.report["cached"], 0);
    let viewer = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = viewer.get(&thumbnail).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let status = answer.headers()["cache-status"].to_str().unwrap();
    assert_eq!(status, "azulejo; hit; detail=memory");
    let run = live.warm(&arguments, "").await;
    assert_eq!(run.report["requests"]["thumbnails"], 1);
    assert_eq!(run.report["cached"], 1);
    let told = String::from_utf8_lossy(&run.output.stdout);
    assert!(told.contains("1 cached already"), "{told}");
}

#[tokio::test]
async fn an_image_of_countless_tiles_ends() {
    let folder = tempfile::tempdir().unwrap();
    let service = Router::new().fallback(|request: Request| async move {
        let document = json!({
            "@context": "http://iiif.io/api/image/3/context.json",
            "width": 4_000_000_000_u32, "height": 4_000_000_000_u32,
            "tiles": [{"width": 1, "scaleFactors": [1, 2_000_000_000_u32]}],
        });
        match request.uri().path().ends_with("/info.json") {
            true => document.to_string(),
            false => "an image".to_owned(),
        }
    });
    let live = Live::serving(folder, service).await;
    let run = live.warm(&["a", "--state", "state"], "").await;
    run.assert_code(1);
    assert_eq!(run.asked.len(), 1 + 4);
    let failure = &run.report["failures"][0]["error"];
    assert_eq!(failure, "1 levels are left out: they have too many tiles");
    let run = live.warm(&["a", "--state", "state"], "").await;
    assert_eq!(run.asked, ["/iiif/3/a/info.json"], "it is not finished");
}

/// A server that redirects documents and everything else to another one.
#[tokio::test]
async fn only_documents_may_be_on_another_server() {
    let there = Live::with(&["chart.png"]).await;
    there.publish("manifest", &json!({"type": "Manifest"}));
    let base = there.base.clone();
    let service = Router::new().fallback(move |request: Request| {
        let to = request.uri().path().replace("/moved/", "/published/");
        let to = format!("{base}{to}");
        async move { (StatusCode::FOUND, [("location", to)]).into_response() }
    });
    let live = Live::serving(tempfile::tempdir().unwrap(), service).await;
    let manifest = format!("{}/moved/manifest", live.base);
    let run = live.warm(&[&manifest, "chart.png"], "").await;
    run.assert_code(1);
    assert_eq!(run.report["documents"]["manifests"], 1);
    assert_eq!(*there.asked.lock().unwrap(), ["/published/manifest"]);
    let failure = &run.report["failures"][0]["error"];
    let text = failure.as_str().unwrap();
    assert!(text.contains("it leads to another server"), "{text}");
}

/// Within the server that is warmed, redirects are followed.
#[tokio::test]
async fn an_image_may_have_moved_on_its_server() {
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.pyramids.enabled = false;
    let images = router(App::new(&config).unwrap());
    let service = Router::new().fallback(move |request: Request| {
        let path = request.uri().path();
        let moved = path
            .contains("old.png")
            .then(|| path.replace("old.png", "chart.png"));
        async move {
            match moved {
                Some(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
                None => images.oneshot(request).await.into_response(),
            }
        }
    });
    let live = Live::serving(tempfile::tempdir().unwrap(), service).await;
    live.warm(&["old.png"], "").await.assert_code(0);
}

/// As in a bare container.
#[tokio::test]
async fn a_server_without_tls_needs_no_certificates() {
    let live = Live::with(&["chart.png"]).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_azulejo"));
    command.args(["warm", "chart.png", "--server", &live.base]);
    command.env_clear();
    command.envs([("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")]);
    let run = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn nobody_there_is_a_failure() {
    let live = Live::with(&[]).await;
    live.server.abort();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut live = live;
    live.base = nobody;
    let run = live.warm(&["chart.png"], "").await;
    run.assert_code(1);
    let unanswered = ("/iiif/3/chart.png/info.json".to_owned(), None);
    assert_eq!(run.failures(&live.base), BTreeSet::from([unanswered]));
}

#[tokio::test]
async fn what_is_written_wrongly_is_told_before_anything_is_asked() {
    let live = Live::with(&[]).await;
    for wrong in [
        &["--size", "large"][..],
        &["--rewrite", "https://a.org"],
        &["--rewrite", "https://a.org=https://b.org"],
        &["--api", "4"],
        &["--concurrency", "0"],
        &["--rate", "0"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azulejo"));
        let command = command
            .args(["warm", "x", "--server", &live.base])
            .args(wrong);
        let output = command.env_clear().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(*live.asked.lock().unwrap(), [""; 0]);
}
