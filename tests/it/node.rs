//! Servers as processes of their own, over the fixtures, which share a layer of the cache.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, Response};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::redis_server::free_port;
use crate::server::fixtures;

const TOKEN: &str = "a-secret-for-this-test-of-many-characters";
const IMAGE: &str = "sample-azulejo.tif";
/// Far more than the time limits of the cache, far less than what a server that hangs takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time that a layer is left alone, and some.
const RECOVERY: Duration = Duration::from_secs(30);
const FAULT: Duration = Duration::from_secs(2);

/// A variable of the environment.
pub type Setting<'a> = (&'a str, &'a str);

pub const NO_MEMORY: Setting = ("AZULEJO_CACHE__MEMORY__ENABLED", "false");

/// An Azulejo over the fixtures.
pub struct Node {
    process: Child,
    base: String,
    client: Client,
}

impl Node {
    pub async fn start(settings: &[Setting<'_>]) -> Self {
        // A chosen cryptography, as with TLS; the client wants one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = format!("127.0.0.1:{}", free_port());
        let process = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                env!("CARGO_BIN_EXE_azulejo"),
                "serve",
            ])
            .arg(fixtures("images"))
            .args(["--listen", &address])
            .env_clear()
            .env("AZULEJO_PYRAMIDS__ENABLED", "false")
            .env("AZULEJO_ADMIN__TOKEN", TOKEN)
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let node = Self {
            process,
            base: format!("http://{address}"),
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
        };
        let start = Instant::now();
        while node.client.get(&node.base).send().await.is_err() {
            assert!(start.elapsed() < RECOVERY, "the server does not start");
            sleep(Duration::from_millis(20)).await;
        }
        node
    }

    pub fn url(&self, width: usize) -> String {
        format!("{}/iiif/3/{IMAGE}/full/{width},/0/default.jpg", self.base)
    }

    pub async fn get(&self, width: usize) -> Response {
        let response = self.client.get(self.url(width)).send().await.unwrap();
        response.error_for_status().unwrap()
    }

    /// What the answer says of the cache.
    pub async fn status(&self, width: usize) -> String {
        let response = self.get(width).await;
        response.headers()["cache-status"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    pub async fn eventually(&self, width: usize, status: &str) {
        let start = Instant::now();
        loop {
            let now = self.status(width).await;
            if now == status {
                return;
            }
            assert!(start.elapsed() < RECOVERY, "{now} instead of {status}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Entries that this node has put into a layer.
    pub async fn stored(&self, layer: &str) -> usize {
        let asked = self.admin(Method::GET, "/metrics").await;
        let text = asked.text().await.unwrap();
        let name = format!("azulejo_cache_stored_total{{layer=\"{layer}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.expect("it is counted").parse().unwrap()
    }

    pub async fn has_stored(&self, layer: &str) {
        let start = Instant::now();
        while self.stored(layer).await == 0 {
            assert!(start.elapsed() < RECOVERY, "nothing is stored");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Has the image forgotten by all layers.
    pub async fn purge(&self) {
        let path = format!("/admin/cache/{IMAGE}");
        self.admin(Method::DELETE, &path).await;
    }

    /// What those with the token are told.
    pub async fn admin(&self, method: Method, path: &str) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let response = request.bearer_auth(TOKEN).send().await.unwrap();
        response.error_for_status().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks both servers without pause for images that exist.
struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
}

impl Load {
    fn on(nodes: &[Node]) -> Self {
        let mut load = Self {
            clients: JoinSet::new(),
            stop: Arc::default(),
            answers: Arc::default(),
        };
        for (number, node) in nodes.iter().cycle().take(2 * nodes.len()).enumerate() {
            let urls: Vec<_> = (20..40).map(|width| node.url(width)).collect();
            let (client, stop) = (node.client.clone(), Arc::clone(&load.stop));
            let answers = Arc::clone(&load.answers);
            load.clients.spawn(async move {
                let mut bodies = HashMap::new();
                for url in urls.iter().cycle().skip(5 * number) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let answer = client.get(url).send().await;
                    let answer = answer.expect("an answer in time");
                    assert_eq!(answer.status(), 200, "{url}");
                    let body = answer.bytes().await.expect("whole");
                    let first = bodies.entry(url).or_insert_with(|| body.clone());
                    assert_eq!(body.len(), first.len(), "{url}");
                    assert!(body == *first, "{url}: other bytes than before");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        load
    }

    fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Panics if any answer was not as it should be.
    async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
    }
}

/// While something is wrong with the store of a layer, every answer is right; when it is over, it is used again by the same
/// processes.
pub async fn survive<Store>(
    store: &mut Store,
    (layer, settings): (&str, &[Setting<'_>]),
    harm: impl FnOnce(&mut Store),
    heal: impl FnOnce(&mut Store),
) {
    let settings = [settings, &[NO_MEMORY]].concat();
    let nodes = [Node::start(&settings).await, Node::start(&settings).await];
    let load = Load::on(&nodes);
    let hit = format!("azulejo; hit; detail={layer}");
    nodes[0].eventually(30, &hit).await;
    harm(store);
    let before = load.answers();
    sleep(FAULT).await;
    assert!(
        load.answers() > before + 10,
        "requests are answered meanwhile"
    );
    heal(store);
    for (node, width) in [(&nodes[0], 41), (&nodes[1], 42)] {
        node.eventually(width, &hit).await;
    }
    load.end().await;
}
