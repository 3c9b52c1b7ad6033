//! Servers as processes of their own, over the fixtures, which share a layer of the cache.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Method, Response};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::admin::TOKEN;
use crate::process::Process;

const IMAGE: &str = "sample-azulejo.tif";
/// Far more than the time limits of the cache and than what a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest time that a layer is left alone, and some.
pub const RECOVERY: Duration = Duration::from_secs(120);
const FAULT: Duration = Duration::from_secs(2);

/// A variable of the environment.
pub type Setting<'a> = (&'a str, &'a str);

pub const NO_MEMORY: Setting = ("AZULEJO_CACHE__MEMORY__ENABLED", "false");

/// An Azulejo over the fixtures.
pub struct Node {
    _process: Process,
    base: String,
    client: Client,
}

impl Node {
    pub async fn start(settings: &[Setting<'_>]) -> Self {
        azulejo::tls::choose();
        let token = ("AZULEJO_ADMIN__TOKEN", TOKEN);
        let process = Process::start(&[settings, &[token]].concat());
        Self {
            base: format!("http://{}", process.address()),
            _process: process,
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
        }
    }

    fn url(&self, width: usize) -> String {
        format!("{}{}", self.base, path(width))
    }

    /// Asks for the `info.json`: now this node knows the header.
    pub async fn learn(&self) {
        let url = format!("{}/iiif/3/{IMAGE}/info.json", self.base);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
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

    /// Waits until this node has put so many entries into a layer: headers of images are entries, too.
    pub async fn has_stored(&self, layer: &str, count: usize) {
        let start = Instant::now();
        while self.stored(layer).await < count {
            assert!(start.elapsed() < RECOVERY, "{count} are not stored");
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.stored(layer).await, count);
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

fn path(width: usize) -> String {
    format!("/iiif/3/{IMAGE}/full/{width},/0/default.jpg")
}

/// Asks both servers without pause for images that exist. The answers for one image are always the same, whoever gives them.
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
        let bodies = Arc::default();
        for (number, node) in nodes.iter().cycle().take(2 * nodes.len()).enumerate() {
            let (client, base) = (node.client.clone(), node.base.clone());
            let (stop, answers) = (Arc::clone(&load.stop), Arc::clone(&load.answers));
            let bodies = Arc::clone(&bodies);
            load.clients.spawn(async move {
                for width in (20..40).cycle().skip(5 * number) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    ask(&client, &base, &path(width), &bodies).await;
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

/// The first body for each path.
type Bodies = Mutex<HashMap<String, Bytes>>;

async fn ask(client: &Client, base: &str, path: &str, bodies: &Bodies) {
    let answer = client.get(format!("{base}{path}")).send().await;
    let answer = answer.expect("an answer in time");
    assert_eq!(answer.status(), 200, "{path}");
    let body = answer.bytes().await.expect("whole");
    let mut bodies = bodies.lock().unwrap();
    let first = bodies.entry(path.to_owned()).or_insert(body.clone());
    assert_eq!(body.len(), first.len(), "{path}");
    assert!(body == *first, "{path}: other bytes than before");
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
    let start = Instant::now();
    sleep(FAULT).await;
    while load.answers() < before + 10 {
        assert!(
            start.elapsed() < PATIENCE,
            "requests are answered meanwhile"
        );
        sleep(Duration::from_millis(50)).await;
    }
    heal(store);
    for (node, width) in [(&nodes[0], 41), (&nodes[1], 42)] {
        node.eventually(width, &hit).await;
    }
    load.end().await;
}
