//! Settings of the cache that nodes share.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::url::RedisUrl;
use crate::cache::guarded::Policy;

/// A Redis (or Valkey) that all nodes share. What goes wrong with it makes answers slower, never different.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// Where it is; without it, none is used. `redis://user:password@host:6379/0`, with TLS `rediss://`, by a socket
    /// `unix:/path?db=0&user=…&pass=…`. A cluster is named by some of its nodes: `redis-cluster://user:password@a:6379,b:6379`
    /// or `rediss-cluster://`; one that Sentinel watches over by the sentinels, the name of the master and the database:
    /// `redis-sentinel://user:password@a:26379,b:26379/mymaster/0` or `rediss-sentinel://`, where user and password are those of
    /// Redis. With TLS, the certificates count that the system trusts, or those in the file that `SSL_CERT_FILE` names.
    #[schemars(with = "Option<String>", extend("format" = "redis-url"), example = "redis://127.0.0.1:6379/0")]
    pub url: Option<RedisUrl>,

    /// The beginning of all keys, for a database that holds other things too.
    pub prefix: String,

    /// Seconds after which an entry is forgotten.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub ttl: u32,

    /// Milliseconds that an answer is waited for. After that, it is as if Redis had nothing.
    #[schemars(range(min = 1, max = 10_000))]
    pub timeout_ms: u32,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: None,
            prefix: "azulejo:".to_owned(),
            ttl: 7 * 86_400,
            timeout_ms: 50,
        }
    }
}

impl RedisConfig {
    pub fn policy(&self) -> Policy {
        Policy {
            limit: Duration::from_millis(self.timeout_ms.into()),
            ttl: Some(Duration::from_secs(self.ttl.into())),
            writes: 4,
        }
    }
}
