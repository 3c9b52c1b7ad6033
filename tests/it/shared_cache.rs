//! Two servers as processes with one Redis between them, and what happens to it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Response};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::redis_server::{RedisServer, free_port};
use crate::server::fixtures;

const TOKEN: &str = "a-secret-for-this-test-of-many-characters";
const IMAGE: &str = "sample-azulejo.tif";
/// Far more than the time limits of the cache, far less than what a server that hangs takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time that a layer is left alone, and some.
const RECOVERY: Duration = Duration::from_secs(30);
const FAULT: Duration = Duration::from_secs(2);

/// An Azulejo over the fixtures.
struct Node {
    process: Child,
    base: String,
    client: Client,
}

impl Node {
    async fn start(redis: &RedisServer, settings: &[(&str, &str)]) -> Self {
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
            .env("AZULEJO_CACHE__REDIS__URL", redis.url())
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

    fn url(&self, width: usize) -> String {
        format!("{}/iiif/3/{IMAGE}/full/{width},/0/default.jpg", self.base)
    }

    async fn get(&self, width: usize) -> Response {
        let response = self.client.get(self.url(width)).send().await.unwrap();
        response.error_for_status().unwrap()
    }

    /// What the answer says of the cache.
    async fn status(&self, width: usize) -> String {
        let response = self.get(width).await;
        response.headers()["cache-status"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    async fn eventually(&self, width: usize, status: &str) {
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

    /// Entries that this node has put into Redis.
    async fn stored(&self) -> usize {
        let asked = self
            .client
            .get(format!("{}/metrics", self.base))
            .bearer_auth(TOKEN);
        let text = asked.send().await.unwrap().text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("azulejo_cache_stored_total{layer=\"redis\"} "));
        line.expect("it is counted").parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where nothing is broken, a busy machine must not look like it.
const SLOW: (&str, &str) = ("AZULEJO_CACHE__REDIS__TIMEOUT_MS", "5000");
const NO_MEMORY: (&str, &str) = ("AZULEJO_CACHE__MEMORY__ENABLED", "false");

#[tokio::test]
async fn what_one_server_made_the_other_has() {
    let redis = RedisServer::start();
    let a = Node::start(&redis, &[SLOW]).await;
    let b = Node::start(&redis, &[SLOW]).await;
    let made = a.get(50).await;
    assert_eq!(made.headers()["cache-status"], "azulejo; fwd=miss");
    let start = Instant::now();
    while a.stored().await == 0 {
        assert!(start.elapsed() < RECOVERY, "nothing is stored");
        sleep(Duration::from_millis(10)).await;
    }
    let found = b.get(50).await;
    assert_eq!(
        found.headers()["cache-status"],
        "azulejo; hit; detail=redis"
    );
    assert_eq!(found.headers()["etag"], made.headers()["etag"]);
    assert_eq!(found.bytes().await.unwrap(), made.bytes().await.unwrap());
    b.eventually(50, "azulejo; hit; detail=memory").await;

    // A purge by one reaches the memory of the other.
    let address = format!("{}/admin/cache/{IMAGE}", a.base);
    let purge = a.client.delete(address).bearer_auth(TOKEN).send();
    purge.await.unwrap().error_for_status().unwrap();
    b.eventually(50, "azulejo; fwd=miss").await;
}

#[tokio::test]
async fn equal_requests_to_both_servers_are_made_once() {
    let redis = RedisServer::start();
    let a = Node::start(&redis, &[SLOW]).await;
    let b = Node::start(&redis, &[SLOW]).await;
    let asked = (0..100).flat_map(|_| [a.get(60), b.get(60)]);
    let answers = join_all(asked).await;
    let bodies = join_all(answers.into_iter().map(Response::bytes)).await;
    let bodies: Vec<_> = bodies.into_iter().map(Result::unwrap).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    b.eventually(60, "azulejo; hit; detail=memory").await;
    a.eventually(60, "azulejo; hit; detail=memory").await;
    assert_eq!(a.stored().await + b.stored().await, 1);
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
                for url in urls.iter().cycle().skip(5 * number) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let answer = client.get(url).send().await;
                    let answer = answer.expect("an answer in time");
                    assert_eq!(answer.status(), 200, "{url}");
                    assert!(!answer.bytes().await.expect("whole").is_empty());
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

/// While something is wrong every answer is right; when it is over, Redis is used again by the same processes.
async fn survives(
    redis: &mut RedisServer,
    harm: impl FnOnce(&mut RedisServer),
    heal: impl FnOnce(&mut RedisServer),
) {
    let nodes = [
        Node::start(redis, &[NO_MEMORY]).await,
        Node::start(redis, &[NO_MEMORY]).await,
    ];
    let load = Load::on(&nodes);
    nodes[0].eventually(30, "azulejo; hit; detail=redis").await;
    harm(redis);
    let before = load.answers();
    sleep(FAULT).await;
    assert!(
        load.answers() > before + 10,
        "requests are answered meanwhile"
    );
    heal(redis);
    for (node, width) in [(&nodes[0], 41), (&nodes[1], 42)] {
        node.eventually(width, "azulejo; hit; detail=redis").await;
    }
    load.end().await;
}

fn nothing(_: &mut RedisServer) {}

#[tokio::test]
async fn a_redis_that_is_emptied() {
    let flush = |redis: &mut RedisServer| {
        for _ in 0..20 {
            redis.cli(&["FLUSHALL"]);
        }
    };
    survives(&mut RedisServer::start(), flush, nothing).await;
}

#[tokio::test]
async fn a_redis_that_hangs() {
    let pause = |redis: &mut RedisServer| redis.pause();
    survives(&mut RedisServer::start(), pause, |redis| redis.resume()).await;
}

#[tokio::test]
async fn a_redis_that_dies_and_comes_back() {
    let kill = |redis: &mut RedisServer| redis.kill();
    survives(&mut RedisServer::start(), kill, RedisServer::start_again).await;
}

#[tokio::test]
async fn a_redis_that_is_restarted() {
    let restart = |redis: &mut RedisServer| {
        redis.kill();
        redis.start_again();
    };
    survives(&mut RedisServer::start(), restart, nothing).await;
}

#[tokio::test]
async fn a_redis_that_is_full() {
    let set = |redis: &RedisServer, bytes| redis.cli(&["CONFIG", "SET", "maxmemory", bytes]);
    let fill = |redis: &mut RedisServer| {
        redis.cli(&["FLUSHALL"]);
        set(redis, "1");
    };
    let heal = |redis: &mut RedisServer| {
        set(redis, "0");
    };
    let mut redis = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    survives(&mut redis, fill, heal).await;
}

#[tokio::test]
async fn a_redis_that_makes_room_all_the_time() {
    let limit = |redis: &mut RedisServer| {
        redis.cli(&["CONFIG", "SET", "maxmemory", "2mb"]);
    };
    let mut redis = RedisServer::with(&["--maxmemory-policy", "allkeys-lru"]);
    survives(&mut redis, limit, nothing).await;
}

#[tokio::test]
async fn a_redis_that_wants_another_password() {
    let change = |redis: &mut RedisServer| {
        redis.cli(&["CONFIG", "SET", "requirepass", "other"]);
        redis.cli(&["-a", "other", "CLIENT", "KILL", "TYPE", "normal"]);
    };
    let heal = |redis: &mut RedisServer| {
        redis.cli(&["-a", "other", "CONFIG", "SET", "requirepass", ""]);
    };
    survives(&mut RedisServer::start(), change, heal).await;
}

#[tokio::test]
async fn a_redis_that_becomes_a_replica_and_cannot_be_written() {
    let master = RedisServer::start();
    let port = master.port.to_string();
    let demote = |redis: &mut RedisServer| {
        redis.cli(&["REPLICAOF", "127.0.0.1", &port]);
    };
    let promote = |redis: &mut RedisServer| {
        redis.cli(&["REPLICAOF", "NO", "ONE"]);
    };
    survives(&mut RedisServer::start(), demote, promote).await;
}

/// A dead Redis is no reason not to start.
#[tokio::test]
async fn a_redis_that_is_not_there_yet() {
    let mut redis = RedisServer::start();
    redis.kill();
    let node = Node::start(&redis, &[NO_MEMORY]).await;
    assert_eq!(node.status(50).await, "azulejo; fwd=miss");
    redis.start_again();
    node.eventually(50, "azulejo; hit; detail=redis").await;
}
