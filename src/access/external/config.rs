//! Settings of the external decision.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service that decides who sees what, for what rules cannot express: it is asked about the images of rules with `external = true`, before anything else is. docs/access.md
/// says what it is sent, and what it answers. While it cannot be asked, nobody is let in by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalConfig {
    /// Its address; without it, there is none.
    #[schemars(extend("format" = "http-url"), example = "http://127.0.0.1:9000/decide")]
    pub url: Option<String>,

    /// Milliseconds that an answer is waited for.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,

    /// Seconds for which an answer holds, for the same image, credentials and address of the client. After that long at the latest, somebody who has lost a right
    /// sees nothing more. With 0 it is asked each time.
    #[schemars(range(max = 3600))]
    pub cache_seconds: u32,

    /// The headers of the client that it is sent. Whatever its decision depends on has to be among them.
    #[schemars(
        extend("items" = {"type": "string", "pattern": "^[A-Za-z0-9-]+$"}),
        example = ["cookie", "authorization"]
    )]
    pub forward_headers: Vec<String>,

    /// Questions that are put to it at a time; others wait, as long as they wait for an answer.
    #[schemars(range(min = 1, max = 10_000))]
    pub in_flight: u16,
}

impl Default for ExternalConfig {
    fn default() -> Self {
        Self {
            url: None,
            timeout_ms: 2_000,
            cache_seconds: 10,
            forward_headers: ["cookie", "authorization"].map(str::to_owned).into(),
            in_flight: 64,
        }
    }
}

impl ExternalConfig {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    pub(super) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.cache_seconds.into())
    }
}
