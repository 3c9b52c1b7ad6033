//! Settings of who asks.

use std::num::NonZeroU32;

use ipnet::IpNet;
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

/// How much each client may ask for. Nothing is limited by default: a reading room or a school may be one address. Behind a proxy,
/// `server.trusted_proxies` has to name it, or all its clients are one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsConfig {
    /// Requests that one client may make in a second for long; who makes more is answered with 429. A client is an address of IPv4,
    /// or a network of IPv6 (/64). A viewer asks for some 20 tiles for each view of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000), example = 50)]
    pub requests_per_second: Option<NonZeroU32>,

    /// Requests that one client may make at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: NonZeroU32,

    /// Requests that all clients of one network (/24 of IPv4, /48 of IPv6) may make in a second for long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000), example = 500)]
    pub network_requests_per_second: Option<NonZeroU32>,

    /// Requests that all clients of one network may make at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub network_burst: NonZeroU32,

    /// Large images that are made for one client in a minute. What is in a cache, or copied out of a file, does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000), example = 30)]
    pub large_per_minute: Option<NonZeroU32>,

    /// Pixels from which on an image is large.
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub large_pixels: u64,

    /// Networks that are not limited.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "network"}),
        example = ["10.0.0.0/8"]
    )]
    pub exempt: Vec<IpNet>,
}

impl Default for ClientsConfig {
    fn default() -> Self {
        Self {
            requests_per_second: None,
            burst: NonZeroU32::new(200).expect("not zero"),
            network_requests_per_second: None,
            network_burst: NonZeroU32::new(2_000).expect("not zero"),
            large_per_minute: None,
            large_pixels: 4_000_000,
            exempt: Vec::new(),
        }
    }
}
