//! All that deciding needs, for the life of the process.

use std::collections::BTreeSet;
use std::io;

use super::config::Standing;
use super::external::External;
use super::jwt::{JwtError, JwtVerifier};
use super::keys::Keys;
use super::rules::Rules;
use super::signed::Signer;
use crate::config::Config;
use crate::overlay::Overlays;

pub struct Gate {
    pub rules: Rules,
    pub signer: Signer,
    pub external: Option<External>,
    pub overlays: Overlays,
    keys: Keys,
    tokens: Option<JwtVerifier>,
}

impl Gate {
    /// `None` where everybody sees everything.
    ///
    /// # Errors
    /// If a key or an overlay cannot be read.
    pub fn new(config: &Config) -> io::Result<Option<Self>> {
        let access = &config.access;
        if access.rules.is_empty() && access.default == Standing::Open {
            return Ok(None);
        }
        let overlays = Overlays::load(&config.overlays)?;
        let is_asked = access.external.url.is_some();
        let external = is_asked.then(|| External::new(&access.external, overlays.names()));
        let has_tokens = access.jwt.is_set();
        Ok(Some(Self {
            rules: Rules::new(access, &overlays)?,
            signer: Signer::new(&access.signing),
            external: external.transpose()?,
            overlays,
            keys: Keys::new(&access.keys),
            tokens: has_tokens
                .then(|| JwtVerifier::new(&access.jwt))
                .transpose()?,
        }))
    }

    /// The roles of a program that shows an API key.
    pub fn roles_of_key(&self, key: &[u8]) -> Option<BTreeSet<String>> {
        self.keys.roles(key)
    }

    /// The roles of somebody who shows a token: an API key, or a JSON Web Token. None for what is neither.
    ///
    /// # Errors
    /// If it cannot be told now.
    pub async fn roles_of_token(&self, token: &[u8]) -> Result<BTreeSet<String>, JwtError> {
        if let Some(roles) = self.keys.roles(token) {
            return Ok(roles);
        }
        let (Some(verifier), Ok(token)) = (&self.tokens, str::from_utf8(token)) else {
            return Ok(BTreeSet::new());
        };
        match verifier.claims(token).await {
            Ok(claims) => Ok(claims.roles),
            Err(error) if error.is_unavailable() => Err(error),
            Err(error) => {
                tracing::debug!("a token is refused: {error}");
                Ok(BTreeSet::new())
            }
        }
    }
}
