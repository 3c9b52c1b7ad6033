//! Settings of sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is remembered of visitors who showed who they are. It is kept in the registry, if there is one, and then holds on all servers that
/// share it; otherwise in memory, and a restart forgets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// Seconds after which somebody has to show it again, whatever they do. A browser that is closed forgets it before.
    #[schemars(range(min = 60, max = 2_592_000))]
    pub seconds: u32,

    /// Seconds for which a token is good, by which a viewer asks the probe service. It opens no image.
    #[schemars(range(min = 10, max = 86_400))]
    pub token_seconds: u32,

    /// Seconds for which a server does not ask the registry again: so long a logout at another server may go unnoticed.
    #[schemars(range(max = 300))]
    pub cache_seconds: u32,

    /// Whether the cookie is one for each site that a viewer is embedded in (`Partitioned`). Browsers that refuse the cookies of other sites
    /// take such ones, but do not send one that was set in the window of a login from within a page of another site. So it is of use only where
    /// the viewer's page and this server are of one site.
    pub partitioned: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            seconds: 8 * 3600,
            token_seconds: 300,
            cache_seconds: 5,
            partitioned: false,
        }
    }
}
