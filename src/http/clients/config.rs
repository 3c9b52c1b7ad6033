//! Settings of who asks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The header in which proxies say whom they ask for. Only one is read: what the proxy does not write itself, a client may have written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientHeader {
    #[default]
    XForwardedFor,
    Forwarded,
    XRealIp,
}

impl ClientHeader {
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::XRealIp => "x-real-ip",
        }
    }
}
