//! The layer that nodes share.
//!
//! | key | what |
//! |---|---|
//! | `{image}:generation` | a random number; of what was put under another one, nothing is found |
//! | `{image}:ENTRY` | the generation that it was put under, and the record |
//! | `{image}:ENTRY:lease` | the node that makes the entry |
//! | `purges` | a stream of what was purged, for the memories of the other nodes ([`purges`]) |
//!
//! Each with the prefix of the configuration before it. The braces are real: a cluster keeps the keys of one image together by them.
//! If Redis loses a generation (to make room, or all at once) that image's entries are lost; a purged one never comes
//! back. Generations live as long as the entries put under them.

mod clear;
pub mod config;
mod link;
mod purges;
mod server;
#[cfg(test)]
mod tests;
mod url;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use redis::{Script, cmd};

use self::config::RedisConfig;
use self::link::Link;
use self::server::Server;
use super::layer::{Layer, LayerError, Leases, Pending, Usage};
use super::{CacheKey, EntryKey};

pub use purges::{Purge, Purges};
pub use url::RedisUrl;

/// Bytes of a generation.
const GENERATION: usize = 8;
/// For what nobody waits for: writing, purging.
const UNHURRIED: Duration = Duration::from_secs(5);
/// For looking at all keys of a large database. The caller need not wait for it.
const CLEARING: Duration = Duration::from_secs(600);

/// Keeps an entry under the image's generation, which is made if it is not there.
/// Keys: generation, entry. Arguments: a new generation, the record, milliseconds to live.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local generation = redis.call('GET', KEYS[1]) or ARGV[1]
         redis.call('SET', KEYS[1], generation, 'PX', ARGV[3])
         redis.call('SET', KEYS[2], generation .. ARGV[2], 'PX', ARGV[3])",
    )
});

/// Removes a lease unless another node has it by now. Key: lease. Argument: this node.
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")
});

/// A cache in Redis.
pub struct Redis {
    link: Link,
    server: Arc<Server>,
    names: Names,
    ttl: Duration,
    timeout: Duration,
    /// Stands for this process, as the holder of leases.
    node: [u8; GENERATION],
}

/// The names of keys.
#[derive(Clone)]
struct Names {
    prefix: Arc<str>,
}

impl Redis {
    /// Does not connect: Redis need not be there yet. `None` if no URL is configured.
    ///
    /// # Errors
    /// If the URL has settings that cannot be.
    pub fn new(config: &RedisConfig) -> Result<Option<Self>, LayerError> {
        let Some(url) = &config.url else {
            return Ok(None);
        };
        let server = Server::new(url.place());
        let server = Arc::new(server.map_err(|error| LayerError::Store(error.to_string()))?);
        Ok(Some(Self {
            link: Link::new(Arc::clone(&server)),
            server,
            names: Names {
                prefix: config.prefix.as_str().into(),
            },
            ttl: Duration::from_secs(config.ttl.into()),
            timeout: Duration::from_millis(config.timeout_ms.into()),
            node: random(),
        }))
    }

    /// What is purged, over a connection of its own.
    pub fn purges(&self) -> Purges {
        Purges::new(Link::new(Arc::clone(&self.server)), self.names.purges())
    }

    async fn find(&self, key: &EntryKey) -> Result<Option<Bytes>, LayerError> {
        let mut command = cmd("MGET");
        command.arg(self.names.generation(&key.image));
        command.arg(self.names.entry(key));
        let found = self.link.ask(self.timeout, async move |mut connection| {
            command.query_async(&mut connection).await
        });
        let (generation, value): (Option<Vec<u8>>, Option<Vec<u8>>) = found.await?;
        Ok(generation
            .zip(value)
            .and_then(|(generation, value)| record(&generation, value)))
    }

    async fn store(&self, key: &EntryKey, record: Bytes) -> Result<(), LayerError> {
        let mut script = PUT.prepare_invoke();
        script.key(self.names.generation(&key.image));
        script.key(self.names.entry(key));
        script.arg(&random()[..]).arg(&record[..]);
        script.arg(milliseconds(self.ttl));
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                script.invoke_async(&mut connection).await
            })
            .await
    }

    async fn delete(&self, key: String) -> Result<(), LayerError> {
        let mut command = cmd("UNLINK");
        command.arg(key);
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                command.query_async(&mut connection).await
            })
            .await
    }

    async fn tell(&self, purge: Purge) -> Result<(), LayerError> {
        let command = purges::telling(&self.names.purges(), purge);
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                command.exec_async(&mut connection).await
            })
            .await
    }

    async fn forget_all(&self) -> Result<(), LayerError> {
        let pattern = self.names.all();
        let cleared = self.link.ask(CLEARING, move |connection| {
            clear::remove_all(connection, pattern)
        });
        cleared.await?;
        self.tell(Purge::All).await
    }

    async fn take_lease(&self, key: &EntryKey, time: Duration) -> Result<bool, LayerError> {
        let mut command = cmd("SET");
        command.arg(self.names.lease(key)).arg(&self.node[..]);
        command.arg("NX").arg("PX").arg(milliseconds(time));
        let taken = self.link.ask(self.timeout, async move |mut connection| {
            command.query_async(&mut connection).await
        });
        let taken: Option<String> = taken.await?;
        Ok(taken.is_some())
    }

    async fn end_lease(&self, key: &EntryKey) -> Result<(), LayerError> {
        let mut script = GIVE_BACK.prepare_invoke();
        script.key(self.names.lease(key)).arg(&self.node[..]);
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                script.invoke_async(&mut connection).await
            })
            .await
    }
}

impl Layer for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn get<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, Option<Bytes>> {
        Box::pin(self.find(key))
    }

    fn put<'a>(&'a self, key: &'a EntryKey, record: Bytes) -> Pending<'a, ()> {
        Box::pin(self.store(key, record))
    }

    fn remove<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        Box::pin(self.delete(self.names.entry(key)))
    }

    /// Redis removes the entries themselves when their time has come, or to make room.
    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        Box::pin(async move {
            self.delete(self.names.generation(image)).await?;
            self.tell(Purge::Image(*image)).await
        })
    }

    /// Looks at every key of the database, and goes on with it even if it is dropped.
    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(self.forget_all())
    }

    /// Redis would have to be asked, and counts what others keep in it too.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

impl Leases for Redis {
    fn take<'a>(&'a self, key: &'a EntryKey, time: Duration) -> Pending<'a, bool> {
        Box::pin(self.take_lease(key, time))
    }

    fn give_back<'a>(&'a self, key: &'a EntryKey) -> Pending<'a, ()> {
        Box::pin(self.end_lease(key))
    }
}

impl Names {
    fn generation(&self, image: &CacheKey) -> String {
        format!("{}{{{image}}}:generation", self.prefix)
    }

    fn entry(&self, key: &EntryKey) -> String {
        format!("{}{{{}}}:{}", self.prefix, key.image, key.entry)
    }

    fn lease(&self, key: &EntryKey) -> String {
        format!("{}:lease", self.entry(key))
    }

    fn purges(&self) -> String {
        format!("{}purges", self.prefix)
    }

    /// A pattern for all but the purges.
    fn all(&self) -> String {
        let special = |character| matches!(character, '*' | '?' | '[' | ']' | '\\' | '^');
        let mut pattern = String::new();
        for character in self.prefix.chars() {
            if special(character) {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern + "{*"
    }
}

/// The record of a value that was put under the generation that is current.
fn record(generation: &[u8], value: Vec<u8>) -> Option<Bytes> {
    let is_current = generation.len() == GENERATION && value.starts_with(generation);
    is_current.then(|| Bytes::from(value).slice(GENERATION..))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// A hash of nothing, with keys that the standard library takes from the system.
fn random() -> [u8; GENERATION] {
    RandomState::new().build_hasher().finish().to_le_bytes()
}
