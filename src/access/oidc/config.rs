//! Settings of the provider at which visitors log in.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::token::Token;

/// A provider of OpenID Connect, for services with `means = "oidc"`. This server is registered there as a client, with
/// `PUBLIC_URL/access/NAME/callback` for each such service as an address to come back to; `server.public_url` has to be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// The provider. What else has to be known of it is found at `ISSUER/.well-known/openid-configuration`.
    #[schemars(extend("format" = "http-url"), example = "https://id.example.org/realms/library")]
    pub issuer: Option<String>,

    /// The name of this server there.
    #[schemars(extend("minLength" = 1))]
    pub client_id: String,

    /// The secret that proves it. Without one, the proof of each login (PKCE) has to be enough for the provider. It is never printed; better
    /// than in a file it stands in the environment.
    #[schemars(
        with = "Option<String>",
        extend("format" = "secret-token", "writeOnly" = true),
        example = "what the provider shows"
    )]
    pub client_secret: Option<Token>,

    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,

    /// The claim of the identity token with the roles, as a list or as words with spaces between them; with dots if it stands within others.
    #[schemars(extend("minLength" = 1), example = "realm_access.roles")]
    pub roles: String,

    /// Milliseconds that the provider is waited for.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: "azulejo".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            roles: "roles".to_owned(),
            timeout_ms: 5_000,
        }
    }
}

impl OidcConfig {
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}
