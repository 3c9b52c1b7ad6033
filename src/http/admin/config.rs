//! Settings for those who run the server.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::token::Token;

/// What those who run the server may see and do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// The secret that opens `/admin/` and `/metrics`: it is sent as `Authorization: Bearer TOKEN`. Without it there is
    /// nothing at these addresses. It is never printed; better than in a file it stands in the environment.
    #[schemars(
        with = "Option<String>",
        extend("format" = "secret-token", "writeOnly" = true),
        example = "the output of: openssl rand -hex 32"
    )]
    pub token: Option<Token>,

    /// Address and port where `/metrics` is given out without a token, and nothing else. It should not be reachable from
    /// outside.
    #[schemars(
        with = "Option<String>",
        extend("format" = "socket-address"),
        example = "127.0.0.1:9182"
    )]
    pub listen: Option<SocketAddr>,
}
