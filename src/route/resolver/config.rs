//! Settings of resolvers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A program that says where images are, for what rules cannot express. It is asked over HTTP with `GET url?id=KEY` and answers
/// `{"location": "https://…"}`, perhaps with `"page": 2`; with 404 for what does not exist, and with 410 for what was
/// withdrawn. The location has to be one of a source. Any other answer means that it cannot be asked: the client gets 503.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolverConfig {
    /// Its address.
    #[schemars(extend("format" = "http-url", "examples" = ["http://127.0.0.1:9000/locate"]))]
    pub url: String,

    /// Milliseconds that an answer is waited for.
    #[serde(default = "default_timeout")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,

    /// Seconds for which an answer is remembered; that there is no such image, for 5 at most.
    #[serde(default = "default_ttl")]
    #[schemars(range(max = 86_400))]
    pub ttl: u32,
}

fn default_timeout() -> u32 {
    2_000
}

fn default_ttl() -> u32 {
    60
}
