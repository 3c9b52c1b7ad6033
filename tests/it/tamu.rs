//! F000-2: what made the images of TAMU's IIIF service unfindable must not happen again.
//!
//! There, the map from identifiers to URLs was in a Redis that forgot. Here, the manifests are imported once; then everything
//! that may be lost is lost, and every URL of every manifest still answers.

use std::collections::HashMap;
use std::fs;
use std::process::Output;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;

use azulejo::registry::name_uuid;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::folder_server::FolderServer;
use crate::process::{Process, command};
use crate::redis_server::RedisServer;
use crate::server::fixtures;

/// The address under which the images were published.
const PUBLISHED: &str = "https://iiif.example.edu/iiif/2";
const IMAGES: [(&str, u32, u32); 4] = [
    ("sample-azulejo.tif", 2400, 1800),
    ("sample-azulejo.jp2", 2400, 1800),
    ("chart.png", 301, 211),
    ("jpeg-420.jpg", 301, 211),
];

/// Files, services and settings of the whole story.
struct Story {
    folder: TempDir,
    redis: RedisServer,
    origin: FolderServer,
}

impl Story {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cache", "manifests", "data"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let story = Self {
            folder,
            redis: RedisServer::start(),
            origin: FolderServer::over(fixtures("images")).await,
        };
        story.write_configuration();
        story.write_manifests();
        story
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Where an image of the repository is, and the identifier that the old service made of it.
    fn source(&self, name: &str) -> (String, String) {
        let url = format!("{}{name}", self.origin.url());
        let identifier = name_uuid(&url).to_string();
        (url, identifier)
    }

    fn write_configuration(&self) {
        let host = self.origin.url();
        let host = host.trim_start_matches("http://").trim_end_matches('/');
        let text = format!(
            "[registry]\nurl = 'sqlite:{}'\n\
             [sources.http.repository]\nhosts = ['{host}']\nprivate_networks = ['127.0.0.0/8']\n\
             [cache.disk]\ndirectory = '{}'\n[cache.redis]\nurl = '{}'\n\
             [pyramids]\nenabled = false\n[[routes]]\nsource = 'registry'\n",
            self.path("data/azulejo.db"),
            self.path("cache"),
            self.redis.url(),
        );
        fs::write(self.path("azulejo.toml"), text).unwrap();
    }

    /// Two manifests; in the first one, everything is in a service block of its own kind, as FromThePage writes them.
    fn write_manifests(&self) {
        for (name, images) in [("book", &IMAGES[..2]), ("letters", &IMAGES[2..])] {
            let manifest = self.manifest(name, images);
            let path = self.path(&format!("manifests/{name}.json"));
            fs::write(path, format!("{manifest:#}")).unwrap();
        }
    }

    fn manifest(&self, name: &str, images: &[(&str, u32, u32)]) -> Value {
        let id = format!("https://iiif.example.edu/fedora/presentation/{name}");
        let canvases: Vec<Value> = images
            .iter()
            .map(|image| self.canvas(name, image))
            .collect();
        json!({
            "@context": "http://iiif.io/api/presentation/2/context.json",
            "@id": id,
            "@type": "sc:Manifest",
            "label": "A \"book\" \\ of letters",
            "service": {
                "@context": "http://www.fromthepage.org/jsonld/1/context.json",
                "@id": "https://fromthepage.example.org/iiif/1/status",
                "pctComplete": 50.0,
            },
            "sequences": [{ "@type": "sc:Sequence", "canvases": canvases }],
        })
    }

    fn canvas(&self, manifest: &str, (name, width, height): &(&str, u32, u32)) -> Value {
        let (_, identifier) = self.source(name);
        let service = format!("{PUBLISHED}/{identifier}");
        let canvas = format!("https://iiif.example.edu/fedora/canvas/{manifest}/{name}");
        json!({
            "@id": canvas,
            "@type": "sc:Canvas",
            "label": name,
            "width": width,
            "height": height,
            "thumbnail": { "@id": format!("{service}/full/!100,100/0/default.jpg"), "service": {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": service,
                "profile": "https://iiif.io/api/image/1.1/compliance/#level2",
            }},
            "images": [{
                "@id": format!("{service}/info.json"),
                "@type": "oa:Annotation",
                "motivation": "sc:painting",
                "on": canvas,
                "resource": {
                    "@id": format!("{service}/full/full/0/default.jpg"),
                    "@type": "dctypes:Image",
                    "format": "image/png; charset=utf-8",
                    "width": width,
                    "height": height,
                    "service": {
                        "@context": "http://iiif.io/api/image/2/context.json",
                        "@id": service,
                        "profile": "http://iiif.io/api/image/2/level0.json",
                    },
                },
            }],
        })
    }

    fn import(&self, service: &str) -> Output {
        command()
            .args(["import", "manifests", &self.path("manifests")])
            .args(["--config", &self.path("azulejo.toml")])
            .args(["--service", service, "--base", PUBLISHED])
            .output()
            .unwrap()
    }

    fn serve(&self) -> Process {
        Process::configured(&self.path("azulejo.toml"))
    }
}

/// The service that is to be stopped: it tells what its identifiers stand for.
struct OldService {
    url: String,
    serving: JoinHandle<()>,
}

impl OldService {
    async fn start(sources: &[(String, String)]) -> Self {
        let known: HashMap<String, String> = sources
            .iter()
            .map(|(url, identifier)| (identifier.clone(), url.clone()))
            .collect();
        let answer = async move |Path(identifier): Path<String>| {
            let url = known.get(&identifier).cloned();
            url.ok_or(StatusCode::NOT_FOUND)
        };
        let router = Router::new().route("/resources/{id}", get(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            serving: tokio::spawn(async { axum::serve(listener, router).await.unwrap() }),
        }
    }
}

/// Asks for every image URL of every manifest, as a viewer does.
async fn every_url_answers(server: &Process, manifests: &std::path::Path) -> usize {
    azulejo::tls::choose();
    let client = Client::builder().no_proxy().build().unwrap();
    let mut asked = 0;
    for entry in fs::read_dir(manifests).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        for canvas in manifest["sequences"][0]["canvases"].as_array().unwrap() {
            let resource = &canvas["images"][0]["resource"];
            let size = (&canvas["width"], &canvas["height"]);
            let local = |url: &Value| {
                let path = url.as_str().unwrap().strip_prefix(PUBLISHED).unwrap();
                format!("http://{}/iiif/2{path}", server.address())
            };
            let information = local(&resource["service"]["@id"]) + "/info.json";
            let information = client.get(&information).send().await.unwrap();
            assert_eq!(information.status(), 200, "{resource}");
            let information: Value =
                serde_json::from_slice(&information.bytes().await.unwrap()).unwrap();
            assert_eq!((&information["width"], &information["height"]), size);
            for url in [&resource["@id"], &canvas["thumbnail"]["@id"]] {
                let image = client.get(local(url)).send().await.unwrap();
                assert_eq!(image.status(), 200, "{url}");
                assert_eq!(image.headers()["content-type"], "image/jpeg");
                assert!(!image.bytes().await.unwrap().is_empty());
                asked += 1;
            }
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn f000_2_whatever_is_lost_every_published_url_still_answers() {
    let story = Story::begin().await;
    let sources = IMAGES.map(|(name, ..)| story.source(name));
    let service = OldService::start(&sources).await;
    let imported = story.import(&service.url);
    assert!(imported.status.success(), "{imported:?}");
    let again = story.import(&service.url);
    assert!(again.status.success(), "it changes nothing: {again:?}");

    let manifests = story.folder.path().join("manifests");
    let server = story.serve();
    assert_eq!(every_url_answers(&server, &manifests).await, 8);
    server.stop();

    assert_eq!(story.redis.cli(&["FLUSHALL"]), "OK");
    fs::remove_dir_all(story.folder.path().join("cache")).unwrap();
    service.serving.abort();

    let server = story.serve();
    assert_eq!(every_url_answers(&server, &manifests).await, 8);
    server.stop();
}
