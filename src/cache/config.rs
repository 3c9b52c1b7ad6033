//! Settings of the caches.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::disk::config::DiskConfig;
use super::guarded::Guarded;
use super::layers::Layers;
use super::memory::Memory;
use super::objects::Objects;
use super::objects::config::ObjectsConfig;
use super::redis::Redis;
use super::redis::config::RedisConfig;
use crate::config::byte_size::ByteSize;
use crate::machine;

/// What is kept to be used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Memory for decoded pixels that were not asked for but had to be decoded with others: the neighbours of a tile. For
    /// levels of up to a megapixel, which many thumbnails are made from. And for the tiles of TIFFs that a region cuts, which
    /// regions beside it or across it need, too. A sixteenth of the machine's (or the container's) if not set.
    #[schemars(example = "512 MiB")]
    pub pixels: Option<ByteSize>,

    /// Memory for images that are open: their headers, and what else their decoders have found out. Most of that are code-blocks
    /// of JPEG 2000, which the neighbours of a window need, too: up to a quarter of this, and 56 MiB, for each image. An image that takes
    /// more than all of this is opened again for every request. No more than 400 are open, however large this is.
    pub headers: ByteSize,

    /// Seconds for which an image that turned out to be broken is not tried again; 0 to try it at every request. A file that
    /// changes is tried at once.
    #[schemars(range(max = 30))]
    pub failure_ttl: u32,

    /// Seconds for which an image is served as it was seen last while its source cannot be reached, so that nobody knows
    /// whether it has changed; 0 for not at all. What is not in the cache cannot be served then.
    #[schemars(range(max = 604_800))]
    pub stale_ttl: u32,

    pub memory: MemoryConfig,
    pub disk: DiskConfig,
    pub redis: RedisConfig,
    pub objects: ObjectsConfig,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            pixels: None,
            headers: ByteSize(256 << 20),
            failure_ttl: 10,
            stale_ttl: 0,
            memory: MemoryConfig::default(),
            disk: DiskConfig::default(),
            redis: RedisConfig::default(),
            objects: ObjectsConfig::default(),
        }
    }
}

/// The first layer of the cache of encoded images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Whether encoded images are kept in memory.
    pub enabled: bool,

    /// Memory for them. A sixteenth of the machine's (or the container's) if not set.
    #[schemars(example = "2 GiB")]
    pub size: Option<ByteSize>,

    /// Seconds that one is kept at most; 0 for no limit. An image that changes is another image to the cache, so there is
    /// seldom a reason.
    pub ttl: u32,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            size: None,
            ttl: 0,
        }
    }
}

impl MemoryConfig {
    fn layer(&self) -> Option<Memory> {
        let bytes = match self.size {
            Some(ByteSize(bytes)) => bytes,
            None => machine::memory() / 16,
        };
        self.enabled.then(|| Memory::new(bytes, age(self.ttl)))
    }
}

/// Seconds as a limit; 0 is none.
fn age(seconds: u32) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

impl CacheConfig {
    /// The layers that are configured.
    pub fn layers(&self) -> Layers {
        let redis = self.redis();
        let purges = redis.as_ref().map(Redis::purges);
        let disk = self
            .disk()
            .map(|disk| Guarded::new(Box::new(disk), self.disk.policy()));
        let redis = redis.map(|redis| Guarded::new(Box::new(redis), self.redis.policy()));
        let objects = self
            .objects()
            .map(|objects| Guarded::new(Box::new(objects), self.objects.policy()));
        let far = disk.into_iter().chain(redis).chain(objects).collect();
        let layers = Layers::new(self.memory.layer(), far);
        if let Some(purges) = purges {
            layers.follow(purges);
        }
        layers
    }

    fn disk(&self) -> Option<Disk> {
        let disk = Disk::open(&self.disk);
        disk.unwrap_or_else(|error| {
            tracing::error!(%error, "the cache on disk is not used");
            None
        })
    }

    fn redis(&self) -> Option<Redis> {
        let redis = Redis::new(&self.redis);
        redis.unwrap_or_else(|error| {
            tracing::error!(%error, "Redis is not used");
            None
        })
    }

    fn objects(&self) -> Option<Objects> {
        let objects = Objects::open(&self.objects);
        objects.unwrap_or_else(|error| {
            tracing::error!(%error, "the object store is not used");
            None
        })
    }

    /// [`Limits::kept_bytes`](crate::decode::Limits::kept_bytes): several images are open at a time.
    pub fn image_bytes(&self) -> u64 {
        self.headers.0 / 8
    }

    /// Bytes for decoded pixels.
    pub fn pixel_bytes(&self) -> u64 {
        match self.pixels {
            Some(ByteSize(bytes)) => bytes,
            None => machine::memory() / 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Limits;

    /// Tools that have no cache open images within the same bounds.
    #[test]
    fn what_is_kept_of_an_image_is_the_same_without_configuration() {
        let config = CacheConfig::default();
        assert_eq!(config.image_bytes(), Limits::DEFAULT.kept_bytes);
    }
}
