//! JSON Web Tokens (RFC 7519), of whoever is trusted to say which roles somebody has.
//!
//! What a token says of how it is to be verified is only ever compared with what is configured: the algorithm, and the name of the key. Nothing in it leads to
//! a key (`jku`, `x5u`, `jwk`), and an extension that has to be understood (`crit`) is not.

pub mod config;
mod jwks;
mod key;
pub mod roles;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::Value;

use self::config::JwtConfig;
use self::jwks::{Jwks, Keys, Pace, Trouble};
use self::key::Key;
use super::Claims;

/// Why a token says nothing.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    #[error("the token is not valid")]
    Refused(#[from] jsonwebtoken::errors::Error),
    #[error("the token is signed with an algorithm that is not configured")]
    Algorithm,
    #[error("the token has an extension that has to be understood, and is not")]
    Critical,
    #[error("the token is signed with a key that is not known")]
    UnknownKey,
    /// It may well be valid.
    #[error("the token cannot be verified now")]
    Unavailable(#[from] Arc<Trouble>),
}

impl JwtError {
    /// Whether nobody can tell now, so that the answer is neither yes nor no.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Verifies tokens.
pub struct JwtVerifier {
    algorithms: Vec<Algorithm>,
    source: KeySource,
    /// But for the algorithm.
    validation: Validation,
    roles: String,
}

enum KeySource {
    Fixed(Keys),
    Remote(Jwks),
}

impl JwtVerifier {
    /// # Errors
    /// If the file with the key cannot be read, or is no key for the algorithms.
    pub fn new(config: &JwtConfig) -> io::Result<Self> {
        Self::with_pace(config, Pace::of(Duration::from_secs(config.refresh.into())))
    }

    fn with_pace(config: &JwtConfig, pace: Pace) -> io::Result<Self> {
        let algorithms = config.algorithms.iter().copied().map(Algorithm::from);
        Ok(Self {
            algorithms: algorithms.collect(),
            source: KeySource::new(config, pace)?,
            validation: validation(config),
            roles: config.roles.clone(),
        })
    }

    /// What a token says of the one who sends it.
    ///
    /// # Errors
    /// If it is not valid (RFC 7519, section 7.2), or nobody can tell now.
    pub async fn claims(&self, token: &str) -> Result<Claims, JwtError> {
        let header = decode_header(token)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(JwtError::Algorithm);
        }
        if header.crit.is_some() {
            return Err(JwtError::Critical);
        }
        let claims = match &self.source {
            KeySource::Fixed(keys) => self.verify(token, &header, keys)?,
            KeySource::Remote(jwks) => self.verify_remotely(token, &header, jwks).await?,
        };
        Ok(Claims {
            subject: claims.get("sub").and_then(Value::as_str).map(str::to_owned),
            roles: roles::roles(&claims, &self.roles),
        })
    }

    /// An issuer that has changed its keys may not have changed their names.
    async fn verify_remotely(
        &self,
        token: &str,
        header: &Header,
        jwks: &Jwks,
    ) -> Result<Value, JwtError> {
        let keys = jwks.current().await?;
        let result = self.verify(token, header, &keys);
        if !result.as_ref().is_err_and(may_be_of_a_newer_key) {
            return result;
        }
        match jwks.newer(&keys).await? {
            Some(keys) => self.verify(token, header, &keys),
            None => result,
        }
    }

    fn verify(&self, token: &str, header: &Header, keys: &Keys) -> Result<Value, JwtError> {
        let validation = Validation {
            algorithms: vec![header.alg],
            ..self.validation.clone()
        };
        let id = header.kid.as_deref();
        let fitting = keys.iter().filter(|key| key.fits(id, header.alg));
        let mut result = Err(JwtError::UnknownKey);
        for key in fitting {
            result = match decode::<Value>(token, key.key(), &validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => Err(error.into()),
            };
            if !result.as_ref().is_err_and(may_be_of_a_newer_key) {
                break;
            }
        }
        result
    }
}

/// Whether the token is as it should be, but for the signature.
fn may_be_of_a_newer_key(error: &JwtError) -> bool {
    match error {
        JwtError::UnknownKey => true,
        JwtError::Refused(error) => matches!(error.kind(), ErrorKind::InvalidSignature),
        _ => false,
    }
}

/// RFC 7519, section 4.1. What is configured has to be there, too.
fn validation(config: &JwtConfig) -> Validation {
    let mut validation = Validation::default();
    let mut required = vec!["exp"];
    if let Some(issuer) = &config.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if !config.audience.is_empty() {
        validation.set_audience(&config.audience);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation.validate_nbf = true;
    validation.leeway = config.leeway.into();
    validation
}

impl KeySource {
    fn new(config: &JwtConfig, pace: Pace) -> io::Result<Self> {
        if let Some(url) = &config.jwks {
            return Ok(Self::Remote(Jwks::new(url, config.timeout(), pace)?));
        }
        let key = match (&config.secret, &config.key_file) {
            (Some(secret), _) => Key::of_secret(secret.reveal().as_bytes()),
            (None, Some(file)) => of_file(config, &fs::read(file)?)?,
            (None, None) => return Err(io::Error::other("there is no key for tokens")),
        };
        Ok(Self::Fixed(Arc::new(vec![key])))
    }
}

fn of_file(config: &JwtConfig, pem: &[u8]) -> io::Result<Key> {
    let algorithm = config.algorithms.first().copied();
    let algorithm =
        algorithm.ok_or_else(|| io::Error::other("there is no algorithm for tokens"))?;
    let key = Key::of_pem(pem, algorithm.into());
    key.map_err(|error| io::Error::other(format!("it is no key for {algorithm:?}: {error}")))
}
