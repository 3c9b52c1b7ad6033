//! Settings of tokens.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::token::Token;

/// JSON Web Tokens (RFC 7519) that say which roles somebody has, signed by an identity provider, or by a program that shares a secret with this server. They are sent as
/// `Authorization: Bearer TOKEN`. One of `jwks`, `key_file` and `secret` says how they are verified; without any, no token is accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtConfig {
    /// The algorithms that tokens may be signed with, whatever a token says of itself: of HMAC (`HS…`) with `secret`, of the others with `jwks` or `key_file`.
    #[schemars(extend("minItems" = 1))]
    pub algorithms: Vec<JwtAlgorithm>,

    /// The address of the public keys of the identity provider, as a JSON Web Key Set (RFC 7517). They are fetched when the first token comes, again after
    /// `refresh`, and when a token is signed with a key that is not among them.
    #[schemars(extend("format" = "http-url"), example = "https://id.example.org/realms/library/protocol/openid-connect/certs")]
    pub jwks: Option<String>,

    /// A file with one public key, as PEM.
    #[schemars(with = "Option<String>", example = "/etc/azulejo/issuer.pem")]
    pub key_file: Option<PathBuf>,

    /// The secret that is shared with the program that signs, of at least 32 characters. It is never printed; better than in a file it stands in the environment.
    #[schemars(
        with = "Option<String>",
        extend("format" = "secret-token", "writeOnly" = true),
        example = "the output of: openssl rand -hex 32"
    )]
    pub secret: Option<Token>,

    /// What tokens have to say in `iss`. This or `audience` has to be set.
    #[schemars(example = "https://id.example.org/realms/library")]
    pub issuer: Option<String>,

    /// Of these, tokens have to name one in `aud`. Without any, a token that names an audience is for somebody else, and refused.
    #[schemars(example = ["images"])]
    pub audience: Vec<String>,

    /// The claim with the roles, as a list or as words with spaces between them; with dots if it stands within others.
    #[schemars(extend("minLength" = 1))]
    pub roles: String,

    /// Seconds by which the clocks of this server and of the issuer may differ.
    #[schemars(range(max = 600))]
    pub leeway: u32,

    /// Seconds after which the keys of `jwks` are fetched anew. While they cannot be, the ones fetched last are used for an hour more.
    #[schemars(range(min = 10, max = 86_400))]
    pub refresh: u32,

    /// Milliseconds that they are waited for.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            algorithms: vec![JwtAlgorithm::RS256],
            jwks: None,
            key_file: None,
            secret: None,
            issuer: None,
            audience: Vec::new(),
            roles: "roles".to_owned(),
            leeway: 60,
            refresh: 300,
            timeout_ms: 2_000,
        }
    }
}

impl JwtConfig {
    /// Whether tokens are accepted at all.
    pub fn is_set(&self) -> bool {
        self.jwks.is_some() || self.key_file.is_some() || self.secret.is_some()
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}

/// How a token is signed (RFC 7518, section 3.1, and RFC 8037). There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum JwtAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    #[serde(rename = "EdDSA")]
    EdDsa,
    HS256,
    HS384,
    HS512,
}

impl JwtAlgorithm {
    /// Whether who can verify could also sign.
    pub fn is_symmetric(self) -> bool {
        self.family() == AlgorithmFamily::Hmac
    }

    /// Those of one family can share a key.
    pub(in crate::access) fn family(self) -> AlgorithmFamily {
        Algorithm::from(self).family()
    }
}

impl From<JwtAlgorithm> for Algorithm {
    fn from(algorithm: JwtAlgorithm) -> Self {
        match algorithm {
            JwtAlgorithm::RS256 => Self::RS256,
            JwtAlgorithm::RS384 => Self::RS384,
            JwtAlgorithm::RS512 => Self::RS512,
            JwtAlgorithm::PS256 => Self::PS256,
            JwtAlgorithm::PS384 => Self::PS384,
            JwtAlgorithm::PS512 => Self::PS512,
            JwtAlgorithm::ES256 => Self::ES256,
            JwtAlgorithm::ES384 => Self::ES384,
            JwtAlgorithm::EdDsa => Self::EdDSA,
            JwtAlgorithm::HS256 => Self::HS256,
            JwtAlgorithm::HS384 => Self::HS384,
            JwtAlgorithm::HS512 => Self::HS512,
        }
    }
}
