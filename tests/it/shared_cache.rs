//! Two servers as processes with one Redis between them, and what happens to it.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Response;
use tokio::time::{Instant, sleep};

use crate::node::{NO_MEMORY, Node, RECOVERY, Setting, survive};
use crate::redis_server::RedisServer;

/// Where nothing is broken, a busy machine must not look like it.
const SLOW: Setting = ("AZULEJO_CACHE__REDIS__TIMEOUT_MS", "10000");

async fn node(redis: &RedisServer, setting: Setting<'_>) -> Node {
    Node::start(&[("AZULEJO_CACHE__REDIS__URL", &redis.url()), setting]).await
}

#[tokio::test]
async fn what_one_server_made_the_other_has() {
    let redis = RedisServer::start();
    let a = node(&redis, SLOW).await;
    let b = node(&redis, SLOW).await;
    let made = a.get(50).await;
    assert_eq!(made.headers()["cache-status"], "azulejo; fwd=miss");
    a.has_stored("redis", 2).await;
    let found = b.get(50).await;
    assert_eq!(
        found.headers()["cache-status"],
        "azulejo; hit; detail=redis"
    );
    assert_eq!(found.headers()["etag"], made.headers()["etag"]);
    assert_eq!(found.bytes().await.unwrap(), made.bytes().await.unwrap());
    b.eventually(50, "azulejo; hit; detail=memory").await;

    // A purge by one reaches the memory of the other.
    a.purge().await;
    b.eventually(50, "azulejo; fwd=miss").await;
}

#[tokio::test]
async fn equal_requests_to_both_servers_are_made_once() {
    let redis = RedisServer::start();
    let a = node(&redis, SLOW).await;
    let b = node(&redis, SLOW).await;
    a.learn().await;
    a.has_stored("redis", 1).await;
    b.learn().await;
    // A node waits two seconds for the other one: a machine that stands still so long makes an image twice, but not each time.
    let mut writes = Vec::new();
    for width in 60..65 {
        writes.push(asked_of_both(&a, &b, width).await);
        if writes.last() == Some(&1) {
            return;
        }
    }
    panic!("each is made more than once: {writes:?}");
}

/// How often an image is written that both are asked for a hundred times.
async fn asked_of_both(a: &Node, b: &Node, width: usize) -> usize {
    let stored = async || a.stored("redis").await + b.stored("redis").await;
    let before = stored().await;
    let asked = (0..100).flat_map(|_| [a.get(width), b.get(width)]);
    let answers = join_all(asked).await;
    let bodies = join_all(answers.into_iter().map(Response::bytes)).await;
    let bodies: Vec<_> = bodies.into_iter().map(Result::unwrap).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    b.eventually(width, "azulejo; hit; detail=memory").await;
    a.eventually(width, "azulejo; hit; detail=memory").await;
    // It is counted when it is written.
    let start = Instant::now();
    while stored().await == before {
        assert!(start.elapsed() < RECOVERY, "nothing is stored");
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(200)).await;
    stored().await - before
}

async fn survives(
    redis: &mut RedisServer,
    harm: impl FnOnce(&mut RedisServer),
    heal: impl FnOnce(&mut RedisServer),
) {
    let url = redis.url();
    let settings = [("AZULEJO_CACHE__REDIS__URL", url.as_str())];
    survive(redis, ("redis", &settings), harm, heal).await;
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
    let node = node(&redis, NO_MEMORY).await;
    assert_eq!(node.status(50).await, "azulejo; fwd=miss");
    redis.start_again();
    node.eventually(50, "azulejo; hit; detail=redis").await;
}
