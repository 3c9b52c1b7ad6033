//! Settings of the registry.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::url::RegistryUrl;
use crate::config::token::Token;

/// The durable map from identifiers to the locations of images. Nothing in it expires, and no cache is needed for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegistryConfig {
    /// Where it is kept; without it, there is none. For one server the path of an SQLite file, in a folder that exists, on a
    /// disk of this machine: `sqlite:/var/lib/azulejo/azulejo.db`. For several a PostgreSQL database:
    /// `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` so that nobody listens. Tables are made, and
    /// brought up to date, when the server starts. The password is never printed.
    #[schemars(
        with = "Option<String>",
        extend("format" = "registry-url"),
        example = "sqlite:/var/lib/azulejo/azulejo.db"
    )]
    pub url: Option<RegistryUrl>,

    /// Whether a registry is made where there is none: the file, and the tables. Set it to false once it has been made, so that a
    /// volume that is not mounted is an error at the start instead of an empty registry, which knows none of the identifiers.
    pub create: bool,

    /// Milliseconds that an answer is waited for. After that, a request is answered with 503.
    #[schemars(range(min = 10, max = 60_000))]
    pub timeout_ms: u32,

    /// The secret that opens `/resources` and `/entity`, where entries are made, looked up and removed over HTTP. It is sent as
    /// `Authorization: Bearer TOKEN`, or as the password of a user of any name. Without it there is nothing at these addresses.
    /// Whoever has it decides what is served under which identifier. It is never printed; better than in a file it stands in
    /// the environment.
    #[schemars(
        with = "Option<String>",
        extend("format" = "secret-token", "writeOnly" = true),
        example = "the output of: openssl rand -hex 32"
    )]
    pub token: Option<Token>,

    /// Whether `GET /entity?url=` makes an entry for a URL that has none also for those without the token, as the TAMU IR IIIF
    /// service expects of its resolver. Then everyone who reaches this server can fill the registry, and see what its source of http
    /// images reads; not files and buckets, and nothing that was removed.
    pub open_minting: bool,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            url: None,
            create: true,
            timeout_ms: 1000,
            token: None,
            open_minting: false,
        }
    }
}

impl RegistryConfig {
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}
