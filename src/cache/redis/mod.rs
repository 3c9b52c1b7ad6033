//! The layer that nodes share.
//!
//! | key | what |
//! |---|---|
//! | `generation` | a random number for everything; it does not expire |
//! | `{image}:generation` | a random number for an image |
//! | `{image}:ENTRY` | both numbers, and the record |
//! | `{image}:ENTRY:lease` | the node that makes the entry |
//! | `purges` | a stream of what was purged, for the other layers of the other nodes ([`Purges`]) |
//!
//! Each with the prefix of the configuration before it. The braces are real: a cluster keeps the keys of one image
//! together by them.
//!
//! A purge removes a number; whoever misses one makes a new one. Of what was put under other numbers than those of now,
//! nothing is found; it expires, or goes when Redis makes room. If Redis loses a number, what was put under it is lost.
//! The number of an image lives as long as what was put under it last.
//!
//! What was made of a file as it was before a purge does not come back after it: an entry is put under the numbers that its
//! look-up has seen (`Seen`), however long it took to make it, on whichever node. If the look-up failed, it is not put
//! at all. There are three exceptions:
//!
//! - What was made without a look-up (a fresh one was wanted, or Redis was not asked because it had failed), or with one that
//!   is forgotten (after ten minutes; of more than 10 000, the oldest), is put under the numbers of the moment. Then it is
//!   the node that drops what was purged meanwhile, as far as it has heard of it: an entry comes back if it is put in
//!   the milliseconds before that.
//! - An entry that a node has read just before the purge is answered by that node until it has heard.
//! - If Redis itself goes back in time, so do its numbers: after a failover to a replica that lacks the last
//!   writes, or a start from an older snapshot. Then purge again.

pub mod config;
mod generations;
mod link;
mod names;
mod purges;
mod server;
#[cfg(test)]
mod tests;
mod url;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use redis::{Script, cmd, pipe};

use self::config::RedisConfig;
use self::generations::{Generation, Seen};
use self::link::Link;
use self::names::Names;
use self::server::Server;
use super::layer::{Layer, LayerError, Leases, Pending, Usage};
use super::random::random;
use super::{CacheKey, EntryKey};

pub use purges::{Purge, Purges};
pub use url::RedisUrl;

/// For what nobody waits for: writing, purging.
const UNHURRIED: Duration = Duration::from_secs(5);
/// Removes a lease unless another node has it by now. Key: lease. Argument: this node.
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")
});

/// A cache in Redis.
pub struct Redis {
    link: Link,
    server: Arc<Server>,
    names: Names,
    seen: Seen,
    timeout: Duration,
    /// Stands for this process, as the holder of leases.
    node: [u8; 8],
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
                ttl: Duration::from_secs(config.ttl.into()),
            },
            seen: Seen::default(),
            timeout: Duration::from_millis(config.timeout_ms.into()),
            node: random(),
        }))
    }

    /// What is purged, over a connection of its own.
    pub fn purges(&self) -> Purges {
        Purges::new(Link::new(Arc::clone(&self.server)), self.names.purges())
    }

    async fn find(&self, key: &EntryKey) -> Result<Option<Bytes>, LayerError> {
        let is_first = self.seen.begin(key);
        let (names, wanted) = (self.names.clone(), *key);
        let asked = self.link.ask(self.timeout, async move |connection| {
            generations::look_up(connection, &names, &wanted).await
        });
        let (generation, value) = asked.await?;
        let found = generation.zip(value).and_then(record);
        if is_first && found.is_none() {
            self.seen.note(key, generation);
        } else if is_first {
            self.seen.end(key);
        }
        Ok(found)
    }

    async fn store(&self, key: &EntryKey, record: Bytes) -> Result<(), LayerError> {
        let seen = match self.seen.end(key) {
            // Redis did not answer then: who knows what was purged since.
            Some(None) => return Err(LayerError::NotTried),
            Some(seen) => seen,
            None => None,
        };
        let (names, key) = (self.names.clone(), *key);
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                let generation = match seen {
                    Some(seen) => Some(seen),
                    None => generations::current(connection.clone(), &names, &key).await?,
                };
                let Some(generation) = generation else {
                    return Ok(());
                };
                let ttl = milliseconds(names.ttl);
                let mut commands = pipe();
                commands.cmd("SET").arg(names.entry(&key));
                commands.arg(generation.with(&record)).arg("PX").arg(ttl);
                commands
                    .cmd("PEXPIRE")
                    .arg(names.generation(&key.image))
                    .arg(ttl);
                commands.exec_async(&mut connection).await
            })
            .await
    }

    async fn delete(&self, key: &EntryKey) -> Result<(), LayerError> {
        let mut command = cmd("UNLINK");
        command.arg(self.names.entry(key));
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                command.query_async(&mut connection).await
            })
            .await
    }

    /// First here, then the nodes: told before, they could read again what is still here.
    async fn forget(&self, image: Option<&CacheKey>) -> Result<(), LayerError> {
        let mut command = cmd("UNLINK");
        command.arg(match image {
            Some(image) => self.names.generation(image),
            None => self.names.all(),
        });
        let telling = purges::telling(&self.names.purges(), image);
        self.link
            .ask(UNHURRIED, async move |mut connection| {
                command.exec_async(&mut connection).await?;
                telling.exec_async(&mut connection).await
            })
            .await
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
        Box::pin(self.delete(key))
    }

    /// Redis removes the entries themselves when their time has come, or to make room.
    fn purge<'a>(&'a self, image: &'a CacheKey) -> Pending<'a, ()> {
        Box::pin(self.forget(Some(image)))
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(self.forget(None))
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

/// The record of a value that was put under the generation of now.
fn record((generation, value): (Generation, Vec<u8>)) -> Option<Bytes> {
    let is_current = generation.has(&value);
    is_current.then(|| Bytes::from(value).slice(Generation::LENGTH..))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
