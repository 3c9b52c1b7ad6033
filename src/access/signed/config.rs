//! Settings of signed URLs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::token::Token;

/// Signed URLs, which show an image to whoever has them, until they expire: `azulejo sign` makes them, and so can any program that
/// has the secret. Rules with `signed = true` let them through. docs/access.md says what is signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SigningConfig {
    /// The secrets, of at least 32 characters. The first signs; all are good to verify, so that a new one can be put before the old one, which is removed
    /// when the last URL that it has signed is over. They are never printed; better than in a file they stand in the environment.
    #[schemars(
        with = "Vec<String>",
        extend("items" = {"type": "string", "format": "secret-token"}, "writeOnly" = true),
        example = ["the output of: openssl rand -hex 32"]
    )]
    pub secrets: Vec<Token>,

    /// Seconds that a signed URL may be good for. One that expires later is not accepted before: whoever could sign for once has not signed for ever.
    #[schemars(range(min = 1, max = 315_360_000))]
    pub longest: u32,
}

impl Default for SigningConfig {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            longest: 604_800,
        }
    }
}
