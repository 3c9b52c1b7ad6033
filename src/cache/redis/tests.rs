//! Against real servers, which are started here.

#[path = "../../../tests/common/redis_server.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod redis_server;

use std::collections::HashSet;
use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use self::redis_server::{RedisServer, eventually, free_port};
use super::config::RedisConfig;
use super::{Layer, LayerError, Leases, Purge, Redis};
use crate::cache::{EntryKey, contract};

/// Long enough for big entries on a busy machine; where silence is tested, it is shorter.
const UNHURRIED: u32 = 10_000;
const SHORT: u32 = 100;

fn config(url: &str, timeout_ms: u32) -> RedisConfig {
    RedisConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms,
        ..RedisConfig::default()
    }
}

fn at(url: &str) -> Redis {
    Redis::new(&config(url, UNHURRIED)).unwrap().unwrap()
}

fn hurried(server: &RedisServer) -> Redis {
    Redis::new(&config(&server.url(), SHORT)).unwrap().unwrap()
}

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey::sample(image, entry)
}

async fn put(redis: &Redis, key: &EntryKey, record: &'static str) {
    redis.put(key, record.into()).await.unwrap();
}

async fn get(redis: &Redis, key: &EntryKey) -> Option<Bytes> {
    redis.get(key).await.unwrap()
}

/// Tries until it succeeds, as the next requests do. Sentinel may see for half a minute nothing but that its clock stood still.
async fn recovered<T>(mut operation: impl AsyncFnMut() -> Result<T, LayerError>) -> T {
    let start = Instant::now();
    loop {
        match operation().await {
            Ok(value) => return value,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(120), "{error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn does_what_a_layer_has_to() {
    let server = RedisServer::with(&["--requirepass", "secret"]);
    let address = format!("127.0.0.1:{}", server.port);
    contract::check(&at(&format!("redis://:secret@{address}/0"))).await;
    let socket = server.socket().display().to_string();
    contract::check(&at(&format!("unix:{socket}?db=5&pass=secret"))).await;
}

#[tokio::test]
async fn without_a_url_there_is_none() {
    assert!(Redis::new(&RedisConfig::default()).unwrap().is_none());
}

#[tokio::test]
async fn databases_and_prefixes_keep_apart() {
    let server = RedisServer::start();
    let first = at(&server.url());
    let second = at(&format!("redis://127.0.0.1:{}/7", server.port));
    let mut special = config(&server.url(), UNHURRIED);
    special.prefix = "a*[b]?\\:".to_owned();
    let third = Redis::new(&special).unwrap().unwrap();
    server.cli(&["SET", "azulejo", "not ours"]);
    server.cli(&["SET", "azb]:{", "not ours"]);
    let key = key("image", "entry");
    put(&first, &key, "first").await;
    assert_eq!(get(&second, &key).await, None);
    assert_eq!(get(&third, &key).await, None);
    put(&second, &key, "second").await;
    put(&third, &key, "third").await;
    third.clear().await.unwrap();
    assert_eq!(get(&third, &key).await, None);
    assert_eq!(get(&first, &key).await.unwrap(), "first");
    first.clear().await.unwrap();
    assert_eq!(get(&second, &key).await.unwrap(), "second");
    assert_eq!(server.cli(&["GET", "azulejo"]), "not ours");
    assert_eq!(server.cli(&["GET", "azb]:{"]), "not ours");
}

#[tokio::test]
async fn clearing_looks_at_no_key() {
    let server = RedisServer::start();
    let redis = at(&server.url());
    let keys: Vec<_> = (0..20).map(|n| key(&n.to_string(), "entry")).collect();
    for key in &keys {
        put(&redis, key, "record").await;
    }
    let fill = "for i = 1, 5000 do redis.call('SET', 'other' .. i, '') end";
    server.cli(&["EVAL", fill, "0"]);
    redis.clear().await.unwrap();
    for key in &keys {
        assert_eq!(get(&redis, key).await, None);
    }
    let done = server.cli(&["INFO", "commandstats"]);
    assert!(done.contains("cmdstat_unlink:calls=1,"), "{done}");
    for slow in ["cmdstat_scan", "cmdstat_keys", "cmdstat_flush"] {
        assert!(!done.contains(slow), "{done}");
    }
    assert_eq!(server.cli(&["EXISTS", "other1", "other5000"]), "2");
}

#[tokio::test]
async fn what_was_looked_up_before_a_purge_is_not_put_after_it() {
    let server = RedisServer::start();
    let (a, b) = (at(&server.url()), at(&server.url()));
    let (old, new) = (key("image", "old"), key("image", "new"));
    let purge = async |all| match all {
        false => a.purge(&old.image).await,
        true => a.clear().await,
    };
    for all in [false, true] {
        assert_eq!(get(&b, &old).await, None, "b begins to make it");
        purge(all).await.unwrap();
        assert_eq!(get(&a, &new).await, None);
        put(&a, &new, "new").await;
        assert_eq!(get(&b, &old).await, None, "asked again meanwhile");
        put(&b, &old, "old").await;
        for node in [&a, &b] {
            assert_eq!(get(node, &old).await, None);
            assert_eq!(get(node, &new).await.unwrap(), "new");
        }
        put(&b, &old, "made after it").await;
        assert_eq!(get(&a, &old).await.unwrap(), "made after it");
        a.remove(&old).await.unwrap();
        purge(all).await.unwrap();
    }
}

/// Nobody knows then when it was made.
#[tokio::test]
async fn what_could_not_be_looked_up_is_not_put() {
    let server = RedisServer::start();
    let (hurried, other) = (hurried(&server), at(&server.url()));
    let key = key("image", "entry");
    recovered(async || hurried.remove(&key).await).await;
    server.pause();
    assert!(hurried.get(&key).await.is_err());
    server.resume();
    other.purge(&key.image).await.unwrap();
    let put = hurried.put(&key, "old".into()).await;
    assert!(matches!(put, Err(LayerError::NotTried)), "{put:?}");
    assert_eq!(get(&other, &key).await, None);
    recovered(async || hurried.get(&key).await).await;
    recovered(async || hurried.put(&key, "new".into()).await).await;
    assert_eq!(get(&other, &key).await.unwrap(), "new");
}

#[tokio::test]
async fn everything_is_forgotten_in_time() {
    let server = RedisServer::start();
    let redis = Redis::new(&RedisConfig {
        ttl: 100,
        ..config(&server.url(), UNHURRIED)
    });
    let redis = redis.unwrap().unwrap();
    put(&redis, &key("image", "entry"), "record").await;
    let keys = server.cli(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 3, "{keys}");
    assert_eq!(server.cli(&["TTL", &redis.names.all()]), "-1");
    for key in keys.lines().filter(|key| *key != redis.names.all()) {
        let seconds: i64 = server.cli(&["TTL", key]).parse().unwrap();
        assert!((90..=100).contains(&seconds), "{key}: {seconds}");
    }
}

#[tokio::test]
async fn a_lost_generation_loses_entries_and_never_revives_any() {
    let server = RedisServer::start();
    let redis = at(&server.url());
    let (old, new) = (key("image", "old"), key("image", "new"));
    for number in [redis.names.generation(&old.image), redis.names.all()] {
        put(&redis, &old, "old").await;
        assert_eq!(get(&redis, &old).await.unwrap(), "old");
        // As when Redis makes room.
        server.cli(&["DEL", &number]);
        assert_eq!(get(&redis, &old).await, None);
        put(&redis, &new, "new").await;
        assert_eq!(get(&redis, &old).await, None);
        assert_eq!(get(&redis, &new).await.unwrap(), "new");
    }

    redis.purge(&new.image).await.unwrap();
    put(&redis, &old, "again").await;
    assert_eq!(get(&redis, &new).await, None, "purged, though still there:");
    assert_eq!(server.cli(&["EXISTS", &redis.names.entry(&new)]), "1");

    server.cli(&["FLUSHALL"]);
    assert_eq!(get(&redis, &old).await, None);
    put(&redis, &old, "after").await;
    assert_eq!(get(&redis, &old).await.unwrap(), "after");
}

#[tokio::test]
async fn values_of_others_are_not_taken_for_records() {
    let server = RedisServer::start();
    let redis = at(&server.url());
    let other = key("other", "entry");
    let (number, entry) = (
        redis.names.generation(&other.image),
        redis.names.entry(&other),
    );
    for (all, image, value) in [
        ("", "", "x"),
        ("x", "x", "xx"),
        ("12345678", "1234567", "123456781234567"),
        ("12345678", "12345678", "123456781234567"),
    ] {
        server.cli(&["SET", &redis.names.all(), all]);
        server.cli(&["SET", &number, image]);
        server.cli(&["SET", &entry, value]);
        assert_eq!(get(&redis, &other).await, None);
    }
    let key = key("image", "entry");
    server.cli(&["LPUSH", &redis.names.entry(&key), "a list"]);
    assert_eq!(get(&redis, &key).await, None);
    put(&redis, &key, "record").await;
    assert_eq!(get(&redis, &key).await.unwrap(), "record");
}

#[tokio::test]
async fn a_lease_is_held_by_one_node_and_ends() {
    let server = RedisServer::start();
    let (a, b) = (at(&server.url()), at(&server.url()));
    let key = key("image", "entry");
    let (long, short) = (Duration::from_secs(60), Duration::from_millis(50));
    assert!(a.take(&key, long).await.unwrap());
    assert!(!b.take(&key, long).await.unwrap());
    b.give_back(&key).await.unwrap();
    assert!(!b.take(&key, long).await.unwrap(), "it was not b's");
    a.give_back(&key).await.unwrap();
    assert!(b.take(&key, short).await.unwrap());
    sleep(short * 2).await;
    assert!(a.take(&key, long).await.unwrap(), "b has died");
}

#[tokio::test]
async fn a_hanging_server_is_an_error_and_its_late_answers_are_nobodys() {
    let server = RedisServer::start();
    let redis = hurried(&server);
    let keys: Vec<_> = (0..50).map(|n| key("image", &n.to_string())).collect();
    for (number, key) in keys.iter().enumerate() {
        recovered(async || redis.put(key, number.to_string().into()).await).await;
    }
    server.pause();
    for _ in 0..20 {
        let asked = join_all(keys.iter().map(|key| redis.get(key)));
        for answer in tokio::time::timeout(Duration::from_secs(60), asked)
            .await
            .unwrap()
        {
            assert!(answer.is_err(), "{answer:?}");
        }
    }
    server.resume();
    for (number, key) in keys.iter().enumerate().rev() {
        let found = recovered(async || redis.get(key).await).await;
        assert_eq!(found.unwrap(), number.to_string());
    }
    let clients = || {
        server
            .cli(&["CLIENT", "LIST", "TYPE", "normal"])
            .lines()
            .count()
    };
    eventually(|| clients() <= 2);
}

/// A network between the client and Redis that can swallow everything that belongs to the connections of now.
struct Network {
    port: u16,
    swallows: Arc<Mutex<Arc<AtomicBool>>>,
}

impl Network {
    fn before(server: &RedisServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let network = Self {
            port: listener.local_addr().unwrap().port(),
            swallows: Arc::default(),
        };
        let (swallows, port) = (Arc::clone(&network.swallows), server.port);
        spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let redis = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let swallows = Arc::clone(&swallows.lock().unwrap());
                carry(&client, &redis, &swallows);
                carry(&redis, &client, &swallows);
            }
        });
        network
    }

    fn fall_silent(&self) {
        let now = std::mem::take(&mut *self.swallows.lock().unwrap());
        now.store(true, Ordering::Relaxed);
    }
}

fn carry(from: &TcpStream, to: &TcpStream, swallows: &Arc<AtomicBool>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let swallows = Arc::clone(swallows);
    spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if !swallows.load(Ordering::Relaxed) && to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// The system would keep it for a quarter of an hour.
#[tokio::test]
async fn a_connection_that_has_fallen_silent_is_made_anew() {
    let server = RedisServer::start();
    let network = Network::before(&server);
    let url = format!("redis://127.0.0.1:{}", network.port);
    let redis = Redis::new(&config(&url, SHORT)).unwrap().unwrap();
    let heard = Heard::by(&redis);
    let key = key("image", "entry");
    recovered(async || redis.put(&key, "record".into()).await).await;
    heard.exactly(&[Purge::Unknown]).await;
    network.fall_silent();
    assert!(redis.get(&key).await.is_err());
    let found = recovered(async || redis.get(&key).await).await;
    assert_eq!(found.unwrap(), "record");
    redis.purge(&key.image).await.unwrap();
    heard
        .exactly(&[Purge::Unknown, Purge::Image(key.image)])
        .await;
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_is_used_again() {
    let mut server = RedisServer::start();
    let redis = hurried(&server);
    let (key, other) = (key("image", "entry"), key("image", "other"));
    for key in [&key, &other] {
        recovered(async || redis.put(key, "before".into()).await).await;
    }
    server.kill();
    for _ in 0..10 {
        assert!(redis.get(&other).await.is_err());
    }
    server.start_again();
    assert_eq!(recovered(async || redis.get(&other).await).await, None);
    recovered(async || redis.put(&key, "after".into()).await).await;
    assert_eq!(
        recovered(async || redis.get(&key).await).await.unwrap(),
        "after"
    );
}

#[tokio::test]
async fn the_server_need_not_be_there_yet() {
    let mut server = RedisServer::start();
    server.kill();
    let redis = hurried(&server);
    assert!(redis.get(&key("image", "entry")).await.is_err());
    server.start_again();
    assert_eq!(
        recovered(async || redis.get(&key("image", "entry")).await).await,
        None
    );
}

#[tokio::test]
async fn a_wrong_password_is_an_error_until_it_is_right() {
    let server = RedisServer::with(&["--requirepass", "right"]);
    let url = format!("redis://:wrong@127.0.0.1:{}", server.port);
    let redis = at(&url);
    let error = redis.get(&key("image", "entry")).await.unwrap_err();
    assert!(!error.to_string().contains("wrong"), "{error}");
    server.cli(&["-a", "right", "CONFIG", "SET", "requirepass", "wrong"]);
    assert_eq!(
        recovered(async || redis.get(&key("image", "entry")).await).await,
        None
    );
}

#[tokio::test]
async fn a_replica_is_read_and_becomes_a_master_under_way() {
    let master = RedisServer::start();
    let port = master.port.to_string();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &port]);
    let (writing, reading) = (at(&master.url()), at(&replica.url()));
    let key = key("image", "entry");
    put(&writing, &key, "record").await;
    eventually(|| replica.cli(&["DBSIZE"]) == "3");
    assert_eq!(get(&reading, &key).await.unwrap(), "record");
    assert!(reading.put(&key, "other".into()).await.is_err());
    assert!(reading.purge(&key.image).await.is_err());
    assert!(reading.take(&key, Duration::from_secs(1)).await.is_err());
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    recovered(async || reading.put(&key, "other".into()).await).await;
    assert_eq!(get(&reading, &key).await.unwrap(), "other");
}

#[tokio::test]
async fn a_full_server_refuses_new_entries_and_has_the_old() {
    let server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let redis = at(&server.url());
    let key = key("image", "entry");
    put(&redis, &key, "record").await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(redis.put(&key, "other".into()).await.is_err());
    assert_eq!(get(&redis, &key).await.unwrap(), "record");
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    put(&redis, &key, "other").await;
}

#[tokio::test]
async fn a_server_that_makes_room_has_the_right_entry_or_none() {
    let server = RedisServer::with(&["--maxmemory-policy", "allkeys-lru", "--maxmemory", "8mb"]);
    let redis = at(&server.url());
    let keys: Vec<_> = (0..40)
        .flat_map(|image| (0..10).map(move |entry| key(&image.to_string(), &entry.to_string())))
        .collect();
    let record = |number: usize| Bytes::from(vec![number as u8; 50_000]);
    for (number, key) in keys.iter().enumerate() {
        redis.put(key, record(number)).await.unwrap();
    }
    let mut found = 0;
    for (number, key) in keys.iter().enumerate() {
        if let Some(bytes) = get(&redis, key).await {
            assert!(bytes == record(number), "entry {number}");
            found += 1;
        }
    }
    assert!((1..keys.len()).contains(&found), "{found} found");
}

/// What a node hears.
struct Heard {
    purges: Arc<Mutex<Vec<Purge>>>,
    task: JoinHandle<()>,
}

impl Heard {
    fn by(redis: &Redis) -> Self {
        let purges = Arc::<Mutex<Vec<Purge>>>::default();
        let heard = Arc::clone(&purges);
        let task = tokio::spawn(redis.purges().follow(move |new| {
            heard.lock().unwrap().extend(new);
            ControlFlow::Continue(())
        }));
        Self { purges, task }
    }

    async fn exactly(&self, purges: &[Purge]) {
        recovered(async || {
            let heard = self.purges.lock().unwrap().clone();
            let text = format!("{heard:?} instead of {purges:?}");
            (heard == purges)
                .then_some(())
                .ok_or(LayerError::Store(text))
        })
        .await;
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn purges_are_heard_by_every_node_whatever_happens() {
    let mut server = RedisServer::start();
    let (a, b) = (at(&server.url()), at(&server.url()));
    let heard = Heard::by(&b);
    let (first, second) = (key("first", "").image, key("second", "").image);
    let mut expected = vec![Purge::Unknown];
    heard.exactly(&expected).await;
    a.purge(&first).await.unwrap();
    a.clear().await.unwrap();
    expected.extend([Purge::Image(first), Purge::All]);
    heard.exactly(&expected).await;

    // Not connected for a while: nothing is missed, nothing else is forgotten.
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    recovered(async || a.purge(&second).await).await;
    expected.push(Purge::Image(second));
    heard.exactly(&expected).await;
    server.pause();
    sleep(Duration::from_secs(4)).await;
    server.resume();
    recovered(async || a.purge(&first).await).await;
    expected.push(Purge::Image(first));
    heard.exactly(&expected).await;

    // What Redis has lost may have been anything.
    server.cli(&["FLUSHALL"]);
    expected.push(Purge::Unknown);
    heard.exactly(&expected).await;
    server.kill();
    server.start_again();
    expected.push(Purge::Unknown);
    heard.exactly(&expected).await;
    recovered(async || a.purge(&second).await).await;
    expected.push(Purge::Image(second));
    heard.exactly(&expected).await;
}

#[tokio::test]
async fn a_cluster_does_what_a_layer_has_to() {
    let nodes = cluster();
    let hosts: Vec<_> = nodes[..2]
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port))
        .collect();
    let url = format!("redis-cluster://{}", hosts.join(","));
    let redis = at(&url);
    recovered(async || redis.get(&key("image", "entry")).await).await;
    contract::check(&redis).await;
    let keys: Vec<_> = (0..50).map(|n| key(&n.to_string(), "entry")).collect();
    for key in &keys {
        put(&redis, key, "record").await;
    }
    let sizes: HashSet<_> = nodes.iter().map(|node| node.cli(&["DBSIZE"])).collect();
    assert!(!sizes.contains("0"), "all nodes have some: {sizes:?}");
    let heard = Heard::by(&redis);
    heard.exactly(&[Purge::Unknown]).await;
    at(&url).clear().await.unwrap();
    heard.exactly(&[Purge::Unknown, Purge::All]).await;
    for key in &keys {
        assert_eq!(get(&redis, key).await, None);
    }
    assert!(redis.take(&keys[0], Duration::from_secs(60)).await.unwrap());
}

fn cluster() -> [RedisServer; 3] {
    let nodes = [(); 3].map(|()| {
        let bus = free_port().to_string();
        RedisServer::with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
    });
    let ports = nodes.each_ref().map(|node| node.port.to_string());
    let addresses = ports.each_ref().map(|port| format!("127.0.0.1:{port}"));
    let mut create = Command::new("redis-cli");
    create.args(["--cluster", "create"]).args(addresses);
    let output = create.args(["--cluster-yes"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for node in &nodes {
        eventually(|| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    }
    nodes
}

#[tokio::test]
async fn what_sentinel_watches_over_is_found_also_after_a_failover() {
    let mut master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    let sentinel = RedisServer::sentinel();
    let port = master.port.to_string();
    sentinel.cli(&["SENTINEL", "MONITOR", "main", "127.0.0.1", &port, "1"]);
    let redis = at(&format!(
        "redis-sentinel://127.0.0.1:{}/main/0",
        sentinel.port
    ));
    recovered(async || redis.get(&key("image", "entry")).await).await;
    contract::check(&redis).await;
    eventually(|| {
        sentinel
            .cli(&["SENTINEL", "REPLICAS", "main"])
            .contains("name")
    });
    // Only now: until it is killed, the master is not to be taken for dead, however slow it is.
    let hasty = ["down-after-milliseconds", "500", "failover-timeout", "5000"];
    sentinel.cli(&[&["SENTINEL", "SET", "main"], &hasty[..]].concat());
    master.kill();
    recovered(async || redis.put(&key("image", "entry"), "record".into()).await).await;
    assert!(
        replica
            .cli(&["INFO", "replication"])
            .contains("role:master")
    );
}

/// Which certificates are trusted is a matter of the whole process: the test is run in another one.
#[tokio::test]
async fn tls_does_what_a_layer_has_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let tls = free_port().to_string();
    let _server = RedisServer::with(&[
        "--tls-port",
        &tls,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://localhost:{tls}");
    let error = at(&url).get(&self::key("image", "entry")).await;
    assert!(error.is_err(), "nobody has said that it is trusted");
    let test = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "cache::redis::tests::over_tls"])
        .env("SSL_CERT_FILE", &certificate)
        .env("AZULEJO_TEST_REDIS", &url)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&test.stdout);
    assert!(
        test.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
}

#[tokio::test]
#[ignore = "run by tls_does_what_a_layer_has_to"]
async fn over_tls() {
    contract::check(&at(&env::var("AZULEJO_TEST_REDIS").unwrap())).await;
}
